package espocrm_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/espocrm"
)

func pdf(content string) sim.Attachment {
	return sim.Attachment{Name: "offer.pdf", MIME: "application/pdf", Content: strings.NewReader(content)}
}

// answers has a salesperson make an answer, and returns what is fetched of it.
func (s *simulated) answers(c *espocrm.Connector, on crm.ContactRef, text string, files ...sim.Attachment) []crm.Request {
	s.t.Helper()
	_, cursor, err := c.FetchOutbound(s.t.Context(), "")
	must(s.sim.AddMessage(string(on), text, files...))(s.t)
	s.clock.Advance(time.Minute)
	requests, _, err2 := c.FetchOutbound(s.t.Context(), cursor)
	if err := errors.Join(err, err2); err != nil {
		s.t.Fatal(err)
	}
	return requests
}

func download(t *testing.T, c crm.Opener, ref string) string {
	t.Helper()
	in := must(c.OpenFile(t.Context(), ref))(t)
	content, err := io.ReadAll(in)
	if err := errors.Join(err, in.Close()); err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestFilesOfAnAnswer proves that what a user attached is described and given out as it is, with and without words, that a
// webhook leads to it, and that a record without either is no answer.
func TestFilesOfAnAnswer(t *testing.T) {
	r := newReceiver(t)
	s := newSimulated(t, sim.Options{SetUp: true, HookURL: r.url})
	c := s.connector(nil)
	on := contactOf(t, c)
	for _, text := range []string{"the offer", "", " \n"} {
		requests := s.answers(c, on, text, pdf("some bytes"), sim.Attachment{Name: "plan.png", MIME: "image/png", Content: strings.NewReader("pixels")})
		if len(requests) != 1 || requests[0].Text != strings.TrimSpace(text) || len(requests[0].Files) != 2 {
			t.Fatalf("%q: %+v", text, requests)
		}
		first, second := requests[0].Files[0], requests[0].Files[1]
		if first.Name != "offer.pdf" || first.MIME != "application/pdf" || first.Size != 10 || second.Name != "plan.png" || second.MIME != "image/png" || second.Size != 6 {
			t.Errorf("%q: files %+v", text, requests[0].Files)
		}
		if got := download(t, c, first.Ref); got != "some bytes" {
			t.Errorf("%q: %q", text, got)
		}
		if err := s.sim.RunJob(t.Context()); err != nil {
			t.Fatal(err)
		}
		if in := must(c.ParseInbound(t.Context(), <-r.calls))(t); !in.Fetch || in.Requests != nil {
			t.Errorf("%q: the webhook says %+v, want that there is something to fetch", text, in)
		}
	}
	if requests := s.answers(c, on, ""); len(requests) != 0 {
		t.Errorf("an empty answer: %+v", requests)
	}
}

// TestOurFilesAreNotSent proves that entries of ours with files, whoever wrote them, are no answers.
func TestOurFilesAreNotSent(t *testing.T) {
	r := newReceiver(t)
	s := newSimulated(t, sim.Options{SetUp: true, HookURL: r.url})
	c := s.connector(nil)
	on := contactOf(t, c)
	_, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, direction := range []chat.Direction{chat.In, chat.Out} {
		e := entry("")
		e.Messages[0].Direction = direction
		photo := must(c.PutFile(t.Context(), on, "", file("photo.jpg", "photo")))(t)
		must(c.PutMessage(t.Context(), on, e, []crm.FileRef{photo}))(t)
	}
	s.clock.Advance(time.Minute)
	if requests, _, err := c.FetchOutbound(t.Context(), cursor); err != nil || len(requests) != 0 {
		t.Errorf("%+v, %v", requests, err)
	}
	if err := s.sim.RunJob(t.Context()); err != nil {
		t.Fatal(err)
	}
	if in := must(c.ParseInbound(t.Context(), <-r.calls))(t); in.Fetch || in.Requests != nil {
		t.Errorf("the webhook says %+v", in)
	}
}

// TestYoungAnswer proves that an answer whose files may still be missing is left for later, and that what is dated earlier
// and shows up later isn't passed by.
func TestYoungAnswer(t *testing.T) {
	s := newSimulated(t, sim.Options{SetUp: true})
	c := s.connector(nil)
	on := contactOf(t, c)
	_, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{time.Second, 3 * time.Second} {
		s.clock.Advance(wait)
		must(s.sim.AddMessage(string(on), "hello"))(t)
	}
	for _, row := range []struct {
		wait time.Duration
		want int
	}{{0, 0}, {3 * time.Second, 1}, {3 * time.Second, 2}} {
		s.clock.Advance(row.wait)
		requests, next, err := c.FetchOutbound(t.Context(), cursor)
		if err != nil || len(requests) != row.want {
			t.Fatalf("after %s more: %d requests, %v, want %d", row.wait, len(requests), err, row.want)
		}
		cursor = next
	}
}

// TestLargeFileOfAnAnswer proves that memory doesn't grow with a file.
func TestLargeFileOfAnAnswer(t *testing.T) {
	const size = 25 << 20
	s := newSimulated(t, sim.Options{SetUp: true})
	c := s.connector(nil)
	film := sim.Attachment{Name: "film.mp4", MIME: "video/mp4", Content: crmtest.Bytes(size)}
	crmtest.Opens(t, c, s.answers(c, contactOf(t, c), "", film)[0].Files[0], size)
}

// TestFileThatCannotBeHad proves that a file which is gone, or not for us to see, is told from the others and holds up
// nothing, and that a key which isn't one does.
func TestFileThatCannotBeHad(t *testing.T) {
	for status, class := range map[int]crm.Class{403: crm.Refused, 404: -1, 401: crm.Stopped, 500: crm.Transient} {
		s := newSimulated(t, sim.Options{SetUp: true})
		c, refused := s.connector(nil), ""
		picky := s.connector(func(next http.RoundTripper) http.RoundTripper {
			return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
				if refused != "" && strings.HasSuffix(r.URL.Path, refused) {
					return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
				}
				return next.RoundTrip(r)
			})
		})
		_, cursor, err := c.FetchOutbound(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		refused = s.answers(c, contactOf(t, c), "look", pdf("bytes"), pdf("more bytes"))[0].Files[0].Ref
		requests, _, err := picky.FetchOutbound(t.Context(), cursor)
		if final := status == 403 || status == 404; final && err != nil || !final && crmError(t, err).Class != class {
			t.Fatalf("status %d: %v", status, err)
		} else if final {
			if files := requests[0].Files; len(files) != 2 || files[0] != (crm.RequestFile{Ref: refused}) || files[1].Size != 10 {
				t.Errorf("status %d: %+v", status, files)
			}
		}
		_, err = picky.OpenFile(t.Context(), refused)
		if gone := errors.Is(err, crm.ErrGone); gone != (status == 404) || !gone && crmError(t, err).Class != class {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

// TestFileThatBreaksOff proves that half a file is an error that passes.
func TestFileThatBreaksOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "some")
	}))
	defer server.Close()
	c := espocrm.New(espocrm.Config{URL: server.URL, APIKey: crmtest.Secret(apiKey)})
	in := must(c.OpenFile(t.Context(), "1"))(t)
	_, err := io.ReadAll(in)
	if e := crmError(t, err); e.Class != crm.Transient || in.Close() != nil {
		t.Errorf("%v, want Transient", err)
	}
}

// TestFilesNotSent proves that the record says in one line what wasn't sent, and gets the name of its file if all was.
func TestFilesNotSent(t *testing.T) {
	s := newSimulated(t, sim.Options{SetUp: true})
	c := s.connector(nil)
	on := contactOf(t, c)
	for _, row := range []struct {
		text  string
		files int
		o     crm.Outcome
		want  string
	}{
		{"look", 0, crm.Outcome{Problem: "Not sent: the window is closed."}, "Not sent: the window is closed."},
		{"", 1, crm.Outcome{Problem: "a.zip: Not sent: no such type."}, "a.zip: Not sent: no such type."},
		{"look", 2, crm.Outcome{Problem: "a.zip: Not sent: no such type.\nb.pdf: Not delivered: too late."}, "Not all of it was sent: a.zip: Not sent: no such type. · b.pdf: Not delivered: too late."},
		{"look", 1, crm.Outcome{Problem: "May have been delivered.", Unknown: true}, "May have been delivered."},
		{"", 1, crm.Outcome{}, "sent"},
	} {
		var files []sim.Attachment
		for range row.files {
			files = append(files, pdf("bytes"))
		}
		r := s.answers(c, on, row.text, files...)[0]
		if err := c.Report(t.Context(), r, row.o); err != nil {
			t.Fatal(err)
		}
		_, m := s.call("GET", "CWhatsappMessage/"+r.ID, nil)
		if str(m, "status") != row.want || len(m["filesIds"].([]any)) != row.files {
			t.Errorf("%q, want %q: %v", str(m, "status"), row.want, m)
		}
		if row.want == "sent" && !strings.HasSuffix(str(m, "name"), ": offer.pdf") {
			t.Errorf("it is called %q", str(m, "name"))
		}
	}
}

package odoo_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/odoo"
)

func pdf(content string) sim.Attachment {
	return sim.Attachment{Name: "offer.pdf", MIME: "application/pdf", Content: strings.NewReader(content)}
}

// sends has a user send something, and returns what is fetched of it.
func (a *account) sends(c *odoo.Connector, on crm.ContactRef, text string, files ...sim.Attachment) []crm.Request {
	a.t.Helper()
	_, cursor := fetch(a.t, c, "")
	must[int](a.t)(0, a.sim.WriteWith(string(on), text, files...))
	requests, _ := fetch(a.t, c, cursor)
	return requests
}

// attachment is the id of a request's only file.
func (a *account) attachment(r crm.Request) int64 {
	a.t.Helper()
	if len(r.Files) != 1 {
		a.t.Fatalf("files %+v, want one", r.Files)
	}
	return a.id(r.Files[0].Ref)
}

// TestFilesFromChatter proves that what a user attached is described and given out as it is, with and without words.
func TestFilesFromChatter(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		for _, content := range []string{"x", "some bytes", strings.Repeat("\x00\xff", 100_000)} {
			a, c, on := acquainted(t, sim.Options{Version: v})
			requests := a.sends(c, on, "the offer", pdf(content), sim.Attachment{Name: "plan.png", MIME: "image/png", Content: strings.NewReader("pixels")})
			requests = append(requests, a.sends(c, on, "", pdf(content))...)
			if len(requests) != 2 || requests[0].Text != "the offer" || requests[1].Text != "" || len(requests[0].Files) != 2 || len(requests[1].Files) != 1 {
				t.Fatalf("%s: requests %+v", version(v), requests)
			}
			f := requests[0].Files[0]
			if f.Name != "offer.pdf" || f.MIME != "application/pdf" || f.Size != int64(len(content)) || requests[0].Files[1].Name != "plan.png" {
				t.Errorf("%s: files %+v", version(v), requests[0].Files)
			}
			for _, f := range []crm.RequestFile{f, requests[1].Files[0]} {
				in := must[io.ReadCloser](t)(c.OpenFile(t.Context(), f.Ref))
				if got, err := io.ReadAll(in); err != nil || string(got) != content || in.Close() != nil {
					t.Errorf("%s: %d bytes, %v, want the %d that were attached", version(v), len(got), err, len(content))
				}
			}
		}
	}
}

// TestLargeFileFromChatter proves that memory doesn't grow with a file.
func TestLargeFileFromChatter(t *testing.T) {
	const size = 25 << 20
	for _, v := range []int{17, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		film := sim.Attachment{Name: "film.mp4", MIME: "video/mp4", Content: crmtest.Bytes(size)}
		crmtest.Opens(t, c, a.sends(c, on, "", film)[0].Files[0], size)
	}
}

// TestFilesNotSent proves that the record says which files weren't.
func TestFilesNotSent(t *testing.T) {
	a, c, on := acquainted(t, sim.Options{})
	r := a.sends(c, on, "look", pdf("bytes"), pdf("more bytes"))[0]
	must[int](t)(0, c.Report(t.Context(), r, crm.Outcome{Problem: "a<b>.zip: Not sent: no files of this type\nb.pdf: Not delivered: too late."}))
	list := a.chatter(string(on))
	if len(list) != 2 || !strings.Contains(list[0].html(), "WhatsApp · Not all of it was sent.") || !strings.Contains(list[1].html(), "a&lt;b&gt;.zip: Not sent: no files of this type<br>b.pdf: Not delivered") {
		t.Errorf("the chatter is %+v", list)
	}
}

// TestOurFilesStay proves that a customer's file which ends up on a user's message isn't sent back, and that nothing is
// said of a message which was deleted.
func TestOurFilesStay(t *testing.T) {
	a, c, on := acquainted(t, sim.Options{})
	ours := must[crm.FileRef](t)(c.PutFile(t.Context(), on, "", photo("f1", "pixels")))
	_, cursor := fetch(t, c, "")
	must[int](t)(0, a.sim.WriteWith(string(on), "look", pdf("bytes")))
	must[int](t)(0, a.sim.Write(string(on), "deleted"))
	list, done := a.chatter(string(on)), false
	a.call("mail.message", "write", []any{[]int64{list[0].ID}, map[string]any{"attachment_ids": []any{[]int64{4, a.id(string(ours))}}}}, nil, &done)
	a.call("mail.message", "write", []any{[]int64{list[1].ID}, map[string]any{"body": ""}}, nil, &done)
	requests, _ := fetch(t, c, cursor)
	if len(requests) != 1 || len(requests[0].Files) != 1 || requests[0].Files[0].Name != "offer.pdf" {
		t.Errorf("requests %+v, want one with their file", requests)
	}
}

// TestOurLineIsNotSent proves that a message which is fetched again says what its author wrote.
func TestOurLineIsNotSent(t *testing.T) {
	a, c, on := acquainted(t, sim.Options{})
	_, cursor := fetch(t, c, "")
	must[int](t)(0, a.sim.Write(string(on), "hello"))
	for _, problem := range []string{"", "a number is missing"} {
		requests, _ := fetch(t, c, cursor)
		if len(requests) != 1 || requests[0].Text != "hello" {
			t.Fatalf("requests %+v", requests)
		}
		must[int](t)(0, c.Report(t.Context(), requests[0], crm.Outcome{Problem: problem}))
	}
}

// TestFileThatCannotBeHad proves that one file which is gone, a link, or not for us to see holds up nothing, and that a
// key which has ended does.
func TestFileThatCannotBeHad(t *testing.T) {
	for _, v := range []int{17, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		r := a.sends(c, on, "look", pdf("bytes"))[0]
		open := func() error {
			in, err := c.OpenFile(t.Context(), r.Files[0].Ref)
			if err == nil {
				must[int](t)(0, in.Close())
			}
			return err
		}
		a.sim.Forbid("ir.attachment", "read")
		if e := asError(t, open()); e.Class != crm.Refused || e.Reason != "AccessError" {
			t.Errorf("%s: not for us: %v", version(v), e)
		}
		a.sim.Forbid("ir.attachment")
		must[int](t)(0, open())
		var done bool
		a.call("ir.attachment", "unlink", []any{[]int64{a.attachment(r)}}, nil, &done)
		if err := open(); !errors.Is(err, crm.ErrGone) {
			t.Errorf("%s: deleted: %v, want ErrGone", version(v), err)
		}
		var link int64
		a.call("ir.attachment", "create", []any{map[string]any{"name": "a link", "type": "url", "res_model": "res.partner", "res_id": a.id(string(on))}}, nil, &link)
		if _, err := c.OpenFile(t.Context(), fmt.Sprint(link)); asError(t, err).Reason != "NO_CONTENT" {
			t.Errorf("%s: a link: %v", version(v), err)
		}
		a.sim.Revoke()
		if e := asError(t, open()); e.Class != crm.Stopped {
			t.Errorf("%s: the key has ended: %v, want Stopped", version(v), e)
		}
	}
}

// TestFileCutShort proves that half a file is an error, wherever the answer breaks off or whatever is in it.
func TestFileCutShort(t *testing.T) {
	const good = `[{"id": 5, "datas": "c29tZSBieXRlcw=="}]`
	answer := ""
	c := odoo.New(odoo.Config{URL: "http://localhost", DB: "company", APIKey: crmtest.Secret(testKey), HTTP: &http.Client{Transport: crmtest.Transport(func(r *http.Request) (*http.Response, error) {
		body := answer
		if strings.HasSuffix(r.URL.Path, "version") {
			body = `{"version":"19.0"}`
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}})
	read := func() (string, error) {
		in, err := c.OpenFile(t.Context(), "5")
		if err != nil {
			return "", err
		}
		got, err := io.ReadAll(in)
		return string(got), errors.Join(err, in.Close())
	}
	for _, answer = range []string{good, `[{"datas":"c29tZSBieXRlcw==","id":5}]`, "[\n{\"datas\" :\n\"c29tZSBieXRlcw==\"}]"} {
		if got, err := read(); got != "some bytes" || err != nil {
			t.Errorf("%s: %q, %v", answer, got, err)
		}
	}
	for n := range strings.Index(good, `"}]`) {
		answer = good[:n]
		if _, err := read(); asError(t, err).Class != crm.Transient {
			t.Errorf("%s: %v, want Transient", answer, err)
		}
	}
	for broken, want := range map[string]crm.Class{
		`[{"id":5,"datas":"c29t?SBieXRlcw=="}]`: crm.Refused,
		`[{"id":5,"datas":false}]`:              crm.Refused,
		`[{"id":5,"datas":""}]`:                 crm.Refused,
		`<html>`:                                crm.Transient,
		strings.Repeat("[", 3<<20):              crm.Transient,
	} {
		answer = broken
		if _, err := read(); asError(t, err).Class != want {
			t.Errorf("%.40s: %v", broken, err)
		}
	}
}

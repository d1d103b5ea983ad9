package handler

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/send"
)

// OpenFile gives out what a test put into the fake CRM.
func (f *fake) OpenFile(ctx context.Context, ref string) (content io.ReadCloser, err error) {
	return content, f.op(ctx, "open", func() error {
		text, ok := f.files[crm.FileRef(ref)]
		if !ok {
			return fmt.Errorf("open file: %w", crm.ErrGone)
		}
		content = io.NopCloser(strings.NewReader(text))
		return nil
	})
}

// pdf is a file that is there.
func (r *rig) pdf(name string) crm.RequestFile { return r.attached(name, "application/pdf") }

func (r *rig) attached(name, mime string) crm.RequestFile {
	content := "the bytes of " + name
	r.crm.files[crm.FileRef(name)] = content
	return crm.RequestFile{Ref: name, Name: name, MIME: mime, Size: int64(len(content))}
}

// asking is a rig with a customer on record, and the API.
func asking(t *testing.T) (*rig, *outbox, crm.ContactRef) {
	r := newRig(t)
	api := r.api()
	hello := r.text("wamid.1", "hello")
	r.mustSync(hello)
	return r, api, r.entry(hello).on
}

// became gives a part of a request, the first is 1, a status and handles it.
func (r *rig) became(q crm.Request, n int, status chat.Status, p *chat.Problem) {
	r.Helper()
	m, err := r.store.Lookup(r.Context(), parts("fake", q)[n-1].id)
	if err != nil {
		r.Fatal(err)
	}
	r.change(m, func(m *chat.Message) {
		if status.AtMeta() {
			m.ProviderID = fmt.Sprint("wamid.ours.", n)
		}
		m.Reach(status, r.now, p)
	})
	r.mustSync(m)
}

// TestParts proves what becomes of a text and files, and that a key depends on the place alone.
func TestParts(t *testing.T) {
	photo, sound := crm.RequestFile{MIME: "image/png"}, crm.RequestFile{MIME: "audio/mpeg"}
	pdf, other := crm.RequestFile{MIME: "application/pdf"}, crm.RequestFile{MIME: "image/tiff"}
	long := strings.Repeat("ñ", 1025)
	for name, row := range map[string]struct {
		q    crm.Request
		want []string // type, caption or text
	}{
		"a text":               {crm.Request{Text: "hi"}, []string{"text hi"}},
		"a file":               {crm.Request{Files: []crm.RequestFile{pdf}}, []string{"document "}},
		"a photo with a text":  {crm.Request{Text: "hi", Files: []crm.RequestFile{photo}}, []string{"image hi"}},
		"several":              {crm.Request{Text: "hi", Files: []crm.RequestFile{pdf, sound, photo}}, []string{"document hi", "audio ", "image "}},
		"a sound with a text":  {crm.Request{Text: "hi", Files: []crm.RequestFile{sound, pdf}}, []string{"text hi", "audio ", "document "}},
		"a text of a caption":  {crm.Request{Text: long[2:], Files: []crm.RequestFile{pdf}}, []string{"document " + long[2:]}},
		"a text too long":      {crm.Request{Text: long, Files: []crm.RequestFile{pdf}}, []string{"text " + long, "document "}},
		"a type that isn't":    {crm.Request{Text: "hi", Files: []crm.RequestFile{other}}, []string{"document hi"}},
		"a template and files": {crm.Request{Template: []byte(`{}`), Files: []crm.RequestFile{pdf}}, []string{"text ", "document "}},
	} {
		row.q.ID = "7"
		var got []string
		for i, p := range parts("fake", row.q) {
			if want := "crm/fake/7" + []string{"", "/2", "/3"}[i]; p.out.Key != want || p.id != send.KeyedID("api", want) {
				t.Errorf("%s: part %d has the key %s", name, i, p.out.Key)
			}
			if p.file == nil {
				got = append(got, "text "+p.out.Text)
				continue
			}
			got = append(got, p.out.Media.Type+" "+p.out.Media.Caption)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// TestFilesOfARequest proves that each file is one message, however often it is told, that none makes an entry, and that
// the CRM is told once that all are sent.
func TestFilesOfARequest(t *testing.T) {
	r, api, on := asking(t)
	q := crm.Request{ID: "7", Contact: on, Text: "the offer", At: noon, Entry: "note-7", Files: []crm.RequestFile{r.pdf("offer.pdf"), r.attached("plan.png", "image/png")}}
	for range 3 {
		if err := r.deliver(q); err != nil {
			t.Fatal(err)
		}
	}
	who := fmt.Sprintf(`{"contact":%q}`, must(r.store.Owner(t.Context(), "fake", string(on)))(t))
	want := []string{"crm/fake/7 " + who + " document offer.pdf application/pdf the bytes of offer.pdf the offer", "crm/fake/7/2 " + who + " image plan.png image/png the bytes of plan.png "}
	if !slices.Equal(api.asked, want) {
		t.Errorf("asked %q, want %q", api.asked, want)
	}
	r.became(q, 1, chat.Accepted, nil)
	if r.crm.reports != nil {
		t.Errorf("half of it is sent: %q", r.crm.reports)
	}
	r.became(q, 2, chat.Accepted, nil)
	r.became(q, 2, chat.Delivered, nil)
	if !slices.Equal(r.crm.reports, []string{"7: "}) || len(r.crm.entries) != 1 {
		t.Errorf("%d entries, reports %q", len(r.crm.entries), r.crm.reports)
	}
	r.became(q, 1, chat.Failed, &chat.Problem{Code: 131053, Reason: "media upload error"})
	if want := []string{"7: ", "7: offer.pdf: Not delivered: media upload error."}; !slices.Equal(r.crm.reports, want) {
		t.Errorf("reports %q, want %q", r.crm.reports, want)
	}
}

// TestWhatIsChangedAfterwards proves that a request which is edited between two looks isn't sent again in other pieces.
func TestWhatIsChangedAfterwards(t *testing.T) {
	r, api, on := asking(t)
	a, b := r.pdf("a.pdf"), r.pdf("b.pdf")
	first := crm.Request{ID: "7", Contact: on, Text: "two", Files: []crm.RequestFile{a, b}}
	for _, q := range []crm.Request{
		first,
		{ID: "7", Contact: on, Text: strings.Repeat("long", 500), Files: []crm.RequestFile{a, b}},
		{ID: "7", Contact: on, Text: "one", Files: []crm.RequestFile{b}},
		first,
	} {
		if err := r.deliver(q); err != nil {
			t.Fatal(err)
		}
	}
	if len(api.asked) != 2 || r.crm.reports != nil {
		t.Errorf("asked %q, reports %q", api.asked, r.crm.reports)
	}
	api.conflict = true
	if err := r.deliver(crm.Request{ID: "7", Contact: on, Text: "no files any more"}); err != nil || r.crm.reports != nil {
		t.Errorf("%v, reports %q: what was asked for first is on its way", err, r.crm.reports)
	}
}

// TestAFileThatIsNotSent proves that the record says which one and why, in the API's words, that the text and the other
// files go out, and that a repetition changes nothing.
func TestAFileThatIsNotSent(t *testing.T) {
	r, api, on := asking(t)
	api.takesNo = "application/zip"
	gone := r.pdf("gone.pdf")
	delete(r.crm.files, "gone.pdf")
	short := r.pdf("short.pdf")
	short.Size++
	q := crm.Request{ID: "7", Contact: on, Text: "all of it", Entry: "note-7", Files: []crm.RequestFile{
		r.attached("all.zip", "application/zip"), gone, {Ref: "x", Name: "forbidden.pdf"}, short, r.pdf("good.pdf"),
	}}
	want := "7: " + strings.Join([]string{
		"all.zip: Not sent: mime: no files of this type",
		"gone.pdf: Not sent: the file can't be read in the CRM.",
		"forbidden.pdf: Not sent: the file can't be read in the CRM.",
		"short.pdf: Not sent: the file can't be read in the CRM.",
	}, "\n")
	for range 2 {
		if err := r.deliver(q); err != nil {
			t.Fatal(err)
		}
	}
	if len(api.asked) != 2 || !strings.HasSuffix(api.asked[0], " all of it") || strings.Contains(api.asked[0], "all.zip") || !strings.Contains(api.asked[1], "good.pdf") {
		t.Errorf("asked %q, want the text and the good file", api.asked)
	}
	r.became(q, 1, chat.Accepted, nil)
	r.became(q, 5, chat.Accepted, nil)
	if len(r.crm.reports) == 0 || r.crm.reports[0] != want || len(slices.Compact(r.crm.reports)) != 1 {
		t.Errorf("reports %q, want %q", r.crm.reports, want)
	}
	r.became(q, 5, chat.Failed, &chat.Problem{Reason: "too late"})
	want += "\ngood.pdf: Not delivered: too late."
	if err := r.deliver(q); err != nil {
		t.Fatal(err)
	}
	if got := r.crm.reports[len(r.crm.reports)-1]; got != want || len(api.asked) != 2 {
		t.Errorf("after one more failed and a repetition: %q, want %q", got, want)
	}
}

// TestAFileForWhichTheCRMIsDown proves that it is tried again, and nothing that went out before.
func TestAFileForWhichTheCRMIsDown(t *testing.T) {
	r, api, on := asking(t)
	q := crm.Request{ID: "7", Contact: on, Text: "listen", Files: []crm.RequestFile{r.attached("note.mp3", "audio/mpeg")}}
	r.crm.fail = once("open", &crm.Error{Class: crm.Transient, Op: "open file", Status: 502})
	if err := r.deliver(q); err == nil {
		t.Fatal("done without the file")
	}
	r.crm.fail = once("open", &crm.Error{Class: crm.Stopped, Op: "open file", Status: 401})
	if err := r.deliver(q); err == nil {
		t.Fatal("done without the file")
	}
	if err := r.deliver(q); err != nil {
		t.Fatal(err)
	}
	texts := slices.DeleteFunc(slices.Clone(api.asked), func(s string) bool { return strings.Contains(s, "note.mp3") })
	if len(slices.Compact(texts)) != 1 || len(api.asked) != len(texts)+1 || r.crm.reports != nil {
		t.Errorf("asked %q, reports %q", api.asked, r.crm.reports)
	}
}

// TestAFileThatTheCRMHasLost proves that one which always ends in an error is given up after a day, and holds up nothing
// for ever.
func TestAFileThatTheCRMHasLost(t *testing.T) {
	r, api, on := asking(t)
	q := crm.Request{ID: "7", Contact: on, At: r.now, Files: []crm.RequestFile{r.pdf("a.pdf")}}
	r.crm.fail = always("open", &crm.Error{Class: crm.Transient, Op: "open file", Status: 500})
	r.now = r.now.Add(lostAfter)
	if err := r.deliver(q); err == nil || r.crm.reports != nil {
		t.Fatalf("after a day: %v, reports %q", err, r.crm.reports)
	}
	r.now = r.now.Add(time.Minute)
	if err := r.deliver(q); err != nil || len(api.asked) != 0 || !slices.Equal(r.crm.reports, []string{"7: a.pdf: Not sent: the file can't be read in the CRM."}) {
		t.Errorf("%v, asked %q, reports %q", err, api.asked, r.crm.reports)
	}
}

// TestAskedTwiceAtOnce proves that of two uploads for one message the first counts, and no problem is told.
func TestAskedTwiceAtOnce(t *testing.T) {
	r, api, on := asking(t)
	q := crm.Request{ID: "7", Contact: on, Files: []crm.RequestFile{r.pdf("a.pdf")}}
	api.meanwhile = func() {
		api.meanwhile = nil
		if err := r.deliver(q); err != nil {
			t.Fatal(err)
		}
		api.conflict = true
	}
	if err := r.deliver(q); err != nil || r.crm.reports != nil {
		t.Errorf("%v, reports %q", err, r.crm.reports)
	}
	if err := r.deliver(q); err != nil || len(slices.Compact(api.asked)) != 1 {
		t.Errorf("%v, asked %q", err, api.asked)
	}
}

// TestNoOpener proves that files of a CRM that gives none out are told of.
func TestNoOpener(t *testing.T) {
	r, _, on := asking(t)
	r.h.Connectors["fake"] = struct {
		crm.Connector
		crm.Reporter
	}{r.crm, r.crm}
	if err := r.deliver(crm.Request{ID: "7", Contact: on, Files: []crm.RequestFile{r.pdf("a.pdf")}}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.crm.reports, []string{"7: a.pdf: Not sent: the file can't be read in the CRM."}) {
		t.Errorf("reports %q", r.crm.reports)
	}
}

func TestNameOfAFile(t *testing.T) {
	for given, want := range map[string]string{
		"offer.pdf":                          "offer.pdf",
		"../a/b:offer.pdf":                   "aboffer.pdf",
		"":                                   "file.pdf",
		strings.Repeat("見", 100) + ".pdf":    strings.Repeat("見", 78) + ".pdf",
		strings.Repeat("a", 300) + ".tar.gz": strings.Repeat("a", 117) + ".gz",
	} {
		p := part{file: &crm.RequestFile{Name: given, MIME: "application/pdf"}}
		if got := p.name(); got != want {
			t.Errorf("%.20q is called %q, want %q", given, got, want)
		}
	}
}

// must returns a value without error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

package crmtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

func testIdempotency(t *testing.T, f Fixture) {
	ready(t, f)
	photo := []byte("not really a photo")
	notes := scenario{}
	for i := range 3 {
		if i == 2 {
			f.Advance(24 * time.Hour)
		}
		c := provisioned(t, f.Connect(nil))
		for done := false; !done; {
			var err error
			if done, err = notes.step(t.Context(), f, c, photo); err != nil {
				t.Fatal(err)
			}
		}
		notes.forget()
		f.Advance(c.Capabilities().SearchLag)
	}
	checkScenario(t, f, photo)
}

// stamp is how a connector says a time in words.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }

// dated tells whether an entry shows when the message was written.
func (f Fixture) dated(e Entry, at time.Time) bool {
	return e.At.Truncate(time.Second).Equal(at) || f.TimeInText && strings.Contains(e.Text, stamp(at))
}

func testBackDated(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := f.contact(t, c, f.person())
	order := []string{"second", "first", "third"}
	hours := map[string]time.Duration{"first": 0, "second": time.Hour, "third": 2 * time.Hour}
	if c.Capabilities().InsertionOrder {
		slices.Sort(order[:2])
	}
	for _, name := range order {
		e := f.entry("m"+name, name)
		e.At = noon.Add(hours[name] + 123*time.Millisecond)
		e.Messages[0].At = e.At
		if name == "third" {
			e.Messages[0].Direction, e.Messages[0].Author = chat.Out, "Support"
		}
		message(t, c, owner, e)
	}
	entries := f.CRM.Entries(string(owner))
	if len(entries) != 3 {
		t.Fatalf("%d entries, want 3", len(entries))
	}
	for i, want := range []string{"first", "second", "third"} {
		if !strings.Contains(entries[i].Text, want) || !f.dated(entries[i], noon.Add(hours[want])) {
			t.Errorf("entry %d: %q at %s, want %q at %s", i, entries[i].Text, entries[i].At, want, noon.Add(hours[want]))
		}
	}
	if in, out := entries[0].Text, entries[2].Text; !strings.Contains(in, "María") || !strings.Contains(out, "Support") {
		t.Errorf("%q and %q don't say who wrote them", in, out)
	} else if strings.ReplaceAll(in, "María", "") == strings.ReplaceAll(strings.ReplaceAll(out, "Support", ""), "third", "first") {
		t.Errorf("%q and %q don't show their direction", in, out)
	}
}

// testBundle proves that several messages in one entry keep their order, their writers and their files.
func testBundle(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := f.contact(t, c, f.person())
	e := f.entry("b", "first words")
	ref := message(t, c, owner, e)
	photos := [][]byte{[]byte("one"), []byte("two")}
	var files []crm.FileRef
	for i, text := range []string{"second words", "third words"} {
		next := e.Messages[0]
		next.ID, next.At, next.Text = next.ID+chat.MessageID(text[:1]), next.At.Add(time.Duration(i+1)*time.Minute), text
		if i == 1 {
			next.Direction, next.Author = chat.Out, "Support"
		}
		e.Messages = append(e.Messages, next)
		files = append(files, upload(t, c, owner, ref, f.file(text, photos[i])))
		update(t, c, owner, ref, e, files...)
		update(t, c, owner, ref, e, files...)
	}
	var all string
	for _, got := range f.CRM.Entries(string(owner)) {
		all += got.Text
	}
	at := -1
	for _, want := range []string{"María", "first words", "second words", "Support", "third words"} {
		i := strings.Index(all, want)
		if i < at || strings.Count(all, want) == 0 || strings.HasSuffix(want, "words") && strings.Count(all, want) != 1 {
			t.Errorf("%q is missing, repeated or out of order in %q", want, all)
		}
		at = max(at, i)
	}
	if got := attached(f, string(owner)); len(got) != 2 {
		t.Errorf("%d files, want 2", len(got))
	}
}

func testEscaping(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := f.contact(t, c, f.person())
	text := "a < b & c > d <script>alert(1)</script> <img src=x onerror=alert(2)>\nsecond line &amp; \"quotes\" *star* _line_ 🙂"
	e := f.entry("m1", text)
	m := &e.Messages[0]
	m.Author, m.Note = "<b>Bold</b>", "photo <is> arriving"
	message(t, c, owner, e)
	got := f.CRM.Entries(string(owner))[0]
	for _, want := range []string{text, m.Author, m.Note} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("shown as %q, want it to contain %q", got.Text, want)
		}
	}
	for _, tag := range []string{"<script", "<img", "<b>"} {
		if strings.Contains(got.HTML, tag) {
			t.Errorf("the HTML has the customer's %s in it", tag)
		}
	}
}

// testLongText proves that a long text is kept whole, and that what no limit allows is shortened and not refused.
func testLongText(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := f.contact(t, c, f.person())
	if f.MaxText == 0 {
		f.MaxText = 60 << 10
	}
	long := strings.Repeat(strings.Repeat("0123456789", 10)+"\n", f.MaxText/101)
	message(t, c, owner, f.entry("m1", long))
	message(t, c, owner, f.entry("m2", strings.Repeat("<&>🙂", 1<<20/7)))
	entries := f.CRM.Entries(string(owner))
	if len(entries) != 2 {
		t.Fatalf("%d entries, want 2", len(entries))
	}
	whole := slices.ContainsFunc(entries, func(e Entry) bool { return strings.Contains(e.Text, strings.TrimSpace(long)) })
	if !whole {
		t.Errorf("%d bytes of text were not kept whole", f.MaxText)
	}
}

func testFiles(t *testing.T, f Fixture) {
	c := ready(t, f)
	other := f.contact(t, c, crm.Person{Key: f.key(1), Name: "Somebody Else"})
	owner := f.contact(t, c, f.person())
	message(t, c, other, f.entry("m0", "somebody else"))
	ref := message(t, c, owner, f.entry("m1", "look"))
	one, two := []byte("one"), []byte("the second file")
	uploads := []crm.FileRef{upload(t, c, owner, ref, f.file("f1", one)), upload(t, c, owner, ref, f.file("f2", two))}
	update(t, c, owner, ref, f.entry("m1", "look"), uploads...)

	if n := len(attached(f, string(other))); n != 0 {
		t.Errorf("%d files on somebody else's record", n)
	}
	var sums [][32]byte
	for _, got := range attached(f, string(owner)) {
		sums = append(sums, got.SHA256)
		if !got.Private {
			t.Error("a file is public")
		}
	}
	for _, content := range [][]byte{one, two} {
		if !slices.Contains(sums, sha256.Sum256(content)) {
			t.Errorf("%q is not attached, or with other bytes", content)
		}
	}
	if len(sums) != 2 {
		t.Errorf("%d files attached, want 2", len(sums))
	}
}

// testBigFile proves that a file passes through without being held: what is allocated meanwhile, in the connector and
// in the CRM together, is a fraction of it.
func testBigFile(t *testing.T, f Fixture) {
	const size, most = 25 << 20, 12 << 20
	c := ready(t, f)
	owner := f.contact(t, c, f.person())
	ref := message(t, c, owner, f.entry("m1", "the contract"))
	big := f.file("f1", nil)
	big.Name, big.MIME, big.Size, big.SHA256 = "contract.pdf", "application/pdf", size, ""
	big.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(Bytes(size)), nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	put := upload(t, c, owner, ref, big)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Errorf("%d MiB allocated for a file of %d MiB, want %d at most", used>>20, size>>20, most>>20)
	}
	update(t, c, owner, ref, f.entry("m1", "the contract"), put)
	files := attached(f, string(owner))
	if len(files) != 1 || files[0].Size != size || !files[0].Private {
		t.Fatalf("attached %+v, want one private file of %d bytes", files, size)
	}
	hash := sha256.New()
	_, _ = io.Copy(hash, Bytes(size)) // neither side can fail
	if [32]byte(hash.Sum(nil)) != files[0].SHA256 {
		t.Error("the bytes differ")
	}
}

// testCompletedLater proves what the CRM user sees while a photo is on its way, and afterwards.
func testCompletedLater(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := f.contact(t, c, f.person())
	arriving := f.entry("m1", "look at this")
	arriving.Messages[0].Note = "photo is arriving"
	ref := message(t, c, owner, arriving)
	if got := f.CRM.Entries(string(owner))[0]; !strings.Contains(got.Text, "photo is arriving") {
		t.Errorf("%q doesn't say that the photo is arriving", got.Text)
	}
	f.Advance(time.Hour)
	c = provisioned(t, f.Connect(nil))
	photo := []byte("photo")
	update(t, c, owner, ref, f.entry("m1", "look at this"), upload(t, c, owner, ref, f.file("f1", photo)))
	entries := f.CRM.Entries(string(owner))
	for _, got := range entries {
		if strings.Contains(got.Text, "photo is arriving") {
			t.Errorf("%q still says that the photo is arriving", got.Text)
		}
		if !f.dated(got, noon) {
			t.Errorf("entry at %s, want the message's time %s", got.At, noon)
		}
	}
	if files := attached(f, string(owner)); len(files) != 1 || files[0].SHA256 != sha256.Sum256(photo) {
		t.Errorf("attached %+v, want the photo", files)
	}
	// An entry that is gone says so, and nothing is made in its place.
	if err := c.UpdateMessage(t.Context(), owner, ref+"0", f.entry("m9", "?"), nil); !errors.Is(err, crm.ErrGone) {
		t.Errorf("update an entry that doesn't exist: %v, want ErrGone", err)
	}
}

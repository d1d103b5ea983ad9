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
	for i := range 3 {
		if i == 2 {
			f.Advance(24 * time.Hour)
		}
		c := f.Connect(nil)
		if err := c.Provision(t.Context()); err != nil {
			t.Fatalf("provision: %v", err)
		}
		owner := ensureContact(t, c, person())
		ref := ensureEntry(t, c, owner, entry("m1", "hello"))
		if again := ensureEntry(t, c, owner, entry("m1", "hello")); again != ref {
			t.Errorf("the same entry is %q and %q", ref, again)
		}
		upload := ensureFile(t, c, file("f1", photo))
		if again := ensureFile(t, c, file("f1", photo)); again != upload {
			t.Errorf("the same file is %q and %q", upload, again)
		}
		complete(t, c, owner, ref, entry("m1", "hello"), upload)
		complete(t, c, owner, ref, entry("m1", "hello"), upload)
		f.Advance(f.Settle)
	}
	checkScenario(t, f, photo)
}

func testBackDated(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := ensureContact(t, c, person())
	for i, name := range []string{"second", "first", "third"} {
		e := entry("m"+name, name)
		e.At = noon.Add(time.Duration([]int{1, 0, 2}[i])*time.Hour + 123*time.Millisecond)
		if name == "third" {
			e.Direction, e.Author = chat.Out, "Support"
		}
		ensureEntry(t, c, owner, e)
	}
	entries := f.CRM.Entries(string(owner))
	if len(entries) != 3 {
		t.Fatalf("%d entries, want 3", len(entries))
	}
	for i, want := range []string{"first", "second", "third"} {
		at := noon.Add(time.Duration(i) * time.Hour)
		if !strings.Contains(entries[i].Text, want) || !entries[i].At.Truncate(time.Second).Equal(at) {
			t.Errorf("entry %d: %q at %s, want %q at %s", i, entries[i].Text, entries[i].At, want, at)
		}
	}
	if in, out := entries[0].Text, entries[2].Text; !strings.Contains(in, "María") || !strings.Contains(out, "Support") {
		t.Errorf("%q and %q don't say who wrote them", in, out)
	} else if strings.ReplaceAll(in, "María", "") == strings.ReplaceAll(strings.ReplaceAll(out, "Support", ""), "third", "first") {
		t.Errorf("%q and %q don't show their direction", in, out)
	}
}

func testEscaping(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := ensureContact(t, c, person())
	text := "a < b & c > d <script>alert(1)</script> <img src=x onerror=alert(2)>\nsecond line &amp; \"quotes\" 🙂"
	e := entry("m1", text)
	e.Author, e.Note = "<b>Bold</b>", "photo <is> arriving"
	ensureEntry(t, c, owner, e)
	got := f.CRM.Entries(string(owner))[0]
	for _, want := range []string{text, e.Author, e.Note} {
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

// testLongText proves that 60 KB are kept whole, and that what no limit allows is shortened and not refused.
func testLongText(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := ensureContact(t, c, person())
	long := strings.Repeat(strings.Repeat("0123456789", 10)+"\n", 60<<10/101)
	ensureEntry(t, c, owner, entry("m1", long))
	ensureEntry(t, c, owner, entry("m2", strings.Repeat("<&>🙂", 1<<20/7)))
	entries := f.CRM.Entries(string(owner))
	if len(entries) != 2 {
		t.Fatalf("%d entries, want 2", len(entries))
	}
	whole := slices.ContainsFunc(entries, func(e Entry) bool { return strings.Contains(e.Text, strings.TrimSpace(long)) })
	if !whole {
		t.Error("60 KB of text were not kept whole")
	}
}

func testFiles(t *testing.T, f Fixture) {
	c := ready(t, f)
	stranger := person()
	stranger.Key, stranger.Phone = "01JCONTACT0000000000000002", "34600999888"
	other := ensureContact(t, c, stranger)
	owner := ensureContact(t, c, person())
	ensureEntry(t, c, other, entry("m0", "somebody else"))
	ref := ensureEntry(t, c, owner, entry("m1", "look"))
	one, two := []byte("one"), []byte("the second file")
	uploads := []crm.FileRef{ensureFile(t, c, file("f1", one)), ensureFile(t, c, file("f2", two))}
	complete(t, c, owner, ref, entry("m1", "look"), uploads...)

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

// pattern is an endless reader that allocates nothing.
type pattern struct{ n byte }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = p.n
		p.n++
	}
	return len(b), nil
}

// testBigFile proves that a file passes through without being held: what is allocated meanwhile, in the connector and
// in the CRM together, is a fraction of it.
func testBigFile(t *testing.T, f Fixture) {
	const size, most = 25 << 20, 12 << 20
	c := ready(t, f)
	owner := ensureContact(t, c, person())
	ref := ensureEntry(t, c, owner, entry("m1", "the contract"))
	big := file("f1", nil)
	big.Name, big.MIME, big.Size = "contract.pdf", "application/pdf", size
	big.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(&pattern{}, size)), nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	upload := ensureFile(t, c, big)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Errorf("%d MiB allocated for a file of %d MiB, want %d at most", used>>20, size>>20, most>>20)
	}
	complete(t, c, owner, ref, entry("m1", "the contract"), upload)
	files := attached(f, string(owner))
	if len(files) != 1 || files[0].Size != size || !files[0].Private {
		t.Fatalf("attached %+v, want one private file of %d bytes", files, size)
	}
	hash := sha256.New()
	_, _ = io.Copy(hash, io.LimitReader(&pattern{}, size)) // neither side can fail
	if [32]byte(hash.Sum(nil)) != files[0].SHA256 {
		t.Error("the bytes differ")
	}
}

// testCompletedLater proves what the CRM user sees while a photo is on its way, and afterwards.
func testCompletedLater(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := ensureContact(t, c, person())
	arriving := entry("m1", "look at this")
	arriving.Note = "photo is arriving"
	ref := ensureEntry(t, c, owner, arriving)
	if got := f.CRM.Entries(string(owner))[0]; !strings.Contains(got.Text, arriving.Note) {
		t.Errorf("%q doesn't say that the photo is arriving", got.Text)
	}
	f.Advance(time.Hour)
	c = f.Connect(nil)
	if err := c.Provision(t.Context()); err != nil {
		t.Fatalf("provision: %v", err)
	}
	photo := []byte("photo")
	complete(t, c, owner, ref, entry("m1", "look at this"), ensureFile(t, c, file("f1", photo)))
	entries := f.CRM.Entries(string(owner))
	for _, got := range entries {
		if strings.Contains(got.Text, arriving.Note) {
			t.Errorf("%q still says that the photo is arriving", got.Text)
		}
		if !got.At.Equal(noon) {
			t.Errorf("entry at %s, want the message's time %s", got.At, noon)
		}
	}
	if files := attached(f, string(owner)); len(files) != 1 || files[0].SHA256 != sha256.Sum256(photo) {
		t.Errorf("attached %+v, want the photo", files)
	}
	// An entry that is gone says so, and nothing is made in its place.
	if err := c.Complete(t.Context(), owner, ref+"0", entry("m9", "?"), nil); !errors.Is(err, crm.ErrGone) {
		t.Errorf("complete an entry that doesn't exist: %v, want ErrGone", err)
	}
}

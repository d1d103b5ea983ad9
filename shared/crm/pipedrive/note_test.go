package pipedrive_test

import (
	"errors"
	"strings"
	"testing"

	"threadline/shared/crm"
	"threadline/shared/crm/pipedrive"
)

// put writes the first message down.
func (a *account) put(c *pipedrive.Connector, on crm.ContactRef) crm.EntryRef {
	a.t.Helper()
	ref, err := c.PutMessage(a.t.Context(), on, hello(), nil)
	if err != nil {
		a.t.Fatal(err)
	}
	return ref
}

// TestMarks proves that everything by which a thing is found again survives a sanitiser that leaves nothing but text and
// the simplest tags, and that the note says what its file is called.
func TestMarks(t *testing.T) {
	a, c, on := acquainted(t)
	ref := a.put(c, on)
	const name = `cañón "nº 1" <b>.jpg`
	file, err := c.PutFile(t.Context(), on, ref, photo(name))
	if err != nil {
		t.Fatal(err)
	}
	if len(file) > 512 || strings.ContainsFunc(string(file), func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("ref %q", file)
	}
	if err := c.UpdateMessage(t.Context(), on, ref, hello(), []crm.FileRef{file}); err != nil {
		t.Fatal(err)
	}
	entries := a.sim.Timeline(string(on))
	if len(entries) != 1 || len(entries[0].Files) != 1 || !strings.HasPrefix(entries[0].Files[0].Name, `cañón 'nº 1' <b>-tl`) {
		t.Errorf("the timeline is %+v, want a note that names its file", entries)
	}
	if !strings.Contains(entries[0].HTML, "<p>Ref. tl") || strings.Contains(entries[0].HTML, "<b>") {
		t.Errorf("the note is %s", entries[0].HTML)
	}
	again, ok, err := c.FindFile(t.Context(), on, ref, photo(name))
	if err != nil || !ok || again != file {
		t.Errorf("found %q, %v, %v; want %q", again, ok, err, file)
	}
}

// TestLongName proves that no name makes a ref too long.
func TestLongName(t *testing.T) {
	_, c, on := acquainted(t)
	for _, name := range []string{strings.Repeat("ñ", 200) + ".pdf", strings.Repeat("🙂", 60), "", ".jpg"} {
		file, err := c.PutFile(t.Context(), on, "", photo(name))
		if err != nil || len(file) > 512 {
			t.Errorf("%q: ref of %d bytes, %v", name, len(file), err)
		}
	}
}

// TestDeletedNote proves that a note which a user deleted isn't made again.
func TestDeletedNote(t *testing.T) {
	a, c, on := acquainted(t)
	ref := a.put(c, on)
	if err := a.sim.DeleteNote(string(ref)); err != nil {
		t.Fatal(err)
	}
	if err := c.UpdateMessage(t.Context(), on, ref, hello(), nil); !errors.Is(err, crm.ErrGone) {
		t.Errorf("update: %v, want ErrGone", err)
	}
	if _, ok, err := c.FindMessage(t.Context(), on, hello()); ok || err != nil {
		t.Errorf("found %v, %v", ok, err)
	}
}

// TestManyNotes proves that a message is found among many of its day, and no more pages are read than there are.
func TestManyNotes(t *testing.T) {
	a, c, on := acquainted(t)
	first := a.put(c, on)
	for n := range 120 {
		e := hello()
		e.Key, e.At = strings.Repeat(string(rune('a'+n%26)), n+1), e.At.Add(1)
		if _, err := c.PutMessage(t.Context(), on, e, nil); err != nil {
			t.Fatal(err)
		}
	}
	calls, _ := a.spending(func() {
		if ref, ok, err := c.FindMessage(t.Context(), on, hello()); err != nil || !ok || ref != first {
			t.Errorf("found %q, %v, %v; want %q", ref, ok, err, first)
		}
	})
	if calls != 2 {
		t.Errorf("%d calls, want 2", calls)
	}
}

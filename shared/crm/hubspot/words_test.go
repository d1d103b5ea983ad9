package hubspot

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"threadline/shared/crm"
)

func TestSplitName(t *testing.T) {
	for _, row := range []struct{ name, username, first, last string }{
		{"María García López", "", "María", "García López"},
		{"  Li\u0000\n ", "", "Li", ""},
		{"", "maria.g", "maria.g", ""},
		{" ", "", nameless, ""},
	} {
		first, last := splitName(crm.Person{Name: row.name, Username: row.username})
		if first != row.first || last != row.last {
			t.Errorf("%q: %q and %q, want %q and %q", row.name, first, last, row.first, row.last)
		}
	}
}

// TestNamesStay proves that a name is added where ours stands for one, and that what people typed stays.
func TestNamesStay(t *testing.T) {
	ana := crm.Person{Key: "k1", Name: "Ana Silva", Username: "ana.s"}
	for _, row := range []struct {
		first, last string
		person      crm.Person
		want        string
	}{
		{nameless, "", ana, "Ana"},
		{"", "", ana, "Ana"},
		{"ana.s", "", ana, "Ana"},
		{"", "Silva", ana, ""},
		{"Doctor", "", ana, ""},
		{"Ana", "Silva", crm.Person{Key: "k1"}, ""},
		{"", "", crm.Person{Key: "k1"}, ""},
	} {
		o := object{Properties: map[string]*string{"firstname": &row.first, "lastname": &row.last}}
		if got := New(Config{}).lacks(o, row.person)["firstname"]; got != row.want {
			t.Errorf("%q %q: first name %q, want %q", row.first, row.last, got, row.want)
		}
	}
}

// TestMarker proves that the marker and the note's id fit into the limit with any text, and are read again.
func TestMarker(t *testing.T) {
	c := New(Config{})
	c.learn(communications, facts{mode: marked})
	e := crm.Entry{Key: "m1", Messages: []crm.Message{{Text: strings.Repeat("a & b", 70_000)}}}
	got := c.html(communications, e, "123")
	if n := len(utf16.Encode([]rune(got))); n > maxBody {
		t.Errorf("%d units, want %d at most", n, maxBody)
	}
	if note := noteOf(object{Properties: map[string]*string{communicationBody: &got}}, "m1"); note != "123" {
		t.Errorf("note %q, want 123", note)
	}
	if got = c.html(communications, e, ""); !strings.HasSuffix(got, marker("m1")+"</p>") {
		t.Error("the marker isn't last")
	}
}

func TestFileNames(t *testing.T) {
	for _, row := range []struct{ name, mime, want string }{
		{"Invoice 2026/11.PDF", "application/pdf", "Invoice-2026-11_k.pdf"},
		{"", "image/jpeg", "k.jpg"},
		{"фактура.xlsx", "", "k.xlsx"},
		{"a.b.c", "audio/ogg; codecs=opus", "a-b_k.c"},
		{"voice", "audio/ogg; codecs=opus", "voice_k.ogg"},
		{"evil.ht\"ml", "text/whatever", "evil_k.bin"},
	} {
		f := crm.File{Key: "k", Name: row.name, MIME: row.mime}
		if got := stemOf(f) + extensionOf(f); got != row.want {
			t.Errorf("%q: %q, want %q", row.name, got, row.want)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestLargestFile proves that a file of 100 MiB, the most that WhatsApp carries, is announced with its length and sent
// as it comes.
func TestLargestFile(t *testing.T) {
	const size = 100 << 20
	c, _ := answering(func(r *http.Request) (int, map[string]string, string) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != r.ContentLength || n < size || n > size+4096 {
			t.Errorf("%d bytes sent, %v, with a length of %d", n, err, r.ContentLength)
		}
		return 201, nil, `{"id":"1"}`
	})
	f := crm.File{Key: "f1", Name: "film.mp4", MIME: "video/mp4", Size: size, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, size)), nil
	}}
	used := testing.AllocsPerRun(1, func() {
		if _, err := c.PutFile(t.Context(), "", "", f); err != nil {
			t.Error(err)
		}
	})
	if used > 1000 {
		t.Errorf("%.0f allocations", used)
	}
}

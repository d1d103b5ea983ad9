package store

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

func upload(s *Store) File {
	id := s.NewFileID()
	return File{ID: id, Name: "menu.pdf", MIME: "application/pdf", SHA256: Hash([]byte("menu")), Key: "uploads/" + id, Size: 4}
}

func putFile(t *testing.T, s *Store, f File) {
	t.Helper()
	if err := s.PutFile(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func fileOf(t *testing.T, s *Store, id string) File {
	t.Helper()
	f, err := s.File(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFile(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		f := upload(s)
		if !strings.HasPrefix(f.ID, "f_") || len(f.ID) != 28 || f.ID == s.NewFileID() {
			t.Errorf("the id is %q", f.ID)
		}
		if _, err := s.File(t.Context(), f.ID); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("before it is there: %v", err)
		}
		putFile(t, s, f)
		if got := fileOf(t, s, f.ID); !reflect.DeepEqual(got, f) {
			t.Errorf("it came back as %+v", got)
		}
		at := Uploaded{ID: "123", Until: after(100)}
		if err := s.SetUploaded(t.Context(), f.ID, ourNumber, at); err != nil {
			t.Fatal(err)
		}
		putFile(t, s, f) // repeated
		if got := fileOf(t, s, f.ID).Media; !reflect.DeepEqual(got, map[chat.NumberID]Uploaded{ourNumber: at}) {
			t.Errorf("it is at %v", got)
		}
		other := f
		other.SHA256 = Hash([]byte("another menu"))
		if err := s.PutFile(t.Context(), other); chat.CodeOf(err) != chat.Conflict {
			t.Errorf("another file under the same id: %v", err)
		}
	})
}

func TestSetUploaded(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		f := upload(s)
		if err := s.SetUploaded(t.Context(), f.ID, ourNumber, Uploaded{ID: "1", Until: after(1)}); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("of no file: %v", err)
		}
		putFile(t, s, f)
		together(6, func(i int) { // three numbers, each twice
			n := chat.NumberID(rune('1' + i%3))
			persist(t, func() error {
				return s.SetUploaded(t.Context(), f.ID, n, Uploaded{ID: string(n) + string(rune('a'+i)), Until: after(i)})
			})
		})
		want := map[chat.NumberID]Uploaded{"1": {"1d", after(3)}, "2": {"2e", after(4)}, "3": {"3f", after(5)}}
		if got := fileOf(t, s, f.ID).Media; !reflect.DeepEqual(got, want) {
			t.Errorf("it is at %v, want %v", got, want)
		}
	})
}

func TestFileDespiteFaults(t *testing.T) {
	for _, f := range faults {
		for n := 1; ; n++ {
			mem := NewMemory()
			table := &faulty{API: mem, fault: f, n: n}
			s := newStore(table, "table")
			file := upload(s)
			persist(t, func() error { return s.PutFile(context.Background(), file) })
			persist(t, func() error {
				return s.SetUploaded(context.Background(), file.ID, ourNumber, Uploaded{ID: "1", Until: after(1)})
			})
			if got := fileOf(t, newStore(mem, "table"), file.ID); len(got.Media) != 1 || got.Key != file.Key {
				t.Errorf("%s at call %d: %+v", f.name, n, got)
			}
			if n > table.calls {
				break
			}
		}
	}
}

// A file is kept as long as messages are.
func TestFilesAreForgotten(t *testing.T) {
	for _, keep := range []time.Duration{retention, 0} {
		mem := NewMemory()
		s := newStore(mem, "table")
		s.Retention = keep
		f := upload(s)
		putFile(t, s, f)
		if err := s.SetUploaded(t.Context(), f.ID, ourNumber, Uploaded{ID: "1", Until: after(1)}); err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		if keep > 0 {
			want = noon.Add(time.Hour + keep).Unix()
		}
		if got := asInt(mem.Items()[[2]string{"FILE#" + f.ID, "FILE"}]["ttl"]); got != want {
			t.Errorf("kept for %v: ttl is %d, want %d", keep, got, want)
		}
	}
}

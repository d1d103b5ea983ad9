package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"threadline/infra/local/demo/demotest"
)

type change struct {
	Word string `json:"word"`
}

// open returns the journal of a folder, and the words that it held.
func open(t *testing.T, dir string) (*Journal[change], []string) {
	t.Helper()
	var words []string
	j, err := Open(dir, func(c change) { words = append(words, c.Word) })
	if err != nil {
		t.Fatal(err)
	}
	return j, words
}

// finish appends changes and closes the journal.
func finish(t *testing.T, j *Journal[change], changes ...change) {
	t.Helper()
	for _, c := range changes {
		if err := j.Append(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRestart proves that what was appended is there again in its order, and readable by its owner only.
func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "if missing")
	j, _ := open(t, dir)
	if _, err := j.PutFile("a", strings.NewReader("bytes")); err != nil {
		t.Fatal(err)
	}
	finish(t, j, change{"one"}, change{"two\n"})
	j, words := open(t, dir)
	finish(t, j, change{"three"})
	if want := []string{"one", "two\n"}; !slices.Equal(words, want) {
		t.Errorf("%q, want %q", words, want)
	}
	j, words = open(t, dir)
	finish(t, j)
	if want := []string{"one", "two\n", "three"}; !slices.Equal(words, want) {
		t.Errorf("%q, want %q", words, want)
	}
	demotest.Private(t, dir)
}

// TestCrash proves that a line cut short is dropped, and that what is appended later isn't lost for it.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	finish(t, j, change{"one"})
	name := filepath.Join(dir, "journal.jsonl")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(whole, `{"word":"a longer on`...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{{"one"}, {"one", "2"}} {
		j, words := open(t, dir)
		if !slices.Equal(words, want) {
			t.Errorf("%q, want %q", words, want)
		}
		finish(t, j, change{"2"})
	}
}

// TestForeignLine proves that a journal which can't be understood isn't begun anew.
func TestForeignLine(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "journal.jsonl")
	if err := os.WriteFile(name, []byte("{\"word\":\"one\"}\nnot ours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, func(change) {}); err == nil || !strings.Contains(err.Error(), "at byte 15") {
		t.Errorf("%v, want the place of what can't be read", err)
	}
	if left, err := os.ReadFile(name); err != nil || !strings.HasSuffix(string(left), "not ours\n") {
		t.Errorf("%q, %v, want it left alone", left, err)
	}
}

// TestFiles proves that bytes are kept as they came, once, whole or not at all, and inside of the folder.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	defer finish(t, j)
	if n, err := j.PutFile("a", strings.NewReader("bytes")); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := j.PutFile("a", strings.NewReader("others")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := j.PutFile("b", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("half")))); err == nil {
		t.Error("half a file was kept")
	}
	if _, err := j.PutFile("../c", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	var names []string
	kept, err := os.ReadDir(filepath.Join(dir, "files"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range kept {
		names = append(names, f.Name())
	}
	if !slices.Equal(names, []string{"a", "c"}) {
		t.Errorf("files %q", names)
	}
	f, err := j.OpenFile("a")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if got, err := io.ReadAll(f); string(got) != "bytes" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, name := range []string{"a", "c", "", "never was"} {
		j.RemoveFile(name)
	}
	if _, err := j.OpenFile("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want that it is gone", err)
	}
	if _, err := j.PutFile("a", strings.NewReader("again")); err != nil {
		t.Errorf("the folder went with its files: %v", err)
	}
}

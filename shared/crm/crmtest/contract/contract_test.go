package contract

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFolder proves that missing documents are noticed where everything must be tested, and nowhere else.
func TestFolder(t *testing.T) {
	root := t.TempDir()
	t.Setenv("THREADLINE_SHARED", root)
	t.Setenv("CI", "")
	if dir, err := Folder("vendor"); dir != "" || err != nil {
		t.Errorf("%q, %v, want none", dir, err)
	}
	t.Setenv("CI", "true")
	if dir, err := Folder("vendor"); dir != "" || err == nil {
		t.Errorf("%q, %v, want an error", dir, err)
	}
	want := filepath.Join(root, "specs", "vendor")
	if err := os.MkdirAll(want, 0o700); err != nil {
		t.Fatal(err)
	}
	if dir, err := Folder("vendor"); dir != want || err != nil {
		t.Errorf("%q, %v, want %s", dir, err, want)
	}
}

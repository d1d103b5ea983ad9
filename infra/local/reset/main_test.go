package main

import (
	"path/filepath"
	"testing"

	"threadline/infra/local/state"
)

func TestResetSaysWhatItDid(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".threadline")
	unlock, err := state.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := reset(dir); err == nil || said != "" {
		t.Errorf("under a run: %q %v, want an error and nothing else", said, err)
	}
	unlock()
	if said, err := reset(dir); said != dir+" is deleted" || err != nil {
		t.Errorf("of a state: %q %v", said, err)
	}
	if said, err := reset(dir); said != "there was nothing to delete: "+dir+" isn't there" || err != nil {
		t.Errorf("of none: %q %v", said, err)
	}
}

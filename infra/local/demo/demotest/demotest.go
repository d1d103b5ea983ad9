// Package demotest is what the tests of several simulated CRMs, and of their connectors, share.
package demotest

import (
	"io/fs"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"threadline/infra/local/demo"
	"threadline/shared/crm/crmtest"
)

// Serve puts a simulator behind a real listener and returns its address. A test that restarts one closes it itself.
func Serve(t *testing.T, s crmtest.Simulator) string {
	t.Helper()
	server := httptest.NewServer(s.API())
	t.Cleanup(func() {
		server.Close()
		_ = s.Close() // it may be closed already
	})
	return server.URL
}

// Private fails if anybody but the owner can read a folder, or what is in it.
func Private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Entries are what a contact's timeline shows, with the files read.
func Entries(t *testing.T, crm demo.CRM, contact string) []crmtest.Entry {
	t.Helper()
	var list []crmtest.Entry
	for _, e := range crm.Timeline(contact) {
		entry := crmtest.Entry{At: e.At, HTML: e.HTML, Text: crmtest.Shown(e.HTML)}
		for _, f := range e.Files {
			content, _, err := crm.Open(f.ID)
			if err != nil {
				t.Fatal(err)
			}
			entry.Files = append(entry.Files, crmtest.File{Private: f.Private, Size: f.Size, SHA256: crmtest.SumOf(t, content)})
		}
		list = append(list, entry)
	}
	return list
}

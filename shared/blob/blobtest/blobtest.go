// Package blobtest says, as tests, what every store of blobs does.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"
	"time"

	"threadline/shared/blob"
)

// Store is what is tested: blob.S3 or blob.Memory.
type Store interface {
	Put(ctx context.Context, key string, body io.Reader, size int64, opts blob.PutOptions) error
	Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error)
	Head(ctx context.Context, key string) (blob.Info, error)
}

// Run tests the store that newStore returns; it is called once per test and may return a store that holds other keys.
func Run(t *testing.T, newStore func(*testing.T) Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"PutThenGet", putThenGet},
		{"PutUndeclared", putUndeclared},
		{"PutEmpty", putEmpty},
		{"PutSeekable", putSeekable},
		{"PutReplaces", putReplaces},
		{"PutWrongHash", putWrongHash},
		{"PutWrongSize", putWrongSize},
		{"PutBrokenBody", putBrokenBody},
		{"PutRefused", putRefused},
		{"NotFound", notFound},
		{"ContextEnded", contextEnded},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newStore(t)) })
	}
}

// unseekable is a body as it comes from a network connection.
func unseekable(content []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(content)} }

func hash(content []byte) []byte {
	sum := sha256.Sum256(content)
	return sum[:]
}

func put(t *testing.T, s Store, key string, content []byte, opts blob.PutOptions) {
	t.Helper()
	if err := s.Put(t.Context(), key, unseekable(content), int64(len(content)), opts); err != nil {
		t.Fatal(err)
	}
}

func mustHold(t *testing.T, s Store, key string, content []byte, want blob.Info) {
	t.Helper()
	body, info, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes, %v; want the %d that were put", len(got), err, len(content))
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	head, err := s.Head(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if !head.Modified.Equal(info.Modified) || time.Since(info.Modified).Abs() > time.Hour {
		t.Errorf("modified %s by Get, %s by Head", info.Modified, head.Modified)
	}
	info.Modified, head.Modified = time.Time{}, time.Time{}
	if !reflect.DeepEqual(info, want) {
		t.Errorf("Get: %+v, want %+v", info, want)
	}
	if !reflect.DeepEqual(head, want) {
		t.Errorf("Head: %+v, want %+v", head, want)
	}
}

func putThenGet(t *testing.T, s Store) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	opts := blob.PutOptions{
		ContentType: "image/jpeg", SHA256: hash(content), Metadata: map[string]string{"name": "photo.jpg"},
	}
	const key = "media/conversation.one/2026-01/ñ photo+1"
	put(t, s, key, content, opts)
	mustHold(t, s, key, content, blob.Info{
		Size: int64(len(content)), ContentType: "image/jpeg", SHA256: opts.SHA256, Metadata: opts.Metadata,
	})
}

func putUndeclared(t *testing.T, s Store) {
	content := []byte(`{"any":"body"}`)
	put(t, s, "claim/one", content, blob.PutOptions{})
	mustHold(t, s, "claim/one", content, blob.Info{Size: int64(len(content)), ContentType: "application/octet-stream"})
}

func putEmpty(t *testing.T, s Store) {
	put(t, s, "empty", nil, blob.PutOptions{SHA256: hash(nil)})
	mustHold(t, s, "empty", []byte{}, blob.Info{ContentType: "application/octet-stream", SHA256: hash(nil)})
}

func putSeekable(t *testing.T, s Store) {
	body := bytes.NewReader([]byte("skipped, sent"))
	if _, err := body.Seek(9, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "seek", body, 4, blob.PutOptions{ContentType: "text/plain"}); err != nil {
		t.Fatal(err)
	}
	mustHold(t, s, "seek", []byte("sent"), blob.Info{Size: 4, ContentType: "text/plain"})
}

func putReplaces(t *testing.T, s Store) {
	put(t, s, "k", []byte("first"), blob.PutOptions{ContentType: "text/plain", Metadata: map[string]string{"a": "1"}})
	put(t, s, "k", []byte("second one"), blob.PutOptions{ContentType: "text/css"})
	mustHold(t, s, "k", []byte("second one"), blob.Info{Size: 10, ContentType: "text/css"})
}

func mustNotExist(t *testing.T, s Store, key string) {
	t.Helper()
	if _, err := s.Head(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Head: got %v, want ErrNotFound", err)
	}
}

func putWrongHash(t *testing.T, s Store) {
	content := []byte("what came")
	err := s.Put(t.Context(), "wrong", unseekable(content), int64(len(content)), blob.PutOptions{SHA256: hash([]byte("what was meant"))})
	if !errors.Is(err, blob.ErrChecksum) {
		t.Errorf("got %v, want ErrChecksum", err)
	}
	mustNotExist(t, s, "wrong")
}

func putWrongSize(t *testing.T, s Store) {
	for _, size := range []int64{0, 4, 6} {
		for kind, body := range map[string]io.Reader{
			"unseekable": unseekable([]byte("12345")), "seekable": bytes.NewReader([]byte("12345")),
			"byte by byte": iotest.OneByteReader(bytes.NewReader([]byte("12345"))),
		} {
			if err := s.Put(t.Context(), "size", body, size, blob.PutOptions{}); err == nil {
				t.Errorf("5 bytes declared as %d are no error (%s)", size, kind)
			}
			mustNotExist(t, s, "size")
		}
	}
}

func putBrokenBody(t *testing.T, s Store) {
	broken := errors.New("connection reset")
	body := io.MultiReader(bytes.NewReader(make([]byte, 1000)), failing{broken})
	err := s.Put(t.Context(), "broken", body, 2000, blob.PutOptions{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the body's own error", err)
	}
	mustNotExist(t, s, "broken")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func putRefused(t *testing.T, s Store) {
	body := []byte("x")
	if err := s.Put(t.Context(), "k", unseekable(body), -1, blob.PutOptions{}); err == nil {
		t.Error("an unknown size is no error")
	}
	if err := s.Put(t.Context(), "", unseekable(body), 1, blob.PutOptions{}); err == nil {
		t.Error("an empty key is no error")
	}
	if err := s.Put(t.Context(), "k", nil, 0, blob.PutOptions{}); err == nil {
		t.Error("no body is no error")
	}
	if err := s.Put(t.Context(), "k", unseekable(body), 1, blob.PutOptions{SHA256: []byte("short")}); err == nil {
		t.Error("half a hash is no error")
	}
}

func notFound(t *testing.T, s Store) {
	if _, _, err := s.Get(t.Context(), "nowhere"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get: got %v, want ErrNotFound", err)
	}
	mustNotExist(t, s, "nowhere")
}

func contextEnded(t *testing.T, s Store) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Put(ended, "late", unseekable([]byte("x")), 1, blob.PutOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Put: got %v, want context.Canceled", err)
	}
	mustNotExist(t, s, "late")
	if _, _, err := s.Get(ended, "late"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: got %v, want context.Canceled", err)
	}
}

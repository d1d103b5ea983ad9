package handler

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// bucket is the API's POST /api/v1/media and the bucket behind it.
type bucket struct {
	*testing.T
	url      string
	refuse   string // the API's answer
	status   int    // of the bucket
	uploaded chan string
}

func newBucket(t *testing.T) *bucket {
	b := &bucket{T: t, status: http.StatusOK, uploaded: make(chan string, 1)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /api/v1/media":
			b.announce(w, r)
		case "PUT /files/17":
			b.take(w, r)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	t.Cleanup(web.Close)
	b.url = web.URL
	return b
}

func (b *bucket) announce(w http.ResponseWriter, r *http.Request) {
	var f struct {
		Name, MIME string
		Size       int64
	}
	if err := json.NewDecoder(r.Body).Decode(&f); err != nil || f.Name != "a.pdf" || f.MIME != "application/pdf" {
		b.Errorf("announced %+v, %v", f, err)
	}
	if r.Header.Get("Authorization") != "Bearer the key" || r.Header.Get("Idempotency-Key") != "" {
		b.Errorf("announced with %v", r.Header)
	}
	if b.refuse != "" {
		http.Error(w, b.refuse, http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":"u_17","method":"PUT","url":"%s/files/17?X-Amz-Signature=secret","headers":{"Content-Length":"%d","Content-Type":"application/pdf"}}`, b.url, f.Size)
}

func (b *bucket) take(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.Header.Get("Content-Type") != "application/pdf" || len(r.TransferEncoding) > 0 {
		b.Errorf("uploaded with %v %v", r.Header, r.TransferEncoding)
	}
	hash := sha256.New()
	n, err := io.Copy(hash, r.Body)
	if err == nil && n == r.ContentLength {
		select {
		case b.uploaded <- fmt.Sprintf("%x", hash.Sum(nil)):
		default:
		}
	}
	w.WriteHeader(b.status)
}

func (b *bucket) upload(size int64, content io.Reader) (id, problem string, err error) {
	api := &REST{URL: b.url, Key: func(context.Context) (string, error) { return "the key", nil }}
	return api.Upload(b.Context(), crm.RequestFile{Name: "a.pdf", MIME: "application/pdf", Size: size}, func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(content), nil
	})
}

// pattern is a stream of bytes that costs nothing.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// TestUpload proves that a file passes through, whatever its size, in bounded memory.
func TestUpload(t *testing.T) {
	const size = 25 << 20
	b := newBucket(t)
	hash := sha256.New()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	id, problem, err := b.upload(size, io.TeeReader(io.LimitReader(pattern{}, size), hash))
	runtime.ReadMemStats(&after)
	if id != "u_17" || problem != "" || err != nil {
		t.Fatalf("%q, %q, %v", id, problem, err)
	}
	if got, want := <-b.uploaded, fmt.Sprintf("%x", hash.Sum(nil)); got != want {
		t.Error("other bytes are in the bucket")
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 2<<20 {
		t.Errorf("%d bytes of memory for a file of %d", used, size)
	}
}

// TestUploadRefused proves what is final: the API's word, and a file of another length, of which nothing that looks whole
// reaches the bucket.
func TestUploadRefused(t *testing.T) {
	b := newBucket(t)
	for _, content := range []string{"1234", "123456", "", strings.Repeat("x", 1<<20)} {
		for _, read := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader, func(r io.Reader) io.Reader { return r }} {
			if id, problem, err := b.upload(5, read(strings.NewReader(content))); !errors.Is(err, errLength) {
				t.Errorf("%d bytes: %q, %q, %v", len(content), id, problem, err)
			}
		}
	}
	if len(b.uploaded) != 0 {
		t.Error("a file of another length is in the bucket")
	}
	for _, read := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
		if _, _, err := b.upload(5, read(strings.NewReader("12345"))); err != nil {
			t.Error(err)
		}
		<-b.uploaded
	}
	b.refuse = `{"error":{"code":"invalid","message":"mime: no files of this type"}}`
	if _, problem, err := b.upload(5, nil); problem != "Not sent: mime: no files of this type" || err != nil {
		t.Errorf("%q, %v", problem, err)
	}
}

// TestUploadFails proves that what may pass is tried again, by the class of whoever failed, and that no error tells the
// signed address.
func TestUploadFails(t *testing.T) {
	b := newBucket(t)
	limited := &crm.Error{Class: crm.Limited, Op: "read"}
	if _, _, err := b.upload(5, io.MultiReader(strings.NewReader("123"), iotest.ErrReader(limited))); !errors.Is(err, limited) {
		t.Errorf("the CRM failed: %v", err)
	}
	if _, _, err := b.upload(5, io.MultiReader(strings.NewReader("123"), iotest.ErrReader(io.ErrUnexpectedEOF))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the CRM's answer was cut: %v", err)
	}
	refusing := newBucket(t)
	refusing.status = http.StatusForbidden
	if _, _, err := refusing.upload(5, strings.NewReader("12345")); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("the bucket refuses: %v", err)
	}
	r := &REST{}
	nobody := slot{Method: http.MethodPut, URL: "http://127.0.0.1:1/files/17?X-Amz-Signature=secret"}
	err := r.put(t.Context(), nobody, 5, strings.NewReader("12345"))
	if chat.CodeOf(err) != chat.Unavailable || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody listens: %v", err)
	}
	api := &REST{URL: b.url, Key: func(context.Context) (string, error) { return "the key", nil }}
	_, _, err = api.Upload(t.Context(), crm.RequestFile{Name: "a.pdf", MIME: "application/pdf", Size: 5}, func(context.Context) (io.ReadCloser, error) {
		return nil, crm.ErrGone
	})
	if !errors.Is(err, crm.ErrGone) {
		t.Errorf("the CRM has lost it: %v", err)
	}
}

// slowly is an API to which uploads take for ever.
type slowly struct{ *outbox }

func (slowly) Upload(ctx context.Context, _ crm.RequestFile, _ func(context.Context) (io.ReadCloser, error)) (id, problem string, err error) {
	<-ctx.Done()
	return "", "", ctx.Err()
}

// TestASlowFile proves that one which takes too long doesn't hold up what is asked for after it.
func TestASlowFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, api, on := asking(t)
		r.h.Sender = slowly{api}
		if err := r.deliver(crm.Request{ID: "7", Contact: on, Text: "look", Files: []crm.RequestFile{r.pdf("a.pdf")}}); err != nil {
			t.Fatal(err)
		}
		if len(api.asked) != 1 || !slices.Equal(r.crm.reports, []string{"7: a.pdf: Not sent: the CRM takes too long to give the file out."}) {
			t.Errorf("asked %q, reports %q", api.asked, r.crm.reports)
		}
	})
}

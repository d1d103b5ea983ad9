package handler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"threadline/shared/crm"
)

// errLength says that a file isn't as long as the CRM says.
var errLength = errors.New("the file has another length than the CRM says")

// slot is where a file's bytes go.
type slot struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
}

// Upload gives the bucket a file to be sent, as it is read, and returns its id, or why such a file is never sent. Each
// time makes another one; what no message names is nobody's to see.
func (r *REST) Upload(ctx context.Context, f crm.RequestFile, open func(context.Context) (io.ReadCloser, error)) (id, problem string, err error) {
	var to slot
	describe := map[string]any{"name": f.Name, "mime": f.MIME, "size": f.Size}
	if problem, err = r.post(ctx, "/api/v1/media", "", describe, http.StatusCreated, &to); err != nil || problem != "" {
		return "", problem, err
	}
	content, err := open(ctx)
	if err != nil {
		return "", "", fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = content.Close() }()
	return to.ID, "", r.put(ctx, to, f.Size, content)
}

// put makes the signed request. Our key has no business there.
func (r *REST) put(ctx context.Context, to slot, size int64, content io.Reader) error {
	body := &exactly{from: content, left: size}
	req, err := http.NewRequestWithContext(ctx, to.Method, to.URL, body)
	if err != nil {
		return unavailable(errors.New("the address to upload to can't be read"))
	}
	req.ContentLength = size
	for name, value := range to.Headers {
		req.Header.Set(name, value)
	}
	res, err := r.client().Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	if failed := body.failed.Load(); failed != nil {
		return fmt.Errorf("read file: %w", *failed)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address is as good as a key
	}
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("status %d", res.StatusCode)
	}
	if err != nil {
		return unavailable(fmt.Errorf("upload: %w", err))
	}
	return nil
}

// exactly reads a number of bytes, no less and no more, and remembers a failure to: the transport reads in a goroutine of
// its own, and says only that it failed.
type exactly struct {
	from   io.Reader
	left   int64
	failed atomic.Pointer[error]
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.from.Read(p)
	e.left -= int64(n)
	if e.left == 0 && err == nil {
		// The end comes before the last bytes leave: with them the bucket has all that it waits for.
		if _, err = io.ReadFull(e.from, make([]byte, 1)); err == nil {
			err = errLength
		}
	}
	if e.left < 0 || e.left > 0 && errors.Is(err, io.EOF) {
		err = errLength
	}
	if err != nil && !errors.Is(err, io.EOF) {
		e.failed.CompareAndSwap(nil, &err)
		return 0, err
	}
	return n, err
}

package rest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// told is a file that tells when it is closed.
type told struct {
	io.Reader
	closed chan struct{}
}

func (f told) Close() error {
	close(f.closed)
	return nil
}

func fileOf(content string) (f crm.File, closed chan struct{}) {
	closed = make(chan struct{})
	return crm.File{MIME: "image/jpeg; x=y", Size: int64(len(content)), Open: func(context.Context) (io.ReadCloser, error) {
		return told{strings.NewReader(content), closed}, nil
	}}, closed
}

// read reads a body to its end, and proves that its size is what was said, and that its file is closed with it.
func read(t *testing.T, c *rest.Content, closed chan struct{}) string {
	t.Helper()
	body, err := c.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(all)) != c.Size {
		t.Errorf("%d bytes, said were %d", len(all), c.Size)
	}
	await(t, closed)
	return string(all)
}

func await(t *testing.T, closed chan struct{}) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the file wasn't closed")
	}
}

func TestMultipart(t *testing.T) {
	f, closed := fileOf("some bytes")
	c, err := rest.Multipart(f, `form-data; name="file"; filename="a.jpg"`,
		rest.Field{Name: "folder", Value: "/x"}, rest.Field{Name: "options", Type: "application/json", Value: "{}"})
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(c.Type)
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(strings.NewReader(read(t, c, closed)), params["boundary"])
	for _, want := range [][4]string{{"folder", "", "", "/x"}, {"options", "", "application/json", "{}"}, {"file", "a.jpg", "image/jpeg", "some bytes"}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		if got := [4]string{part.FormName(), part.FileName(), part.Header.Get("Content-Type"), string(value)}; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the end", err)
	}
}

func TestBase64(t *testing.T) {
	for _, content := range []string{"", "1", "12", "123", strings.Repeat("\x00\xff", 50_000)} {
		f, closed := fileOf(content)
		got := read(t, rest.Base64([]byte(`{"file":"`), f, []byte(`"}`)), closed)
		if want := `{"file":"` + base64.StdEncoding.EncodeToString([]byte(content)) + `"}`; got != want {
			t.Errorf("%d bytes: %.40s…, want %.40s…", len(content), got, want)
		}
	}
}

// TestFileThatFails proves that a file which can't be read to its end doesn't pass for a shorter one, and that one which
// nobody reads to its end is closed.
func TestFileThatFails(t *testing.T) {
	lost := errors.New("lost")
	closed := make(chan struct{})
	f := crm.File{Size: 5, Open: func(context.Context) (io.ReadCloser, error) {
		return told{io.MultiReader(strings.NewReader("12"), iotest.ErrReader(lost)), closed}, nil
	}}
	body, err := rest.Base64(nil, f, nil).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(body); !errors.Is(err, lost) {
		t.Errorf("%v, want %v", err, lost)
	}
	await(t, closed)
	f, closed = fileOf(strings.Repeat("x", 1<<20))
	if body, err = rest.Base64(nil, f, nil).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, closed)
}

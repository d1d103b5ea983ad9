package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"

	"threadline/shared/crm"
)

// Content is a body with a file in it. Its length is known before any of it is read, no more of the file than a buffer is
// in memory, and it can be opened again.
type Content struct {
	Type string // content type of all of it
	Size int64  // of all of it in bytes

	before, after []byte
	file          crm.File
	encoded       bool // as base64
}

// Field is a part of a multipart body that is in memory.
type Field struct {
	Name  string // plain ASCII
	Type  string // empty: none is said
	Value string
}

// Multipart puts a file behind fields, as a form does. The disposition is the header that gives its part a name.
func Multipart(f crm.File, disposition string, fields ...Field) (*Content, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range fields {
		h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + field.Name + `"`}}
		if field.Type != "" {
			h.Set("Content-Type", field.Type)
		}
		part, err := w.CreatePart(h)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(part, field.Value); err != nil {
			return nil, err
		}
	}
	kind, _, err := mime.ParseMediaType(f.MIME)
	if err != nil {
		kind = "application/octet-stream"
	}
	if _, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {kind}}); err != nil {
		return nil, err
	}
	before := bytes.Clone(b.Bytes())
	if err := w.Close(); err != nil {
		return nil, err
	}
	after := bytes.Clone(b.Bytes()[len(before):])
	return &Content{
		Type: w.FormDataContentType(), Size: int64(len(before)+len(after)) + f.Size,
		before: before, after: after, file: f,
	}, nil
}

// Base64 puts a file into JSON, between what is before and after its bytes.
func Base64(before []byte, f crm.File, after []byte) *Content {
	return &Content{
		Type: "application/json", Size: int64(len(before)+len(after)) + (f.Size+2)/3*4,
		before: before, after: after, file: f, encoded: true,
	}
}

// Open opens the file. Whoever closes the body closes the file.
func (c *Content) Open(ctx context.Context) (io.ReadCloser, error) {
	file, err := c.file.Open(ctx)
	if err != nil {
		return nil, err
	}
	if c.encoded {
		file = encode(file)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(c.before), file, bytes.NewReader(c.after)), file}, nil
}

// encode returns the bytes as base64 while they are read.
func encode(content io.ReadCloser) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		encoder := base64.NewEncoder(base64.StdEncoding, in)
		_, err := io.Copy(encoder, content)
		_ = in.CloseWithError(errors.Join(err, encoder.Close(), content.Close())) // never fails
	}()
	return out
}

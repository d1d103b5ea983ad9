package espocrm

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	stdpath "path"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// PutFile uploads an attachment, which is shown once an entry names it. It is as private as that entry: whoever reads it
// needs the right to read the contact. https://docs.espocrm.com/development/api/attachment/
func (c *Connector) PutFile(ctx context.Context, _ crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, error) {
	has, err := c.schema(ctx)
	if err != nil {
		return "", err
	}
	parent, field := noteType, "attachments"
	if has.messages {
		parent, field = messageType, "files"
	}
	head, err := envelope(f, parent, field)
	if err != nil {
		return "", fmt.Errorf("%s: %w", opUploadFile, err)
	}
	content, err := f.Open(ctx)
	if err != nil {
		return "", fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = content.Close() }()
	encoded := encode(content)
	defer func() { _ = encoded.Close() }() // ends the encoder, should the call end early

	const end = `"}`
	size := int64(len(head)) + int64(base64.StdEncoding.EncodedLen(int(f.Size))) + int64(len(end))
	a, err := c.rest.Do(ctx, rest.Request{
		Op: opUploadFile, Method: http.MethodPost, Path: "/Attachment", Type: "application/json",
		Body: io.MultiReader(bytes.NewReader(head), encoded, strings.NewReader(end)), Size: size,
	})
	if err != nil {
		return "", err
	}
	var r record
	if err := rest.Decode(opUploadFile, a, &r); err != nil {
		return "", err
	}
	if r.id() == "" {
		return "", unreadable(opUploadFile)
	}
	return crm.FileRef(r.id() + "." + tagOf(f)), nil
}

// FindFile finds nothing: EspoCRM doesn't list attachments. A file may be uploaded twice; an entry shows it once, since
// its name tells our key, and what no entry names nobody sees.
func (c *Connector) FindFile(context.Context, crm.ContactRef, crm.EntryRef, crm.File) (crm.FileRef, bool, error) {
	return "", false, nil
}

// envelope is the JSON up to where the bytes begin.
func envelope(f crm.File, parent, field string) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(f.MIME)
	if err != nil {
		kind = "application/octet-stream"
	}
	head, err := json.Marshal(map[string]string{
		"name": fileName(f), "type": kind, "role": "Attachment", "parentType": parent, "field": field,
	})
	if err != nil {
		return nil, err
	}
	start, err := json.Marshal("data:" + kind + ";base64,")
	if err != nil {
		return nil, err
	}
	head = append(head[:len(head)-1], `,"file":`...)
	return append(head, start[:len(start)-1]...), nil
}

// encode returns the bytes as base64 while they are read.
func encode(content io.Reader) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		encoder := base64.NewEncoder(base64.StdEncoding, in)
		_, err := io.Copy(encoder, content)
		if err == nil {
			err = encoder.Close()
		}
		_ = in.CloseWithError(err) // never fails
	}()
	return out
}

// tagOf is what a file's name tells of its key.
func tagOf(f crm.File) string { return f.Key[:min(10, len(f.Key))] }

// maxStem is how much of a name is kept, in characters; EspoCRM takes names of 255.
const maxStem = 200

// fileName is the file's own name with the tag before the extension.
func fileName(f crm.File) string {
	extension := stdpath.Ext(f.Name)
	if len(extension) > 10 {
		extension = ""
	}
	stem := []rune(strings.TrimSuffix(f.Name, extension))
	return string(stem[:min(len(stem), maxStem)]) + "-" + tagOf(f) + extension
}

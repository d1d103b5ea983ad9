package webhook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// PutFile sends the bytes as they are, with the document in a header: what is signed is the hash in it.
func (c *Connector) PutFile(ctx context.Context, on crm.ContactRef, entry crm.EntryRef, f crm.File) (crm.FileRef, error) {
	const op = "put file"
	sum, err := hashOf(ctx, f)
	if err != nil {
		return "", &crm.Error{Class: crm.Transient, Op: op, Err: err}
	}
	encoded, err := encode(document{
		Type: typeFile, Contact: &contactPart{Ref: on}, Entry: &entryPart{Ref: entry},
		File: &filePart{Key: f.Key, Name: f.Name, MIME: f.MIME, Size: f.Size, SHA256: sum, At: f.At.UTC()},
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	content, err := f.Open(ctx)
	if err != nil {
		return "", &crm.Error{Class: crm.Transient, Op: op, Err: fmt.Errorf("open: %w", err)}
	}
	defer func() { _ = content.Close() }()
	body := io.Reader(content)
	if f.Size == 0 {
		body = http.NoBody // else its length would be unknown
	}
	document := ascii(encoded)
	a, err := c.call(ctx, c.sealed, []byte(document), rest.Request{
		// Not the file's own type: a receiver's framework might read a customer's file as a form, or as JSON.
		Op: op, Type: "application/octet-stream", Body: body, Size: f.Size, Header: http.Header{headerDocument: {document}},
	})
	if err != nil {
		return "", err
	}
	ref, err := refIn(op, a)
	if err != nil {
		return "", err
	}
	return crm.FileRef(cmp.Or(ref, f.Key)), nil
}

// FindFile finds nothing: whoever doesn't know whether a file is there puts it once more.
func (c *Connector) FindFile(context.Context, crm.ContactRef, crm.EntryRef, crm.File) (crm.FileRef, bool, error) {
	return "", false, nil
}

// hashOf returns the file's hash. Where nobody knows it the file is read once more than it is sent.
func hashOf(ctx context.Context, f crm.File) (string, error) {
	if f.SHA256 != "" {
		return f.SHA256, nil
	}
	content, err := f.Open(ctx)
	if err != nil {
		return "", fmt.Errorf("open: %w", err)
	}
	hash := sha256.New()
	_, err = io.Copy(hash, content)
	if err := errors.Join(err, content.Close()); err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

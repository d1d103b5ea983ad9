package odoo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"threadline/shared/crm"
)

func fileName(key string) string { return "file_" + key }

// contentMark is where a file's bytes go in a request. No value before it in the request can be the same text.
const contentMark = "threadline:content"

// PutFile imports an attachment of the contact, which is private as all of a record's are. The bytes are encoded while
// they are sent.
func (c *Connector) PutFile(ctx context.Context, on crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, error) {
	r := row{op: "put file", model: attachmentModel, name: fileName(f.Key), on: recordID(on)}
	r.set("datas", contentMark)
	r.set("name", f.Name)
	r.set("mimetype", f.MIME)
	r.set("res_model", partnerModel)
	r.set("res_id", string(on))
	way, err := c.request(ctx, r.call())
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(way.body)
	if err != nil {
		return "", fmt.Errorf("%s: %w", r.op, err)
	}
	before, after, _ := bytes.Cut(raw, []byte(contentMark))
	size := int64(len(before)) + encodedLen(f.Size) + int64(len(after))

	content, err := f.Open(ctx)
	if err != nil {
		return "", &crm.Error{Class: crm.Transient, Op: r.op, Reason: "NO_FILE", Err: err}
	}
	body := encoded(before, content, after)
	defer body.Close()
	var out loaded
	err = c.send(ctx, r.call(), way, body, size, &out)
	if err != nil {
		return "", err
	}
	id, err := c.settle(ctx, r, out)
	return refOf[crm.FileRef](id), err
}

// encodedLen is base64.EncodedLen for sizes of files.
func encodedLen(n int64) int64 { return (n + 2) / 3 * 4 }

// encoded is a file as base64 between two texts. It holds a few kilobytes at a time, and closes the file.
func encoded(before []byte, content io.ReadCloser, after []byte) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		encoder := base64.NewEncoder(base64.StdEncoding, in)
		_, err := io.Copy(encoder, content)
		in.CloseWithError(errors.Join(err, encoder.Close(), content.Close()))
	}()
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(before), out, bytes.NewReader(after)), out}
}

// FindFile asks what our external id names. Putting it again would do as well.
func (c *Connector) FindFile(ctx context.Context, _ crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, bool, error) {
	id, ok, err := c.find(ctx, "find file", attachmentModel, fileName(f.Key))
	return refOf[crm.FileRef](id), ok, err
}

// remaining leaves out the files that somebody deleted in Odoo.
func (c *Connector) remaining(ctx context.Context, files []crm.FileRef) ([]crm.FileRef, error) {
	if len(files) == 0 {
		return nil, nil
	}
	var ids []int64
	for _, f := range files {
		ids = append(ids, recordID(f))
	}
	var found []struct {
		ID int64 `json:"id"`
	}
	q := call{op: "look for files", model: attachmentModel, method: "read", ids: ids, args: map[string]any{"fields": []string{"id"}}}
	if err := c.do(ctx, q, &found); err != nil {
		return nil, err
	}
	var left []crm.FileRef
	for _, f := range found {
		left = append(left, refOf[crm.FileRef](f.ID))
	}
	return left, nil
}

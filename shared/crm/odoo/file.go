package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

func fileName(key string) string { return "file_" + key }

// contentMark is where a file's bytes go in a request. No value before it in the request can be the same text.
const contentMark = "threadline:content"

// keepImages has Odoo store a picture as it is: it would shrink one of more than 1920 pixels.
// https://github.com/odoo/odoo/blob/19.0/odoo/addons/base/models/ir_attachment.py _check_contents
var keepImages = map[string]any{"image_no_postprocess": true}

// PutFile imports an attachment of the contact, which is private as all of a record's are. The bytes are encoded while
// they are sent.
func (c *Connector) PutFile(ctx context.Context, on crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, error) {
	r := row{op: "put file", model: attachmentModel, name: fileName(f.Key), on: recordID(on), context: keepImages}
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
	content := rest.Base64(before, f, after)
	body, err := content.Open(ctx)
	if err != nil {
		return "", &crm.Error{Class: crm.Transient, Op: r.op, Reason: "NO_FILE", Err: err}
	}
	defer func() { _ = body.Close() }()
	post := way.post(r.op)
	post.Type, post.Body, post.Size = content.Type, body, content.Size
	var out loaded
	if err := c.send(ctx, r.call(), way.api, post, &out); err != nil {
		return "", err
	}
	id, err := c.settle(ctx, r, out)
	return refOf[crm.FileRef](id), err
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
	q := call{op: "look for files", model: attachmentModel, method: "read", ids: ids, args: map[string]any{"fields": []string{stored}}}
	if err := c.do(ctx, q, &found); err != nil {
		return nil, err
	}
	var left []crm.FileRef
	for _, f := range found {
		left = append(left, refOf[crm.FileRef](f.ID))
	}
	return left, nil
}

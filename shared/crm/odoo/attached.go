package odoo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Files that users send from the chatter.

// attached describes the files that messages list, by their ids. Ours aren't among them: they came from the customer. One
// that we may not read is described by its id alone.
func (c *Connector) attached(ctx context.Context, messages []posted) (map[int64]crm.RequestFile, error) {
	var ids []int64
	for _, m := range messages {
		ids = append(ids, m.Attachments...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var names map[string]string
	if err := c.do(ctx, call{op: "read external ids", model: attachmentModel, method: "get_external_id", ids: ids}, &names); err != nil {
		return nil, err
	}
	var found []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
		MIME any    `json:"mimetype"` // false if it isn't known
		Size int64  `json:"file_size"`
	}
	// A search leaves out what we may not read, and the other files are sent. To read it would be an error for all.
	err := c.do(ctx, call{op: "read attachments", model: attachmentModel, method: "search_read", args: map[string]any{
		"domain": []any{[]any{"id", "in", ids}}, "fields": []string{"name", "mimetype", "file_size"},
	}}, &found)
	if err != nil {
		return nil, err
	}
	files := map[int64]crm.RequestFile{}
	for _, id := range ids {
		ref := strconv.FormatInt(id, 10)
		if !strings.HasPrefix(names[ref], module+".") {
			files[id] = crm.RequestFile{Ref: ref}
		}
	}
	for _, f := range found {
		if file, theirs := files[f.ID]; theirs {
			file.Name, file.Size = f.Name, f.Size
			file.MIME, _ = f.MIME.(string)
			files[f.ID] = file
		}
	}
	return files, nil
}

// OpenFile reads an attachment: its bytes are a text within an answer, decoded while it arrives.
func (c *Connector) OpenFile(ctx context.Context, ref string) (io.ReadCloser, error) {
	q := call{op: "open file", model: attachmentModel, method: "read", ids: []int64{recordID(crm.FileRef(ref))}, args: map[string]any{"fields": []string{"datas"}}}
	content, err := c.open(ctx, q)
	if e, ok := errors.AsType[*crm.Error](err); ok && e.Reason == "AccessError" {
		e.Class = crm.Refused // of this file: somebody may read it, and we not
	}
	return content, err
}

func (c *Connector) open(ctx context.Context, q call) (io.ReadCloser, error) {
	r, err := c.request(ctx, q)
	if err != nil {
		return nil, err
	}
	post, err := r.post(q.op).WithJSON(r.body)
	if err != nil {
		return nil, err
	}
	answer, a, err := c.rest.Open(ctx, post)
	if err != nil {
		c.forgetLogin(err)
		return nil, withModel(err, q.model)
	}
	content, whole, err := binary(q.op, answer)
	if err == nil && content == nil {
		a.Body = whole
		err = c.without(q, r, a)
	}
	if err != nil {
		_ = answer.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{content, answer}, nil
}

// without says why an answer has no file in it.
func (c *Connector) without(q call, r request, a rest.Answer) error {
	if r.api == jsonRPC {
		var err error
		if a.Body, err = unwrap(q.op, a); err != nil {
			c.forgetLogin(err)
			return withModel(err, q.model)
		}
	}
	var found []struct{}
	if err := rest.Decode(q.op, a, &found); err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: %w", q.op, crm.ErrGone)
	}
	return noContent(q.op)
}

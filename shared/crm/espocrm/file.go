package espocrm

import (
	"context"
	"encoding/json"
	"fmt"
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
	content := rest.Base64(head, f, []byte(`"}`))
	body, err := content.Open(ctx)
	if err != nil {
		return "", fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = body.Close() }()
	a, err := c.rest.Do(ctx, rest.Request{
		Op: opUploadFile, Method: http.MethodPost, Path: path(attachmentType), Type: content.Type, Body: body, Size: content.Size,
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

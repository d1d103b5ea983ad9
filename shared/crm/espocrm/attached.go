package espocrm

import (
	"context"
	"io"
	"net/http"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Files that users send along with an answer.

// attached describes the files of a record, in the order in which they were uploaded. EspoCRM gives a file to whoever may
// read the record that it is on. One that can't be had is described by its id alone, and the other files are sent.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Classes/Acl/Attachment/AccessChecker.php
func (c *Connector) attached(ctx context.Context, r record) ([]crm.RequestFile, error) {
	var files []crm.RequestFile
	for _, id := range r.ids("files") {
		a, err := c.read(ctx, opReadFile, attachmentType, id)
		if err != nil && !missing(err) && !rest.HasStatus(err, http.StatusForbidden) {
			return nil, err
		}
		size, _ := a["size"].(float64)
		files = append(files, crm.RequestFile{Ref: id, Name: a.text("name"), MIME: a.text("type"), Size: int64(size)})
	}
	return files, nil
}

// OpenFile downloads an attachment, as it is read.
func (c *Connector) OpenFile(ctx context.Context, ref string) (io.ReadCloser, error) {
	file, _, err := c.rest.Open(ctx, rest.Request{Op: opOpenFile, Method: http.MethodGet, Path: path(attachmentType, "file", ref)})
	if e, ok := asError(err); ok && e.Status == http.StatusForbidden {
		e.Class = crm.Refused // of this file: the record may be anybody's but ours
	}
	return file, gone(err)
}

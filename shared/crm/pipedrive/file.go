package pipedrive

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// maxStem keeps a name within a ref, however many of its characters are escaped there; in bytes.
const maxStem = 80

// quotable leaves nothing in a name that would end or escape the header that carries it.
var quotable = strings.NewReplacer(`"`, "'", `\`, "_", "\r", " ", "\n", " ")

// fileName is what the sender called it, with our mark.
func fileName(f crm.File) string {
	name := quotable.Replace(f.Name)
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if len(ext) > 12 {
		stem, ext = name, ""
	}
	if ext == "" {
		kind, _, _ := mime.ParseMediaType(f.MIME)
		ext = crm.Extension(kind)
	}
	for len(stem) > maxStem {
		_, last := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-last]
	}
	if stem == "" {
		stem = "file"
	}
	return stem + "-" + mark(f.Key) + ext
}

// A ref is the file's id and its name: the note says the name.
func fileRef(id int64, name string) crm.FileRef {
	return crm.FileRef(text(id) + "/" + url.PathEscape(name))
}

func nameIn(ref crm.FileRef) string {
	_, escaped, _ := strings.Cut(string(ref), "/")
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return ""
	}
	return name
}

// PutFile streams a file to a person that is alive. Pipedrive can't bind it to a note. Whoever may see the person may see
// the file, and nobody else.
func (c *Connector) PutFile(ctx context.Context, on crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, error) {
	o := operation{"upload file", http.MethodPost, writeContacts}
	person, err := c.alive(ctx, o, on)
	if err != nil {
		return "", err
	}
	// The name is in UTF-8, as browsers write it.
	content, err := rest.Multipart(f, `form-data; name="file"; filename="`+fileName(f)+`"`, rest.Field{Name: "person_id", Value: text(person)})
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.name, err)
	}
	body, err := content.Open(ctx)
	if err != nil {
		return "", fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = body.Close() }()
	var made struct {
		ID int64 `json:"id"`
	}
	_, err = c.send(ctx, o, rest.Request{Op: o.name, Method: o.method, Path: "/v1/files", Type: content.Type, Body: body, Size: content.Size}, &made)
	if missing(err) {
		return "", gone(o)
	}
	if err != nil {
		return "", err
	}
	if made.ID == 0 {
		return "", noResult(o)
	}
	return fileRef(made.ID, fileName(f)), nil
}

// FindFile reads the person's files, the newest first, and looks for our mark in their names.
func (c *Connector) FindFile(ctx context.Context, on crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, bool, error) {
	o := operation{"list files", http.MethodGet, readContacts}
	person, err := number(o, on)
	if err != nil {
		return "", false, err
	}
	for page := range pageLimit {
		var files []struct {
			ID     int64  `json:"id"`
			Name   string `json:"name"`
			Stored string `json:"file_name"`
			Added  string `json:"add_time"`
			Active *bool  `json:"active_flag"`
		}
		q := url.Values{"sort": {"id DESC"}, "limit": {text(pageSize)}, "start": {text(int64(page) * pageSize)}}
		answer, err := c.call(ctx, o, "/v1/persons/"+text(person)+"/files?"+q.Encode(), nil, &files)
		if missing(err) {
			return "", false, gone(o)
		}
		if err != nil {
			return "", false, err
		}
		for _, had := range files {
			ours := strings.Contains(had.Name, mark(f.Key)) || strings.Contains(had.Stored, mark(f.Key))
			if ours && (had.Active == nil || *had.Active) {
				return fileRef(had.ID, fileName(f)), true, nil
			}
			if at := when(had.Added); !at.IsZero() && at.Before(f.At.Add(-24*time.Hour)) {
				return "", false, nil // it can't have been uploaded before it was sent
			}
		}
		if !answer.more() {
			return "", false, nil
		}
	}
	return "", false, &crm.Error{Class: crm.Transient, Op: o.name, Status: http.StatusOK, Reason: "TOO_MANY_FILES"}
}

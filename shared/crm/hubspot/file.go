package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"regexp"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// folder is where our files are in HubSpot's file manager.
const folder = "/threadline"

// filesPath has a version of its own: HubSpot documents the upload in this one only.
const filesPath = "/files/2026-03/files"

// private is an access that needs a signed URL, and that no search engine sees.
const private = "PRIVATE"

// extensions of what WhatsApp sends; a document brings its own in its name.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif",
	"video/mp4": ".mp4", "video/3gpp": ".3gp",
	"audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/aac": ".aac", "audio/amr": ".amr",
	"application/pdf": ".pdf", "text/plain": ".txt",
}

var extension = regexp.MustCompile(`^\.[a-z0-9]{1,8}$`)

// PutFile uploads the file in one pass, private. Its name is made of its key; a file of that name that is there already
// keeps it, since overwriting would delete what may be attached: then the new one is given a number.
func (c *Connector) PutFile(ctx context.Context, _ crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, error) {
	return c.upload(ctx, f, stemOf(f)+extensionOf(f))
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9]+`)

// stemOf is what the file is called, without extension: what the sender called it, as far as HubSpot leaves that alone,
// and the key.
func stemOf(f crm.File) string {
	stem := unsafe.ReplaceAllString(strings.TrimSuffix(f.Name, path.Ext(f.Name)), "-")
	stem = strings.Trim(stem[:min(len(stem), 60)], "-")
	if stem == "" {
		return f.Key
	}
	return stem + "_" + f.Key
}

func extensionOf(f crm.File) string {
	if ext := strings.ToLower(path.Ext(f.Name)); extension.MatchString(ext) {
		return ext
	}
	kind, _, err := mime.ParseMediaType(f.MIME)
	if ext, ok := extensions[kind]; ok && err == nil {
		return ext
	}
	return ".bin"
}

// FindFile looks for the name that PutFile gives.
func (c *Connector) FindFile(ctx context.Context, _ crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, bool, error) {
	var found struct {
		Results []struct {
			ID       string `json:"id"`
			Name     string `json:"name"` // without the extension
			Path     string `json:"path"`
			Size     int64  `json:"size"`
			Access   string `json:"access"`
			Archived bool   `json:"archived"`
		} `json:"results"`
	}
	stem, ext := stemOf(f), extensionOf(f)
	q := url.Values{"name": {stem}, "limit": {"10"}}
	err := c.call(ctx, "search files", http.MethodGet, filesPath+"/search?"+q.Encode(), nil, &found)
	if hasStatus(err, http.StatusNotFound) {
		return "", false, nil // there is no such folder or file
	}
	for _, r := range found.Results {
		ours := strings.TrimSuffix(r.Name, ext) == stem && strings.HasPrefix(r.Path, folder+"/")
		if ours && r.Size == f.Size && !r.Archived && strings.HasSuffix(r.Access, private) {
			return crm.FileRef(r.ID), true, nil
		}
	}
	return "", false, err
}

// upload streams the file between the two halves of a multipart body whose length is known beforehand.
func (c *Connector) upload(ctx context.Context, f crm.File, name string) (crm.FileRef, error) {
	const op = "upload file"
	head, tail, mimeType, err := envelope(f, name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	content, err := f.Open(ctx)
	if err != nil {
		return "", fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = content.Close() }()

	body := io.MultiReader(bytes.NewReader(head), content, bytes.NewReader(tail))
	size := int64(len(head)+len(tail)) + f.Size
	var out struct {
		ID string `json:"id"`
	}
	a, err := c.rest.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: filesPath, Type: mimeType, Body: body, Size: size})
	if err == nil {
		err = rest.Decode(op, a, &out)
	}
	if err == nil && out.ID == "" {
		err = noResult(op)
	}
	return crm.FileRef(out.ID), c.paused(ctx, err)
}

// envelope returns what stands before and after the file's bytes.
func envelope(f crm.File, name string) (head, tail []byte, mimeType string, err error) {
	options, err := json.Marshal(map[string]any{
		"access":                      private,
		"overwrite":                   false,
		"duplicateValidationStrategy": "NONE",
		"duplicateValidationScope":    "EXACT_FOLDER",
	})
	if err != nil {
		return nil, nil, "", err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range [][2]string{{"fileName", name}, {"folderPath", folder}, {"options", string(options)}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, nil, "", err
		}
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": name}))
	h.Set("Content-Type", "application/octet-stream")
	if kind, _, err := mime.ParseMediaType(f.MIME); err == nil {
		h.Set("Content-Type", kind)
	}
	if _, err := w.CreatePart(h); err != nil {
		return nil, nil, "", err
	}
	head = bytes.Clone(b.Bytes())
	if err := w.Close(); err != nil {
		return nil, nil, "", err
	}
	return head, bytes.Clone(b.Bytes()[len(head):]), w.FormDataContentType(), nil
}

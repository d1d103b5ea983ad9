package hubspot

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
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
	if kind, _, err := mime.ParseMediaType(f.MIME); err == nil && crm.Extension(kind) != "" {
		return crm.Extension(kind)
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
	if rest.HasStatus(err, http.StatusNotFound) {
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

// upload streams the file.
func (c *Connector) upload(ctx context.Context, f crm.File, name string) (crm.FileRef, error) {
	const op = "upload file"
	content, err := contentOf(f, name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	body, err := content.Open(ctx)
	if err != nil {
		return "", fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = body.Close() }()
	var out struct {
		ID string `json:"id"`
	}
	a, err := c.rest.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: filesPath, Type: content.Type, Body: body, Size: content.Size})
	if err == nil {
		err = rest.Decode(op, a, &out)
	}
	if err == nil && out.ID == "" {
		err = noResult(op)
	}
	return crm.FileRef(out.ID), c.paused(ctx, err)
}

// contentOf is the file with what HubSpot wants to know of it.
func contentOf(f crm.File, name string) (*rest.Content, error) {
	options, err := json.Marshal(map[string]any{
		"access":                      private,
		"overwrite":                   false,
		"duplicateValidationStrategy": "NONE",
		"duplicateValidationScope":    "EXACT_FOLDER",
	})
	if err != nil {
		return nil, err
	}
	disposition := mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": name})
	return rest.Multipart(f, disposition,
		rest.Field{Name: "fileName", Value: name}, rest.Field{Name: "folderPath", Value: folder}, rest.Field{Name: "options", Value: string(options)})
}

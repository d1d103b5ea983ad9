package hubspot

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

var accesses = []string{"HIDDEN_INDEXABLE", "HIDDEN_NOT_INDEXABLE", "HIDDEN_PRIVATE", "HIDDEN_SENSITIVE", "PRIVATE",
	"PUBLIC_INDEXABLE", "PUBLIC_NOT_INDEXABLE", "SENSITIVE"}

// maxFile is the largest file that the simulator takes, in bytes.
const maxFile = 2 << 30

func (s *Simulator) renderFile(f *file) map[string]any {
	return map[string]any{
		"id": f.ID, "name": f.Name, "extension": f.Extension, "path": f.path(), "size": f.Size, "type": f.kind(),
		"access": f.Access, "fileMd5": f.MD5, "archived": f.Archived, "createdAt": iso(f.CreatedAt),
		"updatedAt": iso(f.UpdatedAt), "isUsableInContent": false, "sourceGroup": "UNKNOWN",
	}
}

func (f *file) kind() string {
	major, _, _ := strings.Cut(f.MIME, "/")
	switch major {
	case "image":
		return "IMG"
	case "audio":
		return "AUDIO"
	case "video":
		return "MOVIE"
	}
	if f.MIME == "application/pdf" {
		return "DOCUMENT"
	}
	return "OTHER"
}

// upload is what a multipart body held.
type upload struct {
	fields    map[string]string
	name      string
	mime      string
	blob      string
	size      int64
	md5       string
	access    string
	overwrite bool
}

// postFile is not under the lock while bytes arrive.
func (s *Simulator) postFile(r *http.Request) (int, any, error) {
	u, err := s.receive(r)
	if err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.store(u)
	if err != nil {
		s.journal.RemoveFile(u.blob) // nobody knows of it
		return 0, nil, err
	}
	return http.StatusCreated, s.renderFile(f), nil
}

func (s *Simulator) receive(r *http.Request) (*upload, error) {
	m, err := r.MultipartReader()
	if err != nil {
		return nil, &refusal{Status: http.StatusUnsupportedMediaType, Category: "VALIDATION_ERROR", Message: "multipart/form-data is required"}
	}
	u := &upload{fields: map[string]string{}}
	for {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && part.FormName() == "file" && u.blob == "" {
			err = s.receiveBytes(part, u)
		} else if err == nil {
			var b []byte
			b, err = io.ReadAll(io.LimitReader(part, 64<<10))
			u.fields[part.FormName()] = string(b)
		}
		if err != nil {
			s.journal.RemoveFile(u.blob)
			return nil, invalid("the body ended early")
		}
	}
	return u, u.validate()
}

func (s *Simulator) receiveBytes(part *multipart.Part, u *upload) (err error) {
	u.name, u.blob = part.FileName(), rand.Text()
	u.mime, _, _ = mime.ParseMediaType(part.Header.Get("Content-Type"))
	hash := md5.New()
	u.size, err = s.journal.PutFile(u.blob, io.TeeReader(io.LimitReader(part, maxFile), hash))
	u.md5 = hex.EncodeToString(hash.Sum(nil))
	return err
}

func (u *upload) validate() error {
	var options struct {
		Access    string `json:"access"`
		Overwrite bool   `json:"overwrite"`
	}
	switch {
	case u.blob == "":
		return invalid("file is required")
	case u.fields["folderPath"] == "" && u.fields["folderId"] == "":
		return invalid("folderPath or folderId is required")
	case json.Unmarshal([]byte(u.fields["options"]), &options) != nil:
		return invalid("options must be JSON")
	case !slices.Contains(accesses, options.Access):
		return invalid("options.access is required")
	}
	u.access, u.overwrite = options.Access, options.Overwrite
	if n := u.fields["fileName"]; n != "" {
		u.name = n
	}
	if u.name == "" {
		return invalid("Could not determine name from file")
	}
	return nil
}

// store makes the file known. A name that is taken is overwritten if the caller said so: then the old file is deleted,
// and the new one has another id. Else it gets a number.
func (s *Simulator) store(u *upload) (*file, error) {
	now := s.options.Now()
	ext := strings.TrimPrefix(path.Ext(u.name), ".")
	f := &file{
		ID: "", Folder: "/" + strings.Trim(u.fields["folderPath"], "/"), Name: strings.TrimSuffix(u.name, "."+ext), Extension: ext,
		MIME: u.mime, Access: u.access, Size: u.size, MD5: u.md5, CreatedAt: now, UpdatedAt: now, Blob: u.blob,
	}
	base := f.Name
	for n := 1; ; n++ {
		old := s.fileAt(f.path())
		if old == nil {
			f.ID = s.ids.Next()
			break
		}
		if u.overwrite {
			f.ID = s.ids.Next()
			return f, s.replace(old, f)
		}
		f.Name = base + "-" + strconv.Itoa(n)
	}
	return f, s.commit(change{File: f})
}

// replace deletes a file and puts another one in its place.
func (s *Simulator) replace(old, by *file) error {
	gone := *old
	gone.Archived, gone.UpdatedAt = true, by.CreatedAt
	if err := s.commit(change{File: &gone}); err != nil {
		return err
	}
	return s.commit(change{File: by})
}

func (s *Simulator) fileAt(path string) *file {
	for _, f := range s.files {
		if !f.Archived && f.path() == path {
			return f
		}
	}
	return nil
}

func (s *Simulator) searchFiles(r *http.Request) (int, any, error) {
	q := r.URL.Query()
	results := []any{}
	at := s.options.Now().Add(-s.options.SearchLag)
	for _, id := range sortedKeys(s.files) {
		f := s.files[id]
		if f.Archived || f.CreatedAt.After(at) || strings.HasPrefix(f.Access, "HIDDEN") {
			continue
		}
		if n := q.Get("name"); n != "" && n != f.Name {
			continue
		}
		if p := q.Get("path"); p != "" && p != f.path() {
			continue
		}
		results = append(results, s.renderFile(f))
	}
	return http.StatusOK, map[string]any{"results": results}, nil
}

func (s *Simulator) getFile(r *http.Request) (int, any, error) {
	f := s.files[r.PathValue("id")]
	if f == nil || f.Archived {
		return 0, nil, notFound("File")
	}
	return http.StatusOK, s.renderFile(f), nil
}

func (s *Simulator) deleteFile(r *http.Request) (int, any, error) {
	f := s.files[r.PathValue("id")]
	if f == nil || f.Archived {
		return 0, nil, notFound("File")
	}
	gone := *f
	gone.Archived, gone.UpdatedAt = true, s.options.Now()
	return http.StatusNoContent, nil, s.commit(change{File: &gone})
}

// signedURL returns an address that works without a token, for a while.
func (s *Simulator) signedURL(r *http.Request) (int, any, error) {
	f := s.files[r.PathValue("id")]
	if f == nil || f.Archived {
		return 0, nil, notFound("File")
	}
	seconds := 3600
	if v := r.URL.Query().Get("expirationSeconds"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return 0, nil, invalid("expirationSeconds must be positive")
		}
		seconds = n
	}
	expires := s.options.Now().Add(time.Duration(seconds) * time.Second)
	until := strconv.FormatInt(expires.Unix(), 10)
	return http.StatusOK, map[string]any{
		"url":       "http://" + r.Host + "/_signed/" + f.ID + "?expires=" + until + "&signature=" + s.sign(f.ID, until),
		"expiresAt": iso(expires), "name": f.Name, "extension": f.Extension, "size": f.Size, "type": f.kind(),
	}, nil
}

func (s *Simulator) sign(id, until string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + " " + until))
	return hex.EncodeToString(mac.Sum(nil))
}

// download serves the bytes behind a signed URL.
func (s *Simulator) download(w http.ResponseWriter, r *http.Request) {
	id, until := r.PathValue("id"), r.URL.Query().Get("expires")
	expires, _ := strconv.ParseInt(until, 10, 64)
	signed := hmac.Equal([]byte(r.URL.Query().Get("signature")), []byte(s.sign(id, until)))
	if !signed || s.options.Now().Unix() >= expires {
		http.Error(w, "the signature is wrong or has expired", http.StatusForbidden)
		return
	}
	content, f, err := s.openFile(id)
	if err != nil {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	defer func() { _ = content.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.fullName()}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", f.UpdatedAt, content)
}

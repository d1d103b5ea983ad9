package salesforce

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// maxFile is the largest file of a ContentVersion, in bytes.
// https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html
const maxFile = 2 << 30

// upload is what a multipart body held.
type upload struct {
	fields map[string]any
	blob   string // name of the file that has the bytes; empty: there were none
	size   int64
	md5    string
}

// postVersion makes a file: its fields come first, the bytes second.
func (s *Simulator) postVersion(r *http.Request) answer {
	u, err := s.receive(r)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		var version *record
		if version, err = s.publish(u); err == nil {
			return answer{http.StatusCreated, map[string]any{"id": version.ID, "success": true, "errors": []any{}}}
		}
	}
	s.journal.RemoveFile(u.blob) // nobody knows of it
	return answerOf(err)
}

func (s *Simulator) receive(r *http.Request) (*upload, error) {
	u := &upload{}
	m, err := r.MultipartReader()
	if err != nil {
		return u, refuse(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "multipart/form-data is simulated only")
	}
	for n := 0; ; n++ {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u, refuse(http.StatusBadRequest, "UNKNOWN_EXCEPTION", "the body ended early")
		}
		switch {
		case n == 0 && part.FormName() == "entity_content" && strings.HasPrefix(part.Header.Get("Content-Type"), "application/json"):
			u.fields, err = decode(part)
		case n == 1 && part.FormName() == "VersionData" && part.FileName() != "":
			err = s.receiveBytes(part, u)
		default:
			err = refuse(http.StatusBadRequest, "INVALID_MULTIPART_REQUEST", "Multipart message must include a non-binary part first, then the binary part")
		}
		if err != nil {
			return u, err
		}
	}
	if u.fields == nil || u.blob == "" {
		return u, refuse(http.StatusBadRequest, "INVALID_MULTIPART_REQUEST", "Multipart message must include a non-binary part and a binary part")
	}
	return u, nil
}

func (s *Simulator) receiveBytes(part *multipart.Part, u *upload) (err error) {
	u.blob = rand.Text()
	hash := md5.New()
	u.size, err = s.journal.PutFile(u.blob, io.TeeReader(io.LimitReader(part, maxFile), hash))
	u.md5 = hex.EncodeToString(hash.Sum(nil))
	if err != nil {
		return refuse(http.StatusBadRequest, "UNKNOWN_EXCEPTION", "the body ended early")
	}
	return nil
}

// bytes answers with the content of a version.
func (s *Simulator) bytes(id string) (answer, error) {
	version, err := s.find("ContentVersion", id)
	if err != nil {
		return answer{}, err
	}
	content, err := s.journal.OpenFile(version.Values["VersionData"])
	return answer{http.StatusOK, content}, err
}

// publish makes the version, its document, and the link to where it was published first.
func (s *Simulator) publish(u *upload) (*record, error) {
	o := s.schema["ContentVersion"]
	if !o.create || s.faults.forbidden[o.name] {
		return nil, refuse(http.StatusForbidden, "INSUFFICIENT_ACCESS", "entity type cannot be inserted: ContentVersion")
	}
	values, err := s.checked(o, nil, u.fields)
	if err != nil {
		return nil, err
	}
	if err := s.faults.lock(); err != nil {
		return nil, err
	}
	name := values["PathOnClient"]
	extension := path.Ext(name)
	if values["Title"] == "" {
		values["Title"] = strings.TrimSuffix(path.Base(name), extension)
	}
	values["VersionData"], values["ContentSize"], values["Checksum"] = u.blob, strconv.FormatInt(u.size, 10), u.md5
	values["FileExtension"] = strings.TrimPrefix(extension, ".")
	document := s.newRecord("ContentDocument", map[string]string{"Title": values["Title"]})
	document.By = s.user(0)
	if err := s.commit(document); err != nil {
		return nil, err
	}
	values["ContentDocumentId"] = document.ID
	version := s.newRecord("ContentVersion", values)
	version.By = s.user(0)
	if err := s.commit(version); err != nil {
		return nil, err
	}
	published := document.clone()
	published.Values["LatestPublishedVersionId"] = version.ID
	if err := s.commit(published); err != nil {
		return nil, err
	}
	if where := values["FirstPublishLocationId"]; where != "" {
		link := s.newRecord("ContentDocumentLink", map[string]string{
			"ContentDocumentId": document.ID, "LinkedEntityId": where, "ShareType": "V",
		})
		return version, s.commit(link)
	}
	return version, nil
}

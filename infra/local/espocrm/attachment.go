package espocrm

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
)

// postMaxSize is the largest request, in bytes: PHP's post_max_size as EspoCRM recommends it.
// https://docs.espocrm.com/administration/server-configuration/#php-requirements
const postMaxSize = 50 << 20

func (s *Simulator) serveAttachment(r *request, w http.ResponseWriter) (any, error) {
	switch {
	case len(r.parts) == 1 && r.Method == http.MethodPost:
		return s.postAttachment(r)
	case len(r.parts) == 2 && r.Method == http.MethodGet:
		return s.getAttachment(r)
	case len(r.parts) == 3 && r.parts[1] == "file" && r.Method == http.MethodGet:
		return nil, s.getFile(r, w)
	}
	return nil, forbidden("No access.") // attachments are not listed
}

// postAttachment is not under the lock while bytes arrive.
func (s *Simulator) postAttachment(r *request) (any, error) {
	if r.ContentLength > postMaxSize {
		return nil, &refusal{Status: http.StatusRequestEntityTooLarge}
	}
	blob := rand.Text()
	in, size, err := s.receive(io.LimitReader(r.Body, postMaxSize), blob)
	if err == nil {
		var answer any
		if answer, err = s.storeAttachment(r, in, blob, size); err == nil {
			return answer, nil
		}
	}
	s.journal.RemoveFile(blob) // nobody knows of it
	return nil, err
}

// receive reads the body; the member "file" goes to disk.
func (s *Simulator) receive(body io.Reader, blob string) (in map[string]any, size int64, err error) {
	in, err = readObject(body, "file", func(value io.Reader) error {
		if err := skipHead(value); err != nil {
			return err
		}
		size, err = s.journal.PutFile(blob, base64.NewDecoder(base64.StdEncoding, value))
		return err
	})
	if err != nil {
		return nil, 0, badRequest("Bad file data.")
	}
	return in, size, nil
}

// skipHead reads "data:image/jpeg;base64,".
func skipHead(value io.Reader) error {
	var head strings.Builder
	for b := make([]byte, 1); b[0] != ','; {
		if _, err := io.ReadFull(value, b); err != nil || head.Len() > 200 {
			return errors.New("no data URL")
		}
		head.Write(b)
	}
	if !strings.HasPrefix(head.String(), "data:") || !strings.HasSuffix(head.String(), ";base64,") {
		return errors.New("no data URL")
	}
	return nil
}

func (s *Simulator) storeAttachment(r *request, in map[string]any, blob string, size int64) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entities[attachments]
	rec := s.newRecord(attachments, r.user)
	if _, ok := in["file"]; !ok {
		return nil, badRequest("No file contents.")
	}
	delete(in, "file")
	if err := s.fill(rec, e, in); err != nil {
		return nil, err
	}
	if err := s.checkTarget(r, rec); err != nil {
		return nil, err
	}
	rec.Attr["size"], rec.Attr["blob"] = float64(size), blob
	return s.render(e, rec, false), s.commit(change{Record: rec})
}

// checkTarget keeps the rules on where a file may go.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Tools/Attachment/AccessChecker.php
func (s *Simulator) checkTarget(r *request, rec *record) error {
	if role := rec.text("role"); role != "Attachment" && role != "Inline Attachment" {
		return forbidden("Role not allowed.")
	}
	kind := rec.text("parentType")
	if kind == "" {
		kind = rec.text("relatedType")
	}
	e := s.entities[kind]
	if e == nil {
		return forbidden("")
	}
	f := e.Fields[rec.text("field")]
	if f == nil {
		return forbidden("Field '" + rec.text("field") + "' does not exist.")
	}
	if !slices.Contains([]string{"file", "image", "attachmentMultiple"}, f.Type) {
		return forbidden("Field type '" + f.Type + "' is not allowed for Attachment.")
	}
	if s.may(r.user, kind, "create") != nil && s.may(r.user, kind, "edit") != nil {
		return forbidden("No access to " + kind + ".")
	}
	return nil
}

// readable returns an attachment to whoever made it, or may read the record that it is on.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Classes/Acl/Attachment/AccessChecker.php
func (s *Simulator) readable(r *request, id string) (*record, error) {
	rec := s.get(attachments, id)
	if rec == nil {
		return nil, notFound()
	}
	may := r.user.admin || rec.text("createdById") == r.user.id
	for _, on := range s.order {
		if on.Deleted || !slices.Contains(on.list("attachmentsIds"), id) && !slices.Contains(on.list("filesIds"), id) {
			continue
		}
		kind := on.Type
		if kind == notes {
			kind = on.text("parentType")
		}
		may = may || s.may(r.user, kind, "read") == nil
	}
	if !may {
		return nil, forbidden("No 'read' access.")
	}
	return rec, nil
}

func (s *Simulator) getAttachment(r *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, err := s.readable(r, r.parts[1])
	if err != nil {
		return nil, err
	}
	return s.render(s.entities[attachments], rec, false), nil
}

func (s *Simulator) getFile(r *request, w http.ResponseWriter) error {
	s.mu.Lock()
	rec, err := s.readable(r, r.parts[2])
	s.mu.Unlock()
	if err != nil {
		return err
	}
	in, err := s.journal.OpenFile(rec.text("blob"))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	w.Header().Set("Content-Type", rec.text("type"))
	w.Header().Set("Content-Disposition", "attachment")
	http.ServeContent(w, r.Request, "", rec.createdAt(), in)
	return nil
}

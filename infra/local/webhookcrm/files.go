package webhookcrm

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
)

// maxFile is the largest file that the simulator takes, in bytes.
const maxFile = 2 << 30

// putFile stores the body as a file of an entry. It holds no more of it in memory than a buffer.
func (s *Simulator) putFile(r *http.Request, d document) answer {
	if d.File.Key == "" || d.File.Name == "" || len(d.File.SHA256) != 2*sha256.Size {
		return wrong(http.StatusUnprocessableEntity, "file")
	}
	if a, done := s.haveFile(d); done {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxFile)) // so that the caller reads the answer
		return a
	}
	blob := rand.Text()
	if err := s.keep(r.Body, blob, d); err != nil {
		s.journal.RemoveFile(blob) // it isn't what was signed
		if errors.Is(err, errBytes) {
			return wrong(http.StatusConflict, "other_bytes") // lost on the way: it is to be sent again
		}
		return wrong(http.StatusInternalServerError, "not_stored")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, done := s.haveFileLocked(d); done { // somebody else was faster
		s.journal.RemoveFile(blob)
		return a
	}
	e, _ := s.entry(d.Entry.Ref)
	f := &file{
		ID: s.ids.Next(), Key: d.File.Key, Entry: e.ID, Name: d.File.Name, MIME: d.File.MIME,
		Size: d.File.Size, SHA256: d.File.SHA256, Changed: s.options.Now(), Blob: blob,
	}
	return saved(s.commit(change{File: f}), s.done(f.ID, true))
}

func (s *Simulator) haveFile(d document) (a answer, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.haveFileLocked(d)
}

// haveFileLocked answers at once if the file is there already, or its entry isn't.
func (s *Simulator) haveFileLocked(d document) (a answer, done bool) {
	e, ok := s.entry(d.Entry.Ref)
	if !ok {
		return wrong(http.StatusGone, "entry_deleted"), true
	}
	f, ok := s.files.find(func(f *file) bool { return f.Key == d.File.Key && f.Entry == e.ID })
	if !ok {
		return answer{}, false
	}
	return s.done(f.ID, false), true
}

// keep writes the bytes down and compares them with what was signed.
func (s *Simulator) keep(body io.Reader, blob string, d document) error {
	hash := sha256.New()
	n, err := s.journal.PutFile(blob, io.TeeReader(io.LimitReader(body, maxFile), hash))
	if err != nil {
		return err
	}
	if n != d.File.Size || hex.EncodeToString(hash.Sum(nil)) != d.File.SHA256 {
		return errBytes
	}
	return nil
}

package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"threadline/shared/chat"
)

// File is something that was uploaded to be sent.
type File struct {
	ID     string                     `json:"id"`
	Name   string                     `json:"name,omitempty"`
	MIME   string                     `json:"mime"`
	SHA256 string                     `json:"sha256"` // hex
	Key    string                     `json:"key"`    // of the object that holds it
	Size   int64                      `json:"size"`   // bytes
	Media  map[chat.NumberID]Uploaded `json:"media,omitempty"`
}

// Uploaded is a file at Meta, for one number.
type Uploaded struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"` // when Meta forgets it
}

const (
	filePrefix = "f_"       // of a file's id, which Meta's ids don't have
	uploads    = "uploads/" // where the bucket keeps files, by id
)

// NewFileID mints the id of a file.
func (s *Store) NewFileID() string { return filePrefix + s.newID() }

// IsFileID tells the id of a file here from Meta's.
func IsFileID(id string) bool { return strings.HasPrefix(id, filePrefix) }

// FileKey is the key of the object that holds a file.
func FileKey(id string) string { return uploads + id }

// FileOf returns the file that an object holds; ok is false for an object that isn't one's.
func FileOf(key string) (id string, ok bool) { return strings.CutPrefix(key, uploads) }

// PutFile remembers a file, under an id of NewFileID. The same again changes nothing.
func (s *Store) PutFile(ctx context.Context, f File) error {
	k := fileKey(f.ID)
	return s.contend(ctx, func() error {
		o, err := doc[File]{key: k, val: f, ttl: s.expiry()}.put()
		if err != nil {
			return err
		}
		if err = s.write(ctx, o); !errors.Is(err, errChanged) {
			return err
		}
		there, err := s.file(ctx, f.ID)
		switch {
		case chat.CodeOf(err) == chat.NotFound:
			return errChanged // it was forgotten just now
		case err != nil:
			return err
		case there.val.SHA256 != f.SHA256 || there.val.Key != f.Key:
			return chat.E(chat.Conflict, "another file has this id", nil)
		}
		return nil
	})
}

// File returns a file.
func (s *Store) File(ctx context.Context, id string) (File, error) {
	d, err := s.file(ctx, id)
	return d.val, err
}

func (s *Store) file(ctx context.Context, id string) (doc[File], error) {
	items, err := s.get(ctx, fileKey(id))
	if err != nil {
		return doc[File]{}, err
	}
	d, err := read[File](items, fileKey(id))
	if err == nil && d.rev == 0 {
		err = errNoFile
	}
	return d, err
}

var errNoFile = chat.E(chat.NotFound, "there is no such file", nil)

// SetUploaded remembers where a file is at Meta, for one number. Of two uploads the one that lasts longer counts.
func (s *Store) SetUploaded(ctx context.Context, id string, n chat.NumberID, u Uploaded) error {
	return s.editFile(ctx, id, func(f *File) bool {
		if known, there := f.Media[n]; there && !u.Until.After(known.Until) {
			return false
		}
		if f.Media == nil {
			f.Media = map[chat.NumberID]Uploaded{}
		}
		f.Media[n] = u
		return true
	})
}

// ForgetUploaded forgets where a file is at Meta, for one number, if it is there under this id.
func (s *Store) ForgetUploaded(ctx context.Context, id string, n chat.NumberID, media string) error {
	return s.editFile(ctx, id, func(f *File) bool {
		if f.Media[n].ID != media {
			return false
		}
		delete(f.Media, n)
		return true
	})
}

func (s *Store) editFile(ctx context.Context, id string, change func(*File) bool) error {
	_, err := edit(ctx, s, fileKey(id), func(d *doc[File]) (bool, error) {
		if d.rev == 0 {
			return false, errNoFile
		}
		return change(&d.val), nil
	})
	return err
}

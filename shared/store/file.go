package store

import (
	"context"
	"errors"
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

// NewFileID mints the id of a file.
func (s *Store) NewFileID() string { return "f_" + s.newID() }

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
		err = chat.E(chat.NotFound, "there is no such file", nil)
	}
	return d, err
}

// SetUploaded remembers where a file is at Meta, for one number. Of two uploads the one that lasts longer counts.
func (s *Store) SetUploaded(ctx context.Context, id string, n chat.NumberID, u Uploaded) error {
	return s.contend(ctx, func() error {
		d, err := s.file(ctx, id)
		if err != nil {
			return err
		}
		if known, there := d.val.Media[n]; there && !u.Until.After(known.Until) {
			return nil
		}
		if d.val.Media == nil {
			d.val.Media = map[chat.NumberID]Uploaded{}
		}
		d.val.Media[n] = u
		o, err := d.put()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
}

// ForgetUploaded forgets where a file is at Meta, for one number, if it is there under this id.
func (s *Store) ForgetUploaded(ctx context.Context, id string, n chat.NumberID, media string) error {
	return s.contend(ctx, func() error {
		d, err := s.file(ctx, id)
		if err != nil || d.val.Media[n].ID != media {
			return err
		}
		delete(d.val.Media, n)
		o, err := d.put()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
}

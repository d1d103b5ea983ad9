package store

import (
	"context"

	"threadline/shared/chat"
)

// Decided tells whether what holds of a contact was decided by hand under this id, the Stamp's of Join or Part: then
// whoever asks for it again asks for nothing new.
func (s *Store) Decided(ctx context.Context, c chat.ContactID, id string) (bool, error) {
	items, err := s.get(ctx, contactKey(c))
	if err != nil {
		return false, err
	}
	d, err := read[chat.Contact](items, contactKey(c))
	if err != nil {
		return false, err
	}
	for _, p := range d.val.Parted {
		if p.Stamp.ID == id {
			return true, nil
		}
	}
	return false, nil
}

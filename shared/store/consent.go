package store

import (
	"context"

	"threadline/shared/chat"
)

// Statement is what a customer said about a category of messages, as it was learned.
type Statement struct {
	Contact  chat.ContactID `json:"contact"`
	Category string         `json:"category"`
	chat.Consent
}

// Prefer records what a customer said about a category of messages.
func (s *Store) Prefer(ctx context.Context, seen chat.Seen, category string, c chat.Consent) (chat.Contact, error) {
	return s.Person(ctx, seen)
}

// ConsentOf returns what a contact, or somebody joined to it, ever said about messages: the newest first.
func (s *Store) ConsentOf(ctx context.Context, c chat.ContactID) ([]Statement, error) {
	return nil, nil
}

package store

import (
	"context"
	"slices"

	"threadline/shared/chat"
)

// Statement is what a customer said about a category of messages, as it was learned: the evidence for Contact.Consent.
type Statement struct {
	Contact  chat.ContactID `json:"contact"`
	Category string         `json:"category"`
	chat.Consent
}

func statementKey(st Statement) key {
	return key{"USER#" + string(st.Contact), "CONSENT#" + millis(st.Stamp.At) + "#" + st.Stamp.ID + "#" + st.Category}
}

// Prefer records what a customer said about a category of messages, and keeps it as evidence for ever. The newest word
// holds, whichever of the joined contacts it came through; of two in one second, the refusal. It makes the contact if
// there is none.
func (s *Store) Prefer(ctx context.Context, seen chat.Seen, category string, c chat.Consent) (chat.Contact, error) {
	c.Stamp.At = c.Stamp.At.UTC()
	var who chat.Contact
	err := s.contend(ctx, func() error {
		items, err := s.get(ctx, aliasKeys(seen)...)
		if err != nil {
			return err
		}
		r, err := s.resolving(ctx, seen, items)
		if err != nil {
			return err
		}
		r.learn(r.self, chat.Profile{Consent: map[string]chat.Consent{category: c}})
		out, err := r.finish()
		if err != nil {
			return err
		}
		who = out.who
		st := Statement{out.self, category, c}
		o, err := doc[Statement]{key: statementKey(st), val: st}.overwrite()
		if err != nil {
			return err
		}
		return s.write(ctx, append(out.writes, o)...)
	})
	return who, err
}

// ConsentOf returns what a contact, or one that is joined with it, ever said about messages: the newest first.
func (s *Store) ConsentOf(ctx context.Context, c chat.ContactID) ([]Statement, error) {
	who, err := s.Contact(ctx, c)
	if err != nil {
		return nil, err
	}
	var all []Statement
	for _, id := range append([]chat.ContactID{who.ID}, who.Absorbed...) {
		items, err := s.query(ctx, prefix("USER#"+string(id), "CONSENT#"))
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			d, err := decode[Statement](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			all = append(all, d.val)
		}
	}
	slices.SortStableFunc(all, func(a, b Statement) int {
		switch {
		case a.Stamp.Newer(b.Stamp):
			return -1
		case b.Stamp.Newer(a.Stamp):
			return 1
		}
		return 0
	})
	return all, nil
}

package store

import (
	"context"

	"threadline/shared/chat"
)

// Link is the record of a contact in a CRM.
type Link struct {
	Ref   string `json:"ref"`
	Shown string `json:"shown,omitempty"` // hash of what the CRM was told of the person
}

// Link returns the contact's record in a CRM, empty if none is known.
func (s *Store) Link(ctx context.Context, c chat.ContactID, connector string) (Link, error) {
	k := linkKey(c, connector)
	items, err := s.get(ctx, k)
	if err != nil {
		return Link{}, err
	}
	d, err := read[Link](items, k)
	return d.val, err
}

// SetLink remembers the contact's record in a CRM. The CRM's unique key decides which one that is, so whoever writes
// last writes the same.
func (s *Store) SetLink(ctx context.Context, c chat.ContactID, connector string, l Link) error {
	return s.contend(ctx, func() error {
		o, err := doc[Link]{key: linkKey(c, connector), val: l}.overwrite()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
}

// Entry is how far a message has come in a CRM.
type Entry struct {
	Contact string `json:"contact"`          // the CRM's record that it is on
	Ref     string `json:"ref,omitempty"`    // empty while it is claimed, and if that outcome is unknown
	File    string `json:"file,omitempty"`   // the attached file
	Shown   string `json:"shown,omitempty"`  // hash of what was last written
	Reason  string `json:"reason,omitempty"` // why the CRM refused it, for good
}

// ClaimEntry changes what is known of a message's entry in a CRM. It writes if claim changes something, or if nothing was
// known yet.
func (s *Store) ClaimEntry(ctx context.Context, m chat.Message, connector string, claim func(*Entry)) (Entry, error) {
	return edit(ctx, s, entryKey(m.Conversation, connector, m.ID), func(d *doc[Entry]) (bool, error) {
		before := d.val
		claim(&d.val)
		if d.rev == 0 {
			d.ttl = s.expiry()
		}
		return d.val != before || d.rev == 0, nil
	})
}

// Entries returns what is known of the entries of a conversation's messages in a CRM. Those of which nothing is known are
// missing from the answer.
func (s *Store) Entries(ctx context.Context, conv chat.ConversationID, connector string, ids []chat.MessageID) (map[chat.MessageID]Entry, error) {
	var keys []key
	for _, id := range ids {
		keys = append(keys, entryKey(conv, connector, id))
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := make(map[chat.MessageID]Entry, len(items))
	for _, id := range ids {
		d, err := read[Entry](items, entryKey(conv, connector, id))
		if err != nil {
			return nil, err
		}
		if d.rev > 0 {
			out[id] = d.val
		}
	}
	return out, nil
}

package store

import (
	"context"

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

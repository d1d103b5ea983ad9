package store

import (
	"context"
	"slices"
	"time"

	"threadline/shared/chat"
)

// Bundle is the entry to which a customer's next messages in a conversation are added.
type Bundle struct {
	Head  string    `json:"head"` // SortKey of its first message
	Until time.Time `json:"until"`
}

// bundleKey names the contact too: in a group chat each customer's words are on their own record.
func bundleKey(m chat.Message, connector string) key {
	return key{"CONV#" + string(m.Conversation), "CRMBUNDLE#" + connector + "#" + string(m.Contact)}
}

// Bundle returns the entry to which a message is added: the customer's open one, or one that begins with it.
func (s *Store) Bundle(ctx context.Context, m chat.Message, connector string, span time.Duration) (Bundle, error) {
	first, instant := SortKey(m), messageSort(m.At, newestFirst) // within one, keys are in no order
	return edit(ctx, s, bundleKey(m, connector), func(d *doc[Bundle]) (bool, error) {
		if d.val.Head != "" && d.val.Head <= instant && m.At.Before(d.val.Until) {
			return false, nil
		}
		if d.val.Head > instant {
			d.val = Bundle{Head: first} // it came late: an entry of its own, and the open one stays open
			return false, nil
		}
		d.val, d.ttl = Bundle{first, m.At.Add(span).UTC()}, s.expiry()
		return true, nil
	})
}

// CloseBundle makes a message, or the next one, begin an entry of its own.
func (s *Store) CloseBundle(ctx context.Context, m chat.Message, connector, head string) error {
	_, err := edit(ctx, s, bundleKey(m, connector), func(d *doc[Bundle]) (bool, error) {
		if d.val.Head != head || d.val.Until.IsZero() {
			return false, nil
		}
		d.val.Until = time.Time{}
		return true, nil
	})
	return err
}

// MessagesAt returns messages of a conversation by their SortKeys, in the order in which people read them. Those that are
// past their retention are missing.
func (s *Store) MessagesAt(ctx context.Context, conv chat.ConversationID, sorts []string) ([]chat.Message, error) {
	var keys []key
	for _, sort := range sorts {
		keys = append(keys, key{"CONV#" + string(conv), sort})
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var out []chat.Message
	for _, k := range keys {
		d, err := read[chat.Message](items, k)
		if err != nil {
			return nil, err
		}
		if d.rev > 0 {
			out = append(out, d.val)
		}
	}
	slices.SortFunc(out, earlier)
	return out, nil
}

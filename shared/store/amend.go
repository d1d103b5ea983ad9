package store

import (
	"context"
	"encoding/json"
	"fmt"

	"threadline/shared/chat"
)

// amendKey is where an amendment waits for its message: beside the receipts, before REF. The same one has the same place.
func amendKey(n chat.NumberID, a chat.Amendment) (key, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return key{}, fmt.Errorf("name an amendment: %w", err)
	}
	return key{"WAMID#" + string(n) + "#" + a.Target, "AMEND#" + Hash(b)}, nil
}

// Amend applies what a stored message says of an earlier one: a reaction, an edit, a deletion, what came of a call. When
// that one isn't stored yet, it waits for it. found tells whether there was one; then target is what became of it. A
// message that amends nothing finds nothing.
func (s *Store) Amend(ctx context.Context, m chat.Message) (target chat.Message, found bool, err error) {
	a, ok := m.Amends()
	if !ok {
		return target, false, nil
	}
	return s.amend(ctx, m.Conversation.Number(), a)
}

// Signal notes on a message what Meta derived from it, such as a lead. When that message isn't stored yet, the signal
// waits for it.
func (s *Store) Signal(ctx context.Context, n chat.NumberID, providerID string, g chat.Signal) (target chat.Message, found bool, err error) {
	if providerID == "" {
		return target, false, nil
	}
	return s.amend(ctx, n, chat.Amendment{Target: providerID, Kind: chat.KindSystem, Stamp: g.Stamp, Signal: &g})
}

func (s *Store) amend(ctx context.Context, n chat.NumberID, a chat.Amendment) (target chat.Message, found bool, err error) {
	if len(a.Target) > MaxProviderID {
		return target, false, nil // nothing is stored under such a name
	}
	name := providerKey(n, a.Target)
	err = s.contend(ctx, func() error {
		items, err := s.get(ctx, name)
		if err != nil {
			return err
		}
		named, err := read[ref](items, name)
		if err != nil {
			return err
		}
		if named.rev == 0 {
			found = false
			k, err := amendKey(n, a)
			if err != nil {
				return err
			}
			return parkAt(ctx, s, k, a, name)
		}
		target, err = s.applyOnce(ctx, named.val, later{amendments: []chat.Amendment{a}}, "", nil)
		found = err == nil
		return err
	})
	if chat.CodeOf(err) == chat.NotFound {
		return chat.Message{}, false, nil // the message is past its retention
	}
	return target, found && err == nil, err
}

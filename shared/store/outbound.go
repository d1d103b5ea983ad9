package store

import (
	"context"

	"threadline/shared/chat"
)

// Queue stores a message of ours at its place in its conversation, exactly once: again with the same id it returns what
// was stored. The same id with another request is a conflict that waiting won't mend. Both api and sender call it;
// whoever comes first stores.
func (s *Store) Queue(ctx context.Context, m chat.Message) (stored chat.Message, first bool, err error) {
	err = s.contend(ctx, func() (err error) {
		stored, first, err = s.queue(ctx, m)
		return err
	})
	return stored, first, err
}

// ErrOtherRequest says that the id was given to another request before.
var ErrOtherRequest = &chat.Error{Kind: chat.Conflict, Message: "the Idempotency-Key was used for another request: use a new key"}

func (s *Store) queue(ctx context.Context, m chat.Message) (chat.Message, bool, error) {
	items, err := s.get(ctx, ourKey(m.ID))
	if err != nil {
		return m, false, err
	}
	known, err := read[ref](items, ourKey(m.ID))
	if err != nil {
		return m, false, err
	}
	if known.rev > 0 {
		if known.val.Hash != m.Send.Request {
			return m, false, ErrOtherRequest
		}
		d, err := s.message(ctx, known.val)
		return d.val, false, err
	}
	conv := chat.Conversation{ID: m.Conversation, Number: m.Conversation.Number(), Contact: m.Contact, Group: m.Send.To.Group}
	stored, ops, err := s.append(ctx, conv, m)
	if err != nil {
		return m, false, err
	}
	reference, err := doc[ref]{key: ourKey(m.ID), ttl: s.refExpiry(),
		val: ref{stored.Conversation, messageSort(m.At, string(m.ID)), m.Send.Request}}.put()
	if err != nil {
		return m, false, err
	}
	return stored, true, s.write(ctx, append(ops, reference)...)
}

// Catch applies the receipts that came before the message's name was known. Accept does so too; this is for whoever finds
// a message accepted and can't know whether Accept got that far.
func (s *Store) Catch(ctx context.Context, m chat.Message) (chat.Message, error) {
	if m.ProviderID == "" {
		return m, nil
	}
	return s.applyParked(ctx, m.Conversation.Number(), m.ProviderID, m, "")
}

// Accept records that Meta took a message of ours under the given id, and applies the receipts that came before.
func (s *Store) Accept(ctx context.Context, m chat.Message, providerID string) (chat.Message, error) {
	name := providerKey(m.Conversation.Number(), providerID)
	at := ref{m.Conversation, messageSort(m.At, string(m.ID)), m.Send.Request}
	var out chat.Message
	err := s.contend(ctx, func() error {
		items, err := s.get(ctx, at.key(), name)
		if err != nil {
			return err
		}
		d, err := read[chat.Message](items, at.key())
		if err != nil {
			return err
		}
		if d.rev == 0 {
			return chat.E(chat.NotFound, "the message has expired", nil)
		}
		if d.val.ProviderID == "" {
			d.val.ProviderID = providerID
		}
		d.val.Reach(chat.Accepted, s.now(), nil)
		d.val.Send.Lease = ""
		out = d.val
		put, err := d.put()
		if err != nil {
			return err
		}
		ops := []op{put}
		named, err := read[ref](items, name)
		if err != nil {
			return err
		}
		if named.rev == 0 {
			o, err := doc[ref]{key: name, val: at, ttl: s.refExpiry()}.put()
			if err != nil {
				return err
			}
			ops = append(ops, o)
		}
		return s.write(ctx, ops...)
	})
	if err != nil {
		return out, err
	}
	return s.applyParked(ctx, m.Conversation.Number(), providerID, out, "")
}

package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"threadline/shared/chat"
)

// parkedFor is how long a receipt waits for its message. Meta gives a message up after 30 days.
// https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages
const parkedFor = 30 * 24 * time.Hour

// Settle applies a receipt to its message, or parks it when the message isn't stored yet. ok tells whether there was a
// message. The message's Settled equals the receipt's hash when this receipt is what told us that Meta has the message,
// or that it failed after all: then its entry on the customer's record is due, also on a redelivery.
func (s *Store) Settle(ctx context.Context, r chat.Receipt) (m chat.Message, ok bool, err error) {
	err = s.contend(ctx, func() (err error) {
		m, ok, err = s.settle(ctx, r)
		return err
	})
	if err != nil || !ok || !r.ID.Ours() {
		return m, ok, err
	}
	// One with our id may be what put the REF, in this call or in one that died right after: others may wait there.
	m, err = s.applyParked(ctx, r.Number, r.ProviderID, m, r.Hash)
	return m, err == nil, err
}

func (s *Store) settle(ctx context.Context, r chat.Receipt) (chat.Message, bool, error) {
	name := providerKey(r.Number, r.ProviderID)
	keys := []key{name}
	if r.ID.Ours() {
		keys = append(keys, ourKey(r.ID))
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return chat.Message{}, false, err
	}
	named, err := read[ref](items, name)
	if err != nil {
		return chat.Message{}, false, err
	}
	at := named
	if r.ID.Ours() {
		ours, err := read[ref](items, ourKey(r.ID))
		if err != nil {
			return chat.Message{}, false, err
		}
		if ours.rev > 0 {
			at = ours
		}
	}
	if at.rev == 0 {
		return chat.Message{}, false, s.park(ctx, r)
	}
	var extra []op
	if named.rev == 0 { // it names one of ours whose answer we never saw
		o, err := doc[ref]{key: name, val: at.val, ttl: at.ttl}.put()
		if err != nil {
			return chat.Message{}, false, err
		}
		extra = append(extra, o)
	}
	m, err := s.applyOnce(ctx, at.val, []chat.Receipt{r}, r.Hash, extra)
	if chat.CodeOf(err) == chat.NotFound {
		return chat.Message{}, false, nil // the message is past its retention; so is the receipt
	}
	return m, err == nil, err
}

// park keeps a receipt until its message is stored. The check makes sure that nobody stores it without looking here.
func (s *Store) park(ctx context.Context, r chat.Receipt) error {
	o, err := doc[chat.Receipt]{key: receiptKey(r), val: r, ttl: s.now().Add(parkedFor)}.overwrite()
	if err != nil {
		return err
	}
	return s.write(ctx, op{key: providerKey(r.Number, r.ProviderID), cond: absent}, o)
}

// applyParked applies the receipts that came before their message. Whoever puts a REF calls it. by is the receipt that
// the caller answers for, if any.
func (s *Store) applyParked(ctx context.Context, n chat.NumberID, providerID string, m chat.Message, by string) (chat.Message, error) {
	items, err := s.query(ctx, prefix("WAMID#"+string(n)+"#"+providerID, "RECEIPT#"))
	if err != nil || len(items) == 0 {
		return m, err
	}
	var rs []chat.Receipt
	for _, it := range items {
		d, err := decode[chat.Receipt](keyOf(it), it)
		if err != nil {
			return m, err
		}
		rs = append(rs, d.val)
	}
	at := ref{Conversation: m.Conversation, Sort: messageSort(m.At, string(m.ID))}
	err = s.contend(ctx, func() (err error) {
		m, err = s.applyOnce(ctx, at, rs, by, nil)
		return err
	})
	return m, err
}

// applyOnce applies receipts to a message. What they settle is put down to by, or else to each of them.
func (s *Store) applyOnce(ctx context.Context, at ref, rs []chat.Receipt, by string, extra []op) (chat.Message, error) {
	d, err := s.message(ctx, at)
	if err != nil {
		return d.val, err
	}
	changed := false
	for _, r := range rs {
		before := d.val.Status
		if d.val.Direction == chat.In || !d.val.Apply(r) {
			continue
		}
		changed = true
		if failed := d.val.Status == chat.Failed && before != chat.Failed; failed || d.val.Status.AtMeta() != before.AtMeta() {
			d.val.Settled = cmp.Or(by, r.Hash)
		}
	}
	if !changed && len(extra) == 0 {
		return d.val, nil
	}
	o, err := d.put()
	if err != nil {
		return d.val, err
	}
	return d.val, s.write(ctx, append(extra, o)...)
}

// errSame ends a Change that has nothing to change.
var errSame = errors.New("nothing to change")

// Same is returned by the function given to Change when the message is to be left as it is.
func Same() error { return errSame }

// Change replaces a message by what edit makes of it. edit may be called several times, each time with the present
// state; any error but Same ends the change and is returned.
func (s *Store) Change(ctx context.Context, conv chat.ConversationID, at time.Time, id chat.MessageID,
	edit func(*chat.Message) error) (chat.Message, error) {
	var m chat.Message
	err := s.contend(ctx, func() error {
		d, err := s.message(ctx, ref{Conversation: conv, Sort: messageSort(at, string(id))})
		if err != nil {
			return err
		}
		err = edit(&d.val)
		m = d.val
		if errors.Is(err, errSame) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := d.put()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
	return m, err
}

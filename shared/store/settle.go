package store

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"threadline/shared/chat"
)

// parkedFor is how long a receipt or an amendment waits for its message. Meta gives a message up after 30 days.
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
	m, err := s.applyOnce(ctx, at.val, later{receipts: []chat.Receipt{r}}, r.Hash, extra)
	if chat.CodeOf(err) == chat.NotFound {
		return chat.Message{}, false, nil // the message is past its retention; so is the receipt
	}
	return m, err == nil, err
}

// park keeps a receipt until its message is stored.
func (s *Store) park(ctx context.Context, r chat.Receipt) error {
	return parkAt(ctx, s, receiptKey(r), r, providerKey(r.Number, r.ProviderID))
}

// parkAt keeps what is said of a message until that is stored. The check makes sure that nobody stores it without looking
// here.
func parkAt[T any](ctx context.Context, s *Store, k key, said T, name key) error {
	o, err := doc[T]{key: k, val: said, ttl: s.now().Add(parkedFor)}.overwrite()
	if err != nil {
		return err
	}
	return s.write(ctx, op{key: name, cond: absent}, o)
}

// later is what was said of a message.
type later struct {
	receipts   []chat.Receipt
	amendments []chat.Amendment
}

// parked returns what came before its message. Both kinds lie next to each other, so that it is one query, and REF lies
// behind them.
func (s *Store) parked(ctx context.Context, n chat.NumberID, providerID string) (later, error) {
	var l later
	items, err := s.query(ctx, span{pk: providerKey(n, providerID).pk, from: "AMEND#", to: "RECEIPT#" + newestFirst})
	if err != nil {
		return l, err
	}
	for _, it := range items {
		if strings.HasPrefix(keyOf(it).sk, "AMEND#") {
			d, err := decode[chat.Amendment](keyOf(it), it)
			if err != nil {
				return l, err
			}
			l.amendments = append(l.amendments, d.val)
			continue
		}
		d, err := decode[chat.Receipt](keyOf(it), it)
		if err != nil {
			return l, err
		}
		l.receipts = append(l.receipts, d.val)
	}
	return l, nil
}

// applyParked applies what came before its message. Whoever puts a REF calls it. by is the receipt that the caller
// answers for, if any.
func (s *Store) applyParked(ctx context.Context, n chat.NumberID, providerID string, m chat.Message, by string) (chat.Message, error) {
	l, err := s.parked(ctx, n, providerID)
	if err != nil || len(l.receipts)+len(l.amendments) == 0 {
		return m, err
	}
	at := ref{Conversation: m.Conversation, Sort: messageSort(m.At, string(m.ID))}
	err = s.contend(ctx, func() (err error) {
		m, err = s.applyOnce(ctx, at, l, by, nil)
		return err
	})
	return m, err
}

// applyOnce applies what was said of a message. What receipts settle is put down to by, or else to each of them.
func (s *Store) applyOnce(ctx context.Context, at ref, l later, by string, extra []op) (chat.Message, error) {
	d, err := s.message(ctx, at)
	if err != nil {
		return d.val, err
	}
	changed := false
	for _, a := range l.amendments {
		if d.val.Amend(a) {
			changed = true
		}
	}
	for _, r := range l.receipts {
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
	edit func(*chat.Message) error) (m chat.Message, err error) {
	place := ref{Conversation: conv, Sort: messageSort(at, string(id))}
	err = s.contend(ctx, func() error {
		items, err := s.get(ctx, place.key())
		if err != nil {
			return err
		}
		m, err = s.change(ctx, place, items, edit)
		return err
	})
	return m, err
}

// ChangeIf is Change on a condition that the message's contact fulfils: allowed is asked of the contact, or of the one
// that speaks for it, and that one must still be as it was asked when the change is written. So nothing is begun after an
// objection was stored. Any error of allowed ends the change and is returned; so does a contact that isn't there.
func (s *Store) ChangeIf(ctx context.Context, conv chat.ConversationID, at time.Time, id chat.MessageID, contact chat.ContactID,
	allowed func(chat.Contact) error, edit func(*chat.Message) error) (m chat.Message, err error) {
	place := ref{Conversation: conv, Sort: messageSort(at, string(id))}
	err = s.contend(ctx, func() error {
		items, err := s.get(ctx, place.key(), contactKey(contact))
		if err != nil {
			return err
		}
		who, err := s.spokesman(ctx, contact, items)
		if err != nil {
			return err
		}
		if err := allowed(who.val); err != nil {
			return err
		}
		// protects: what was allowed is allowed at the moment of the write
		m, err = s.change(ctx, place, items, edit, op{key: who.key, cond: unchanged, rev: who.rev})
		return err
	})
	return m, err
}

// change writes what edit makes of a message that was read, if the checks hold.
func (s *Store) change(ctx context.Context, at ref, items map[key]item, edit func(*chat.Message) error, checks ...op) (chat.Message, error) {
	d, err := at.in(items)
	if err != nil {
		return chat.Message{}, err
	}
	if err := edit(&d.val); errors.Is(err, errSame) {
		return d.val, nil
	} else if err != nil {
		return d.val, err
	}
	o, err := d.put()
	if err != nil {
		return d.val, err
	}
	return d.val, s.write(ctx, append(checks, o)...)
}

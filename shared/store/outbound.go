package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

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

// Person finds or makes the contact that a request names.
func (s *Store) Person(ctx context.Context, seen chat.Seen) (chat.Contact, error) {
	var who chat.Contact
	err := s.contend(ctx, func() error {
		items, err := s.get(ctx, aliasKeys(seen)...)
		if err != nil {
			return err
		}
		if seen.Source == chat.SourceRequest {
			if c, known, err := s.holderOf(ctx, seen, items); known || err != nil {
				who = c
				return err
			}
		}
		r, err := s.resolve(ctx, seen, items)
		if err != nil {
			return err
		}
		who = r.who.val
		ops := r.writes
		if r.changed {
			o, err := r.who.put()
			if err != nil {
				return err
			}
			ops = append(ops, o)
		}
		if len(ops) == 0 {
			return nil
		}
		return s.write(ctx, ops...)
	})
	return who, err
}

// holderOf answers for an identity that is known already, without writing anything: a request is no evidence.
func (s *Store) holderOf(ctx context.Context, seen chat.Seen, items map[key]item) (chat.Contact, bool, error) {
	for _, k := range aliasKeys(seen) {
		a, err := read[chat.Alias](items, k)
		if err != nil {
			return chat.Contact{}, false, err
		}
		if id := a.val.HolderAt(seen.At); id != "" {
			c, err := s.Contact(ctx, id)
			return c, true, err
		}
	}
	return chat.Contact{}, false, nil
}

// Contact returns a person, or the one that speaks for them since they were joined.
func (s *Store) Contact(ctx context.Context, id chat.ContactID) (chat.Contact, error) {
	for {
		items, err := s.get(ctx, contactKey(id))
		if err != nil {
			return chat.Contact{}, err
		}
		d, err := read[chat.Contact](items, contactKey(id))
		if err != nil {
			return chat.Contact{}, err
		}
		if d.rev == 0 {
			return chat.Contact{}, chat.E(chat.NotFound, "there is no such contact", nil)
		}
		if d.val.Joined == "" {
			return d.val, nil
		}
		if d.val.Joined >= id { // the survivor is the older one, so the walk ends
			return chat.Contact{}, chat.E(chat.Internal, "", errors.New("contacts are joined in a circle"))
		}
		id = d.val.Joined
	}
}

// Identity is one of the names by which the network knows a contact.
type Identity struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Identities returns what a contact is known by now, also through the contacts joined to it: phones first, and of each
// kind the latest first, because that is where the contact is to be reached.
func (s *Store) Identities(ctx context.Context, c chat.Contact) ([]Identity, error) {
	var all []ownAlias
	for _, id := range append([]chat.ContactID{c.ID}, c.Absorbed...) {
		own, err := s.aliasesOf(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, own...)
	}
	slices.SortFunc(all, func(a, b ownAlias) int {
		if a.Kind != b.Kind {
			return strings.Compare(b.Kind, a.Kind) // wa_id before bsuid
		}
		return cmp.Or(b.Since.Compare(a.Since), strings.Compare(a.Value, b.Value))
	})
	var out []Identity
	for _, a := range all {
		out = append(out, Identity{a.Kind, a.Value})
	}
	return out, nil
}

// FindContact returns who holds an identity now.
func (s *Store) FindContact(ctx context.Context, kind, value string) (chat.Contact, bool, error) {
	k := aliasKey(kind, value)
	items, err := s.get(ctx, k)
	if err != nil {
		return chat.Contact{}, false, err
	}
	a, err := read[chat.Alias](items, k)
	if err != nil || len(a.val.Holders) == 0 {
		return chat.Contact{}, false, err
	}
	c, err := s.Contact(ctx, a.val.HolderAt(s.now().Add(24*time.Hour)))
	return c, err == nil, err
}

// FindContacts returns who holds a phone now, and who holds one of the other ways to write it: the exact one's first.
func (s *Store) FindContacts(ctx context.Context, phone string, variants []string) ([]chat.Contact, error) {
	var out []chat.Contact
	for _, v := range append([]string{phone}, variants...) {
		c, ok, err := s.FindContact(ctx, chat.AliasWAID, v)
		if err != nil {
			return nil, err
		}
		if ok && !slices.ContainsFunc(out, func(o chat.Contact) bool { return o.ID == c.ID }) {
			out = append(out, c)
		}
	}
	return out, nil
}

// Answered learns from Meta's answer to a send which identities the recipient has.
func (s *Store) Answered(ctx context.Context, m chat.Message, waid, bsuid string) error {
	return nil
}

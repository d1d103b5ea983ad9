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

// Person finds or makes the contact that an update or a request names.
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
		who = r.who
		if len(r.writes) == 0 {
			return nil
		}
		return s.write(ctx, r.writes...)
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

// Answered learns who the recipient of a message is from Meta's answer to it: the phone and the user id that it named,
// either of which may be empty. It counts as a message that shows both. If they are another contact's, and nothing says
// that the two are one person, both are flagged.
func (s *Store) Answered(ctx context.Context, m chat.Message, waid, bsuid string) error {
	to := chat.Address{}
	if m.Send != nil {
		to = m.Send.To
	}
	if m.Contact == "" || to.Group != "" || (waid == "" || waid == to.Phone) && (bsuid == "" || bsuid == to.BSUID) {
		return nil // nothing that we didn't know when we sent it
	}
	seen := chat.Seen{
		BSUID: cmp.Or(bsuid, to.BSUID), Phone: cmp.Or(waid, to.Phone), Variants: []string{to.Phone},
		At: m.At, Source: chat.SourceAnswer, ID: string(m.ID),
	}
	return s.contend(ctx, func() error {
		items, err := s.get(ctx, append(aliasKeys(seen), numberKey(m.Conversation.Number()))...)
		if err != nil {
			return err
		}
		n, err := read[Number](items, numberKey(m.Conversation.Number()))
		if err != nil {
			return err
		}
		seen.Scope = n.val.WABA
		r, err := s.resolving(ctx, seen, items, m.Contact)
		if err != nil {
			return err
		}
		asked := r.byID[m.Contact]
		if asked == nil {
			return nil // erased: nothing is to be learned
		}
		if !r.same(asked.val.ID, r.self.val.ID) {
			r.learn(asked, sharedPhone)
			r.learn(r.self, sharedPhone)
		}
		out, err := r.finish()
		if err != nil || len(out.writes) == 0 {
			return err
		}
		return s.write(ctx, out.writes...)
	})
}

// Contact returns a person, or the one that speaks for them since they were joined.
func (s *Store) Contact(ctx context.Context, id chat.ContactID) (chat.Contact, error) {
	items, err := s.get(ctx, contactKey(id))
	if err != nil {
		return chat.Contact{}, err
	}
	who, err := s.spokesman(ctx, id, items)
	if err != nil {
		return chat.Contact{}, err
	}
	return who.val, nil
}

// spokesman finds a contact, or the one that it was joined to, among items or in the table.
func (s *Store) spokesman(ctx context.Context, id chat.ContactID, items map[key]item) (doc[chat.Contact], error) {
	for {
		d, err := read[chat.Contact](items, contactKey(id))
		if err == nil && d.rev == 0 {
			err = errNoContact
		}
		if err != nil || d.val.Joined == "" {
			return d, err
		}
		if d.val.Joined >= id { // the survivor is the older one, so the walk ends
			return d, chat.E(chat.Internal, "", errors.New("contacts are joined in a circle"))
		}
		id = d.val.Joined
		if items, err = s.get(ctx, contactKey(id)); err != nil {
			return d, err
		}
	}
}

var errNoContact = chat.E(chat.NotFound, "there is no such contact", nil)

// Identity is one of the names by which the network knows a contact.
type Identity struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// reach orders the kinds of identities by how well a contact is reached through them; nobody is through a parent id.
var reach = []string{chat.AliasWAID, chat.AliasBSUID, chat.AliasParent}

// Identities returns what a contact is known by now, also through the contacts joined to it: phones first, ids that can't
// be written to last, and of each kind the latest first, because that is where the contact is to be reached.
//
// A phone that they gave up may be a stranger's: it isn't among them until it is shown again, on a later day because when
// it was last shown is known to the day. Until then there is the user id, which the change named.
func (s *Store) Identities(ctx context.Context, c chat.Contact) ([]Identity, error) {
	all, err := s.known(ctx, append([]chat.ContactID{c.ID}, c.Absorbed...)...)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(a ownAlias) bool { return a.givenUp(c.GaveUp) })
	slices.SortFunc(all, func(a, b ownAlias) int {
		return cmp.Or(slices.Index(reach, a.Kind)-slices.Index(reach, b.Kind), b.Since.Compare(a.Since), strings.Compare(a.Value, b.Value))
	})
	var out []Identity
	for _, a := range all {
		if i := (Identity{a.Kind, a.Value}); !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out, nil
}

// FindContact returns who holds an identity now.
func (s *Store) FindContact(ctx context.Context, kind, value string) (chat.Contact, bool, error) {
	found, err := s.holders(ctx, Identity{kind, value})
	if err != nil || len(found) == 0 {
		return chat.Contact{}, false, err
	}
	return found[0], true, nil
}

// FindContacts returns who holds a phone now, and who holds one of the other ways to write it: the exact one's first.
func (s *Store) FindContacts(ctx context.Context, phone string, variants []string) ([]chat.Contact, error) {
	all := []Identity{{chat.AliasWAID, phone}}
	for _, v := range variants {
		all = append(all, Identity{chat.AliasWAID, v})
	}
	return s.holders(ctx, all...)
}

// holders returns the people who hold identities now, in the order of these.
func (s *Store) holders(ctx context.Context, all ...Identity) ([]chat.Contact, error) {
	var keys []key
	for _, i := range all {
		keys = append(keys, i.key())
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var ids []chat.ContactID
	for _, k := range keys {
		a, err := read[chat.Alias](items, k)
		if err != nil {
			return nil, err
		}
		if id := a.val.HolderAt(s.now().Add(24 * time.Hour)); id != "" {
			ids = append(ids, id)
		}
	}
	p := s.newCrowd()
	if err := p.load(ctx, ids...); err != nil {
		return nil, err
	}
	var out []chat.Contact
	for _, id := range ids {
		c := p.survivor(id)
		if c != nil && !slices.ContainsFunc(out, func(o chat.Contact) bool { return o.ID == c.val.ID }) {
			out = append(out, c.val)
		}
	}
	return out, nil
}

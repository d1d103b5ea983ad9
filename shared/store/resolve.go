package store

import (
	"context"
	"slices"

	"threadline/shared/chat"
)

// resolved is the person that an update is about, and what the update teaches about who that is.
type resolved struct {
	who    chat.Contact // the survivor
	self   chat.ContactID
	writes []op // belong into the transaction of whatever the update stores
}

// shown are the identities that an update shows, the surest first. The phone comes last: it may be another's by now.
func shown(seen chat.Seen) []Identity {
	var all []Identity
	for _, i := range []Identity{
		{chat.AliasBSUID, seen.BSUID}, {chat.AliasParent, seen.Parent}, {chat.AliasBSUID, seen.PrevBSUID},
		{chat.AliasParent, seen.PrevParent}, {chat.AliasWAID, seen.PrevPhone}, {chat.AliasWAID, seen.Phone},
	} {
		if i.Value != "" && !slices.Contains(all, i) {
			all = append(all, i)
		}
	}
	return all
}

// aliasKeys are the items that resolve needs to have been read.
func aliasKeys(seen chat.Seen) []key {
	var ks []key
	for _, i := range shown(seen) {
		ks = append(ks, i.key())
	}
	for _, v := range seen.Variants {
		if k := aliasKey(chat.AliasWAID, v); v != "" && !slices.Contains(ks, k) {
			ks = append(ks, k)
		}
	}
	return ks
}

// resolve finds out whom an update is about. What joins two identities is a message that shows both, or Meta's own word
// that one became the other. A phone that turns up with a second user id, seen in the same account and without such a
// word, is another person's from then on, and both are flagged. A phone that was never seen is that of whoever is known
// by another way to write it.
//
// Whom a person separated by hand, evidence doesn't join: what shows both is the one's who has the user id, each
// identity stays where it was, and both are flagged.
//
// The outcome doesn't depend on the order of arrival, with one limit: once a phone was shown with two ids of one account,
// what showed the phone alone, or with an id of another account, stays with the person who had the phone by what was
// known when it arrived. order_test.go says precisely what holds.
func (s *Store) resolve(ctx context.Context, seen chat.Seen, items map[key]item) (*resolved, error) {
	r, err := s.resolving(ctx, seen, items)
	if err != nil {
		return nil, err
	}
	return r.finish()
}

// resolving is what an update is found to mean, as long as nothing is written.
type resolving struct {
	crowd
	seen    chat.Seen
	aliases map[key]*doc[chat.Alias]
	self    *doc[chat.Contact] // whom the update is about, as its surest identity says: what it teaches is put there
	moved   bool               // the phone is self's from now on, though somebody else had it
}

// resolving decides. The contact, if any, is whose phone it is if nobody is known to have it.
func (s *Store) resolving(ctx context.Context, seen chat.Seen, items map[key]item, contact ...chat.ContactID) (*resolving, error) {
	r := &resolving{crowd: s.newCrowd(), seen: seen, aliases: map[key]*doc[chat.Alias]{}}
	ids := slices.Clone(contact)
	for _, k := range aliasKeys(seen) {
		d, err := read[chat.Alias](items, k)
		if err != nil {
			return nil, err
		}
		r.aliases[k] = &d
		for _, h := range d.val.Holders {
			ids = append(ids, h.Contact)
		}
	}
	if err := r.load(ctx, ids...); err != nil {
		return nil, err
	}
	if err := r.decide(ctx, contact...); err != nil {
		return nil, err
	}
	r.learn(r.self, seen.Profile())
	return r, nil
}

// holder returns who has an alias at the time of the update, nil if nobody ever had.
func (r *resolving) holder(a chat.Alias) *doc[chat.Contact] { return r.byID[a.HolderAt(r.seen.At)] }

// line is the phone's alias or, if it was never seen, all that its other spellings are known by.
func (r *resolving) line() chat.Alias {
	own := Identity{chat.AliasWAID, r.seen.Phone}
	if r.seen.Phone == "" {
		return chat.Alias{}
	}
	line := r.aliases[own.key()].val
	if len(line.Holders) > 0 {
		return line
	}
	for _, v := range r.seen.Variants {
		if a := r.aliases[aliasKey(chat.AliasWAID, v)]; a != nil {
			for _, h := range a.val.Holders {
				line.See(h.Contact, h.First, h.Source)
			}
		}
	}
	return line
}

// holds tells whether the person that c belongs to is among those who ever had the alias.
func (r *resolving) holds(c *doc[chat.Contact], a chat.Alias) bool {
	return slices.ContainsFunc(a.Holders, func(h chat.Holder) bool { return r.byID[h.Contact] != nil && r.same(h.Contact, c.val.ID) })
}

func (r *resolving) decide(ctx context.Context, contact ...chat.ContactID) error {
	line := r.line()
	phone := r.holder(line)
	for _, id := range contact {
		if phone == nil {
			phone = r.byID[id]
		}
	}
	for _, i := range shown(r.seen) {
		if i.Kind == chat.AliasWAID && i.Value == r.seen.Phone {
			continue
		}
		c := r.holder(r.aliases[i.key()].val)
		if c == nil {
			continue
		}
		if r.self == nil {
			r.self = c
		} else if err := r.link(ctx, r.self, c); err != nil {
			return err
		}
	}
	switch {
	case phone == nil && r.self == nil:
		r.self = r.stranger()
		return nil
	case phone == nil, phone == r.self:
		return nil
	case r.self != nil && !r.same(r.self.val.ID, phone.val.ID) && r.holds(r.self, line):
		return nil // of those who had the phone, self is one: known already
	}
	return r.settlePhone(ctx, phone)
}

// settlePhone decides whether who had the phone is self. That a changed phone was somebody else's before doesn't make
// them the same.
func (r *resolving) settlePhone(ctx context.Context, phone *doc[chat.Contact]) error {
	rival, err := r.rival(ctx, phone)
	switch {
	case err != nil:
		return err
	case rival:
		if r.self == nil {
			r.self = r.stranger()
		}
		r.moved = true
		r.learn(r.self, sharedPhone)
		r.learn(phone, sharedPhone)
		return nil
	case r.self == nil:
		r.self = phone
		return nil
	}
	return r.link(ctx, r.self, phone)
}

var sharedPhone = chat.Profile{Flags: []string{chat.FlagSharedPhone}}

// stranger is a contact that there wasn't yet.
func (r *resolving) stranger() *doc[chat.Contact] {
	id := chat.ContactID(r.store.newID())
	c := &doc[chat.Contact]{key: contactKey(id), val: chat.Contact{ID: id}}
	r.byID[id], r.dirty[id] = c, true
	return c
}

// rival tells whether the phone's holder is known by a user id in an account where this person has another: in the
// update's, or in one where self was seen before. An update that shows no id, such as a change of the phone in its old
// shape, is measured by those that self is known by. What somebody joined by hand doesn't count: it would depend on which
// came first.
func (r *resolving) rival(ctx context.Context, phone *doc[chat.Contact]) (bool, error) {
	bare := r.seen.BSUID == "" && r.seen.Parent == ""
	if bare && r.self == nil {
		return false, nil
	}
	scopes := []string{r.seen.Scope}
	var own []ownAlias
	if r.self != nil {
		if _, linked := r.self.val.Linked[phone.val.ID]; linked {
			return false, nil
		}
		kin, err := r.kin(ctx, r.self)
		if err != nil || slices.Contains(kin, phone.val.ID) {
			return false, err
		}
		if own, err = r.store.known(ctx, kin...); err != nil {
			return false, err
		}
		for _, a := range own {
			scopes = append(scopes, a.Scopes...)
		}
	}
	kin, err := r.kin(ctx, phone)
	if err != nil {
		return false, err
	}
	theirs, err := r.store.known(ctx, kin...)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(theirs, func(a ownAlias) bool {
		if bare {
			return slices.ContainsFunc(own, a.excludes)
		}
		return r.differs(a) && slices.ContainsFunc(a.Scopes, func(scope string) bool { return slices.Contains(scopes, scope) })
	}), nil
}

// differs tells whether an identity is of a kind that the update shows with another value.
func (r *resolving) differs(a ownAlias) bool {
	switch a.Kind {
	case chat.AliasBSUID:
		return r.seen.BSUID != "" && a.Value != r.seen.BSUID && a.Value != r.seen.PrevBSUID
	case chat.AliasParent:
		return r.seen.Parent != "" && a.Value != r.seen.Parent && a.Value != r.seen.PrevParent
	}
	return false
}

// link records that the update shows two contacts to be one person, which they are from then on unless somebody parted
// them by hand.
func (r *resolving) link(ctx context.Context, a, b *doc[chat.Contact]) error {
	stamp := chat.Stamp{At: r.seen.At.UTC(), ID: r.seen.ID}
	if old, known := a.val.Linked[b.val.ID]; a == b || (known && !old.Newer(stamp)) {
		return nil
	}
	circle, ok, err := r.circle(ctx, a.val.ID, b.val.ID)
	if err != nil {
		return err
	}
	if !ok { // more than any person has: something else is wrong with them
		r.learn(a, sharedPhone)
		r.learn(b, sharedPhone)
		return nil
	}
	for _, c := range [][2]*doc[chat.Contact]{{a, b}, {b, a}} {
		if c[0].val.Linked == nil {
			c[0].val.Linked = map[chat.ContactID]chat.Stamp{}
		}
		c[0].val.Linked[c[1].val.ID] = stamp
		r.dirty[c[0].val.ID] = true
	}
	r.regroup(circle)
	return nil
}

// finish turns the decision into writes.
func (r *resolving) finish() (*resolved, error) {
	var writes []op
	for _, i := range shown(r.seen) {
		ops, err := r.evidence(i)
		if err != nil {
			return nil, err
		}
		writes = append(writes, ops...)
	}
	ops, err := r.ops()
	if err != nil {
		return nil, err
	}
	return &resolved{who: r.survivor(r.self.val.ID).val, self: r.self.val.ID, writes: append(writes, ops...)}, nil
}

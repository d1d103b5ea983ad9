package store

import (
	"context"
	"slices"
	"time"

	"threadline/shared/chat"
)

// resolved is the person that an update is about, and what it teaches about who that is.
type resolved struct {
	who     doc[chat.Contact]
	changed bool // who must be written for what it says now
	// writes belong into the transaction of whatever the update stores. They don't hold who itself.
	writes []op
}

// aliasKeys are the items that resolve needs to have been read.
func aliasKeys(seen chat.Seen) []key {
	var ks []key
	add := func(kind, value string) {
		if k := aliasKey(kind, value); value != "" && !slices.Contains(ks, k) {
			ks = append(ks, k)
		}
	}
	add(chat.AliasBSUID, seen.BSUID)
	add(chat.AliasWAID, seen.Phone)
	add(chat.AliasBSUID, seen.PrevBSUID)
	add(chat.AliasWAID, seen.PrevPhone)
	return ks
}

// resolve finds out whom an update is about. What joins two identities is a message that shows both, or Meta's own word
// that one became the other. A phone that turns up with a second business-scoped id, seen in the same account and
// without such a word, is another person's from then on, and both are flagged.
//
// The outcome doesn't depend on the order of arrival, with one limit: once a phone was shown with two ids of one account,
// what showed the phone alone, or with an id of another account, stays with the person who had the phone by what was
// known when it arrived. order_test.go says precisely what holds.
func (s *Store) resolve(ctx context.Context, seen chat.Seen, items map[key]item) (*resolved, error) {
	r := &resolving{store: s, seen: seen}
	if err := r.load(ctx, items); err != nil {
		return nil, err
	}
	if err := r.decide(ctx); err != nil {
		return nil, err
	}
	return r.finish()
}

type resolving struct {
	store    *Store
	seen     chat.Seen
	aliases  map[key]*doc[chat.Alias]
	contacts map[chat.ContactID]*doc[chat.Contact] // all that the aliases name, and their survivors
	who      *doc[chat.Contact]
	dirty    map[chat.ContactID]bool // contacts other than who that change
	whoNew   bool                    // who is to be written whatever the update says
}

func (r *resolving) load(ctx context.Context, items map[key]item) error {
	r.aliases = map[key]*doc[chat.Alias]{}
	r.contacts = map[chat.ContactID]*doc[chat.Contact]{}
	r.dirty = map[chat.ContactID]bool{}
	var ids []chat.ContactID
	for _, k := range aliasKeys(r.seen) {
		d, err := read[chat.Alias](items, k)
		if err != nil {
			return err
		}
		r.aliases[k] = &d
		for _, h := range d.val.Holders {
			ids = append(ids, h.Contact)
		}
	}
	// A joined contact names its survivor, which may have been joined itself.
	for len(ids) > 0 {
		var keys []key
		for _, id := range ids {
			if r.contacts[id] == nil {
				keys = append(keys, contactKey(id))
			}
		}
		found, err := r.store.get(ctx, keys...)
		if err != nil {
			return err
		}
		ids = nil
		for _, k := range keys {
			d, err := read[chat.Contact](found, k)
			if err != nil {
				return err
			}
			if d.rev == 0 {
				continue // erased: the alias is nobody's
			}
			r.contacts[d.val.ID] = &d
			if next := d.val.Joined; next != "" && r.contacts[next] == nil {
				ids = append(ids, next)
			}
		}
	}
	return nil
}

// survivor follows the pointers that joining leaves.
func (r *resolving) survivor(id chat.ContactID) *doc[chat.Contact] {
	c := r.contacts[id]
	for c != nil && c.val.Joined != "" {
		c = r.contacts[c.val.Joined]
	}
	return c
}

// holder returns who has the alias at the time of the update, nil if nobody ever had.
func (r *resolving) holder(kind, value string) *doc[chat.Contact] {
	if value == "" {
		return nil
	}
	return r.survivor(r.aliases[aliasKey(kind, value)].val.HolderAt(r.seen.At))
}

// holds tells whether c is among those who ever had the alias.
func (r *resolving) holds(c *doc[chat.Contact], kind, value string) bool {
	for _, h := range r.aliases[aliasKey(kind, value)].val.Holders {
		if r.survivor(h.Contact) == c {
			return true
		}
	}
	return false
}

func (r *resolving) decide(ctx context.Context) error {
	s := r.seen
	if s.PrevBSUID != "" || s.PrevPhone != "" {
		return r.change(ctx)
	}
	byID, byPhone := r.holder(chat.AliasBSUID, s.BSUID), r.holder(chat.AliasWAID, s.Phone)
	if s.BSUID == "" || s.Phone == "" || byPhone == nil || byID == byPhone {
		r.joinAll(byID, byPhone)
		return nil
	}
	if byID != nil && r.holds(byID, chat.AliasWAID, s.Phone) {
		r.who = byID // an older holder of the phone: known already
		return nil
	}
	rival, err := r.rival(ctx, byPhone, byID)
	if err != nil {
		return err
	}
	if !rival {
		r.joinAll(byID, byPhone)
		return nil
	}
	r.joinAll(byID)
	r.flag(r.who)
	r.flag(byPhone)
	return nil
}

// change joins what Meta says is one person. That the new phone was somebody else's before doesn't make them the same.
func (r *resolving) change(ctx context.Context) error {
	s := r.seen
	same := []*doc[chat.Contact]{r.holder(chat.AliasBSUID, s.PrevBSUID), r.holder(chat.AliasWAID, s.PrevPhone),
		r.holder(chat.AliasBSUID, s.BSUID)}
	byPhone := r.holder(chat.AliasWAID, s.Phone)
	rival := false
	if byPhone != nil && s.BSUID != "" && !slices.Contains(same, byPhone) {
		var err error
		if rival, err = r.rival(ctx, byPhone, nil); err != nil {
			return err
		}
	}
	if !rival {
		r.joinAll(append(same, byPhone)...)
		return nil
	}
	r.joinAll(same...)
	r.flag(r.who)
	r.flag(byPhone)
	return nil
}

// rival tells whether the phone's holder is known by a business-scoped id in an account where this person has another:
// in the update's, or in one where byID was seen before.
func (r *resolving) rival(ctx context.Context, c, byID *doc[chat.Contact]) (bool, error) {
	scopes := []string{r.seen.Scope}
	if byID != nil {
		own, err := r.known(ctx, byID)
		if err != nil {
			return false, err
		}
		for _, a := range own {
			scopes = append(scopes, a.Scopes...)
		}
	}
	theirs, err := r.known(ctx, c)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(theirs, func(a ownAlias) bool {
		return a.Kind == chat.AliasBSUID && a.Value != r.seen.BSUID && a.Value != r.seen.PrevBSUID &&
			slices.ContainsFunc(a.Scopes, func(scope string) bool { return slices.Contains(scopes, scope) })
	}), nil
}

// known returns the identities of a contact and of those joined to it.
func (r *resolving) known(ctx context.Context, c *doc[chat.Contact]) ([]ownAlias, error) {
	var all []ownAlias
	for _, id := range append([]chat.ContactID{c.val.ID}, c.val.Absorbed...) {
		own, err := r.store.aliasesOf(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, own...)
	}
	return all, nil
}

// joinAll makes who of the given contacts: the oldest survives and speaks for the others. No item is moved.
func (r *resolving) joinAll(cs ...*doc[chat.Contact]) {
	for _, c := range cs {
		if c != nil && (r.who == nil || c.val.ID < r.who.val.ID) {
			r.who = c
		}
	}
	if r.who == nil {
		id := chat.ContactID(r.store.newID())
		r.who = &doc[chat.Contact]{key: contactKey(id), val: chat.Contact{ID: id}}
		r.contacts[id], r.whoNew = r.who, true
	}
	for _, c := range cs {
		if c == nil || c == r.who || c.val.Joined != "" {
			continue
		}
		c.val.Joined = r.who.val.ID
		if c.val.Named.Newer(r.who.val.Named) {
			r.who.val.Name, r.who.val.Username, r.who.val.Named = c.val.Name, c.val.Username, c.val.Named
		}
		r.dirty[c.val.ID], r.whoNew = true, true
		r.who.val.Absorbed = append(append(r.who.val.Absorbed, c.val.ID), c.val.Absorbed...)
	}
}

func (r *resolving) flag(c *doc[chat.Contact]) {
	if slices.Contains(c.val.Flags, chat.FlagSharedPhone) {
		return
	}
	c.val.Flags = append(c.val.Flags, chat.FlagSharedPhone)
	if c == r.who {
		r.whoNew = true
	} else {
		r.dirty[c.val.ID] = true
	}
}

// finish turns the decision into writes.
func (r *resolving) finish() (*resolved, error) {
	out := &resolved{}
	for id := range r.dirty {
		o, err := r.contacts[id].put()
		if err != nil {
			return nil, err
		}
		out.writes = append(out.writes, o)
	}
	for _, k := range aliasKeys(r.seen) {
		ops, err := r.evidence(r.aliases[k])
		if err != nil {
			return nil, err
		}
		out.writes = append(out.writes, ops...)
	}
	out.who, out.changed = *r.who, r.whoNew
	return out, nil
}

// evidence notes on an alias that who has it, and the other way round.
func (r *resolving) evidence(a *doc[chat.Alias]) ([]op, error) {
	kind, value := chat.AliasBSUID, r.seen.BSUID
	switch a.key {
	case aliasKey(chat.AliasWAID, r.seen.Phone):
		kind, value = chat.AliasWAID, r.seen.Phone
	case aliasKey(chat.AliasBSUID, r.seen.PrevBSUID):
		value = r.seen.PrevBSUID
	case aliasKey(chat.AliasWAID, r.seen.PrevPhone):
		kind, value = chat.AliasWAID, r.seen.PrevPhone
	}
	a.val.Kind, a.val.Value = kind, value
	id := r.who.val.ID
	isNew := true
	for _, h := range a.val.Holders {
		if r.survivor(h.Contact) == r.who {
			id, isNew = h.Contact, false // evidence stays where it was before a join, so that the join can be taken back
		}
	}
	if isNew {
		// Writing who makes two updates meet that give it an identity at the same time: only one of them has seen all.
		r.whoNew = true
	}
	changed := a.val.See(id, r.seen.At, r.seen.Source)
	newScope := kind == chat.AliasBSUID && r.seen.Scope != "" && !slices.Contains(a.val.Scopes, r.seen.Scope)
	if newScope {
		a.val.Scopes = append(a.val.Scopes, r.seen.Scope)
		slices.Sort(a.val.Scopes)
	}
	if !changed && !newScope {
		return nil, nil
	}
	o, err := a.put()
	if err != nil {
		return nil, err
	}
	ops := []op{o}
	// Whoever has it now has it; the others had it.
	for i, h := range a.val.Holders {
		own := ownAlias{Kind: kind, Value: value, Scopes: a.val.Scopes, Since: h.First, Moved: i < len(a.val.Holders)-1}
		o, err := doc[ownAlias]{key: ownAliasKey(h.Contact, kind, value), val: own}.overwrite()
		if err != nil {
			return nil, err
		}
		ops = append(ops, o)
	}
	return ops, nil
}

// ownAlias is the contact's side of an alias.
type ownAlias struct {
	Kind   string    `json:"kind"`
	Value  string    `json:"value"`
	Scopes []string  `json:"scopes,omitempty"`
	Since  time.Time `json:"since"`
	Moved  bool      `json:"moved,omitempty"` // somebody else has it now
}

// overwrite is a write without a condition, for items that say the same whoever writes them.
func (d doc[T]) overwrite() (op, error) {
	o, err := d.put()
	o.cond = always
	return o, err
}

// aliasesOf returns the identities that a contact has now.
func (s *Store) aliasesOf(ctx context.Context, id chat.ContactID) ([]ownAlias, error) {
	items, err := s.query(ctx, prefix("USER#"+string(id), "ALIAS#"))
	if err != nil {
		return nil, err
	}
	var out []ownAlias
	for _, it := range items {
		d, err := decode[ownAlias](keyOf(it), it)
		if err != nil {
			return nil, err
		}
		if !d.val.Moved {
			out = append(out, d.val)
		}
	}
	return out, nil
}

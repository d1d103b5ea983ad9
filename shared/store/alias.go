package store

import (
	"context"
	"slices"
	"time"

	"threadline/shared/chat"
)

func (i Identity) key() key { return aliasKey(i.Kind, i.Value) }

// evidence notes on an alias that the update shows who has it, and the other way round.
func (r *resolving) evidence(i Identity) ([]op, error) {
	a := r.aliases[i.key()]
	a.val.Kind, a.val.Value = i.Kind, i.Value
	id := r.keeper(i, a.val)
	if !slices.ContainsFunc(a.val.Holders, func(h chat.Holder) bool { return h.Contact == id }) {
		// Writing who speaks for self makes two updates meet that give it an identity at the same time: only one of them
		// has seen all.
		r.dirty[r.survivor(id).val.ID] = true
	}
	changed := a.val.See(id, r.seen.At, r.seen.Source)
	if i.Kind != chat.AliasWAID && r.seen.Scope != "" && !slices.Contains(a.val.Scopes, r.seen.Scope) {
		a.val.Scopes, changed = append(a.val.Scopes, r.seen.Scope), true
		slices.Sort(a.val.Scopes)
	}
	if !changed {
		return nil, nil
	}
	var ops []op
	if a.rev == 0 && i.Value == r.seen.Phone {
		ops = r.spellings()
	}
	o, err := a.put()
	if err != nil {
		return nil, err
	}
	ops = append(ops, o)
	// Whoever has it now has it; the others had it.
	for n, h := range a.val.Holders {
		own := ownAlias{Kind: i.Kind, Value: i.Value, Scopes: a.val.Scopes, Since: h.First, Last: h.Last, Moved: n < len(a.val.Holders)-1}
		o, err := doc[ownAlias]{key: ownAliasKey(h.Contact, i.Kind, i.Value), val: own}.overwrite()
		if err != nil {
			return nil, err
		}
		ops = append(ops, o)
	}
	return ops, nil
}

// keeper is who is shown to have an alias. Evidence stays with the contact that it was put down to before a join, so that
// the join can be taken back; a new way to write a phone is its holder's.
func (r *resolving) keeper(i Identity, a chat.Alias) chat.ContactID {
	now := r.holder(a)
	if (i == Identity{chat.AliasWAID, r.seen.Phone}) {
		now = r.holder(r.line())
		if r.moved {
			now = nil
		}
	}
	if now == nil {
		return r.self.val.ID
	}
	if r.same(now.val.ID, r.self.val.ID) {
		return now.val.ID
	}
	for _, h := range slices.Backward(a.Holders) {
		if r.byID[h.Contact] != nil && r.same(h.Contact, r.self.val.ID) {
			return h.Contact
		}
	}
	return now.val.ID // somebody parted them by hand
}

// spellings protects a phone that was never seen: who is known by another way to write it hasn't changed, and nobody has
// become known by one at the same time.
func (r *resolving) spellings() []op {
	mine := map[key]bool{}
	for _, i := range shown(r.seen) {
		mine[i.key()] = true
	}
	var ops []op
	for k, a := range r.aliases {
		switch {
		case mine[k]:
		case a.rev == 0:
			ops = append(ops, op{key: k, cond: absent})
		default:
			ops = append(ops, op{key: k, cond: unchanged, rev: a.rev})
		}
	}
	return ops
}

// ownAlias is the contact's side of an alias.
type ownAlias struct {
	Kind   string    `json:"kind"`
	Value  string    `json:"value"`
	Scopes []string  `json:"scopes,omitempty"`
	Since  time.Time `json:"since"`
	Last   time.Time `json:"last,omitzero"`   // the holder's
	Moved  bool      `json:"moved,omitempty"` // somebody else has it now
}

// givenUp tells whether it is a phone that wasn't shown after the time that its person changed to another.
func (a ownAlias) givenUp(at time.Time) bool {
	return !at.IsZero() && a.Kind == chat.AliasWAID && !a.Since.After(at) && !a.Last.After(at)
}

// excludes tells whether nobody has both: they are two user ids of one account, or two that portfolios share.
func (a ownAlias) excludes(b ownAlias) bool {
	return a.Kind == b.Kind && a.Kind != chat.AliasWAID && a.Value != b.Value &&
		slices.ContainsFunc(a.Scopes, func(scope string) bool { return slices.Contains(b.Scopes, scope) })
}

// overwrite is a write without a condition, for items that say the same whoever writes them.
func (d doc[T]) overwrite() (op, error) {
	o, err := d.put()
	o.cond = always
	return o, err
}

// known returns the identities that contacts have now.
func (s *Store) known(ctx context.Context, contacts ...chat.ContactID) ([]ownAlias, error) {
	var all []ownAlias
	for _, id := range contacts {
		items, err := s.query(ctx, prefix("USER#"+string(id), "ALIAS#"))
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			d, err := decode[ownAlias](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			if !d.val.Moved {
				all = append(all, d.val)
			}
		}
	}
	return all, nil
}

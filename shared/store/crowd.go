package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"threadline/shared/chat"
)

// mostRelated is how many contacts a decision about one of them may have to read.
const mostRelated = 64

// crowd are contacts that were read together, and what is to become of them.
type crowd struct {
	store *Store
	byID  map[chat.ContactID]*doc[chat.Contact]
	dirty map[chat.ContactID]bool // is to be written
	bases map[chat.ContactID]bool // a decision rests on it
}

func (s *Store) newCrowd() crowd {
	return crowd{s, map[chat.ContactID]*doc[chat.Contact]{}, map[chat.ContactID]bool{}, map[chat.ContactID]bool{}}
}

// load reads contacts and those that speak for them. One that was erased is nobody, and so is who was joined to it.
func (p crowd) load(ctx context.Context, ids ...chat.ContactID) error {
	for len(ids) > 0 {
		var keys []key
		for _, id := range ids {
			if p.byID[id] == nil {
				keys = append(keys, contactKey(id))
			}
		}
		found, err := p.store.get(ctx, keys...)
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
				continue
			}
			tie(&d.val)
			p.byID[d.val.ID] = &d
			if next := d.val.Joined; next != "" && p.byID[next] == nil {
				ids = append(ids, next)
			}
		}
	}
	maps.DeleteFunc(p.byID, func(id chat.ContactID, _ *doc[chat.Contact]) bool { return p.survivor(id) == nil })
	return nil
}

// tie records on a contact that an earlier release joined, which didn't record why, that it was shown to be the same
// person as those with whom it is joined. Whenever that was, it was before all that is recorded now.
func tie(c *chat.Contact) {
	if len(c.Linked) > 0 || len(c.Parted) > 0 {
		return
	}
	joined := c.Absorbed
	if c.Joined != "" {
		joined = append(slices.Clone(joined), c.Joined)
	}
	for _, id := range joined {
		if c.Linked == nil {
			c.Linked = map[chat.ContactID]chat.Stamp{}
		}
		c.Linked[id] = chat.Stamp{}
	}
}

// survivor returns who speaks for a contact, nil if nobody does.
func (p crowd) survivor(id chat.ContactID) *doc[chat.Contact] {
	c := p.byID[id]
	for c != nil && c.val.Joined != "" {
		c = p.byID[c.val.Joined]
	}
	return c
}

// size is how many contacts a person consists of.
func (p crowd) size(id chat.ContactID) int { return 1 + len(p.survivor(id).val.Absorbed) }

// same tells whether two contacts are one person.
func (p crowd) same(a, b chat.ContactID) bool { return p.survivor(a) == p.survivor(b) }

// learn adds to what is known of a contact, and so of the person.
func (p crowd) learn(c *doc[chat.Contact], what chat.Profile) {
	if c.val.Own != nil && c.val.Own.Take(what) {
		p.dirty[c.val.ID] = true
	}
	for _, d := range []*doc[chat.Contact]{c, p.survivor(c.val.ID)} {
		if d.val.Take(what) {
			p.dirty[d.val.ID] = true
		}
	}
}

// kin returns a contact and all that updates showed to be the same person, directly or through others.
func (p crowd) kin(ctx context.Context, c *doc[chat.Contact]) ([]chat.ContactID, error) {
	kin := []chat.ContactID{c.val.ID}
	for next := kin; len(next) > 0; {
		if err := p.load(ctx, next...); err != nil {
			return nil, err
		}
		known := len(kin)
		for _, id := range next {
			if p.byID[id] == nil {
				continue
			}
			for other := range p.byID[id].val.Linked {
				if !slices.Contains(kin, other) {
					kin = append(kin, other)
				}
			}
		}
		next = kin[known:]
	}
	return kin, nil
}

// circle reads everybody whom a decision about the given contacts may concern: who is joined with them, was shown
// together with them or was decided about, and so on. ok is false when those are too many.
func (p crowd) circle(ctx context.Context, ids ...chat.ContactID) (circle []*doc[chat.Contact], ok bool, err error) {
	in := map[chat.ContactID]bool{}
	for len(ids) > 0 {
		if err := p.load(ctx, ids...); err != nil {
			return nil, false, err
		}
		var next []chat.ContactID
		for _, id := range ids {
			c := p.byID[id]
			if c == nil || in[id] {
				continue
			}
			in[id], circle = true, append(circle, c)
			next = slices.AppendSeq(append(next, c.val.Absorbed...), maps.Keys(c.val.Linked))
			next = slices.AppendSeq(next, maps.Keys(c.val.Parted))
			if c.val.Joined != "" {
				next = append(next, c.val.Joined)
			}
		}
		if len(circle) > mostRelated {
			return nil, false, nil
		}
		ids = next
	}
	for _, c := range circle {
		p.bases[c.val.ID] = true
	}
	slices.SortFunc(circle, func(a, b *doc[chat.Contact]) int { return cmp.Compare(a.val.ID, b.val.ID) })
	return circle, true, nil
}

// regroup lets those speak for each other who are one person by what is recorded on the contacts of a circle.
func (p crowd) regroup(circle []*doc[chat.Contact]) {
	t := tiesOf(circle)
	speaks := t.unite(circle)
	groups := map[chat.ContactID][]chat.ContactID{}
	for _, c := range circle {
		groups[speaks[c.val.ID]] = append(groups[speaks[c.val.ID]], c.val.ID)
	}
	for _, c := range circle {
		joined, absorbed := speaks[c.val.ID], []chat.ContactID(nil)
		if joined == c.val.ID {
			joined, absorbed = "", groups[c.val.ID][1:]
		}
		if c.val.Joined == joined && slices.Equal(c.val.Absorbed, absorbed) {
			continue
		}
		own := c.val.Self()
		c.val.Joined, c.val.Absorbed, c.val.Profile, c.val.Own = joined, absorbed, own, nil
		if len(absorbed) > 0 {
			c.val.Own = &own
		}
		p.dirty[c.val.ID] = true
	}
	for _, c := range circle {
		if s := p.byID[speaks[c.val.ID]]; s != c && s.val.Take(c.val.Profile) {
			p.dirty[s.val.ID] = true
		}
	}
	for _, b := range t.shown {
		if speaks[b.a] != speaks[b.b] { // somebody parted them, or they are too many
			p.learn(p.byID[b.a], sharedPhone)
			p.learn(p.byID[b.b], sharedPhone)
		}
	}
}

// ops writes who has changed and protects what the decisions rested on.
func (p crowd) ops() ([]op, error) {
	var ops []op
	for id, c := range p.byID {
		switch {
		case p.dirty[id]:
			o, err := c.put()
			if err != nil {
				return nil, err
			}
			ops = append(ops, o)
		case p.bases[id]:
			ops = append(ops, op{key: c.key, cond: unchanged, rev: c.rev})
		}
	}
	return ops, nil
}

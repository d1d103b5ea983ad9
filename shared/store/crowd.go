package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"threadline/shared/chat"
)

// mostJoined is how many contacts may be one person: they are written in one transaction, which holds 100 items.
const mostJoined = 50

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
			p.byID[d.val.ID] = &d
			if next := d.val.Joined; next != "" && p.byID[next] == nil {
				ids = append(ids, next)
			}
		}
	}
	maps.DeleteFunc(p.byID, func(id chat.ContactID, _ *doc[chat.Contact]) bool { return p.survivor(id) == nil })
	return nil
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
		if d.val.Profile.Take(what) {
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
		if s := p.byID[speaks[c.val.ID]]; s != c && s.val.Profile.Take(c.val.Profile) {
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

// pair is two contacts, the smaller id first.
type pair struct{ a, b chat.ContactID }

func pairOf(x, y chat.ContactID) pair { return pair{min(x, y), max(x, y)} }

// ties are what is recorded about the pairs of a circle, brought to the point.
type ties struct {
	shown []pair        // by updates, the earliest first
	hand  []pair        // joined by hand, the earliest first
	apart map[pair]bool // what must not be one person
}

// tiesOf weighs decisions in their order: what was joined by hand outdoes every earlier separation of the two people
// that it joined, whichever contacts of theirs that named.
func tiesOf(circle []*doc[chat.Contact]) ties {
	type tie struct {
		pair
		chat.Parting
	}
	var shown, decided []tie
	known := map[chat.ContactID]bool{}
	for _, c := range circle {
		known[c.val.ID] = true
	}
	for _, c := range circle {
		for id, stamp := range c.val.Linked {
			if c.val.ID < id && known[id] {
				shown = append(shown, tie{pair{c.val.ID, id}, chat.Parting{Stamp: stamp}})
			}
		}
		for id, parting := range c.val.Parted {
			if c.val.ID < id && known[id] {
				decided = append(decided, tie{pair{c.val.ID, id}, parting})
			}
		}
	}
	order := func(x, y tie) int {
		switch {
		case y.Stamp.Newer(x.Stamp):
			return -1
		case x.Stamp.Newer(y.Stamp):
			return 1
		}
		return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	}
	slices.SortFunc(shown, order)
	slices.SortFunc(decided, order)
	t := ties{apart: map[pair]bool{}}
	for _, s := range shown {
		t.shown = append(t.shown, s.pair)
	}
	for _, d := range decided {
		if d.Apart {
			t.apart[d.pair] = true
			continue
		}
		speaks := t.unite(circle)
		between := pairOf(speaks[d.a], speaks[d.b])
		maps.DeleteFunc(t.apart, func(p pair, _ bool) bool { return pairOf(speaks[p.a], speaks[p.b]) == between })
		t.hand = append(t.hand, d.pair)
	}
	return t
}

// unite returns who speaks for each of a circle, or of a part of it: the smallest id of those whom ties connect. A tie
// doesn't hold that would connect contacts which are to be apart.
func (t ties) unite(circle []*doc[chat.Contact]) map[chat.ContactID]chat.ContactID {
	speaks, size := map[chat.ContactID]chat.ContactID{}, map[chat.ContactID]int{}
	for _, c := range circle {
		speaks[c.val.ID], size[c.val.ID] = c.val.ID, 1
	}
	for _, p := range slices.Concat(t.shown, t.hand) {
		a, known := speaks[p.a]
		b, too := speaks[p.b]
		if !known || !too || a == b || size[a]+size[b] > mostJoined || t.divides(pairOf(a, b), speaks) {
			continue
		}
		a, b = min(a, b), max(a, b)
		size[a] += size[b]
		for id, s := range speaks {
			if s == b {
				speaks[id] = a
			}
		}
	}
	return speaks
}

// divides tells whether somebody of one group is to be apart from somebody of the other.
func (t ties) divides(groups pair, speaks map[chat.ContactID]chat.ContactID) bool {
	for p := range t.apart {
		if a, b := speaks[p.a], speaks[p.b]; a != "" && b != "" && pairOf(a, b) == groups {
			return true
		}
	}
	return false
}

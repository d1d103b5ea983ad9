package store

import (
	"cmp"
	"maps"
	"slices"

	"threadline/shared/chat"
)

// mostJoined is how many contacts may be one person: they are written in one transaction, which holds 100 items.
const mostJoined = 50

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

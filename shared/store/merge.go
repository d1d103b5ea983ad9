package store

import (
	"context"

	"threadline/shared/chat"
)

// Join makes two contacts, and those whom they speak for, one person by hand. It returns who survives: the one with the
// smaller id. No item is moved. Of what was decided about two contacts the newest holds, in whatever order it comes; a
// Join outdoes every earlier Part of the two people.
func (s *Store) Join(ctx context.Context, a, b chat.ContactID, by chat.Stamp) (chat.Contact, error) {
	if a == b {
		return chat.Contact{}, chat.E(chat.Invalid, "with: a contact can't be joined with itself", nil)
	}
	return s.judge(ctx, func(d *decision) error {
		if d.taken(a).Newer(by) || d.taken(b).Newer(by) {
			return nil // somebody took it away from others since
		}
		if !d.same(a, b) && d.size(a)+d.size(b) > mostJoined {
			return errTooMany
		}
		d.note(a, b, chat.Parting{Stamp: by})
		d.regroup(d.circle)
		return nil
	}, a, b)
}

// Part takes a contact away by hand from the person that it is joined to, together with those who are joined to that
// person only through it, and returns it. Evidence doesn't join them again: a message that shows both goes to the one
// who has the user id, each identity stays with the contact that had it, and both are flagged. Of a contact that isn't
// joined to another, only the decision is kept: it outdoes any Join that is older and comes later.
func (s *Store) Part(ctx context.Context, c chat.ContactID, by chat.Stamp) (chat.Contact, error) {
	return s.judge(ctx, func(d *decision) error {
		if !by.Newer(d.taken(c)) {
			return nil
		}
		d.note(c, c, chat.Parting{Apart: true, Stamp: by})
		for _, id := range d.others(c) {
			d.note(c, id, chat.Parting{Apart: true, Stamp: by})
		}
		d.regroup(d.circle)
		return nil
	}, c)
}

var errTooMany = chat.E(chat.Invalid, "these are too many contacts for one person, or somebody else was mistaken for one of them: separate some first", nil)

// decision is what somebody says about contacts, and all whom it may concern.
type decision struct {
	crowd
	circle []*doc[chat.Contact]
}

// judge lets decide change what is recorded of contacts and returns who speaks for the first of them.
func (s *Store) judge(ctx context.Context, decide func(*decision) error, ids ...chat.ContactID) (chat.Contact, error) {
	var who chat.Contact
	err := s.contend(ctx, func() error {
		d := &decision{crowd: s.newCrowd()}
		circle, ok, err := d.crowd.circle(ctx, ids...)
		if err != nil {
			return err
		}
		if !ok {
			return errTooMany
		}
		d.circle = circle
		for _, id := range ids {
			if d.byID[id] == nil {
				return errNoContact
			}
		}
		if err := decide(d); err != nil {
			return err
		}
		who = d.survivor(ids[0]).val
		if len(d.dirty) == 0 {
			return nil
		}
		ops, err := d.ops()
		if err != nil {
			return err
		}
		return s.write(ctx, ops...)
	})
	return who, err
}

// taken is when a contact was last taken away from others.
func (d *decision) taken(c chat.ContactID) chat.Stamp { return d.byID[c].val.Parted[c].Stamp }

// note records a decision on both contacts unless there is a newer one about them.
func (d *decision) note(a, b chat.ContactID, p chat.Parting) {
	if old, known := d.byID[a].val.Parted[b]; known && !p.Stamp.Newer(old.Stamp) {
		return
	}
	for _, o := range [][2]chat.ContactID{{a, b}, {b, a}} {
		c := d.byID[o[0]]
		if c.val.Parted == nil {
			c.val.Parted = map[chat.ContactID]chat.Parting{}
		}
		c.val.Parted[o[1]] = p
		d.dirty[o[0]] = true
	}
}

// others are whom c is to be taken away from: who speaks for it, and all that would still be joined with that one if c
// weren't there.
func (d *decision) others(c chat.ContactID) []chat.ContactID {
	who := d.survivor(c).val
	var rest []*doc[chat.Contact]
	for _, id := range append([]chat.ContactID{who.ID}, who.Absorbed...) {
		if id != c && d.byID[id] != nil {
			rest = append(rest, d.byID[id])
		}
	}
	speaks := tiesOf(d.circle).unite(rest)
	var ids []chat.ContactID
	for _, o := range rest {
		if who.ID != c && speaks[o.val.ID] == speaks[who.ID] {
			ids = append(ids, o.val.ID)
		}
	}
	return ids
}

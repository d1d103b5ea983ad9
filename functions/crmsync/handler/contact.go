package handler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/match"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/store"
)

// The customer's record.

// contact finds or makes the record, and completes it when more is known of the person than before.
func (s *sync) contact(ctx context.Context) (err error) {
	if s.who, err = s.h.Store.Contact(ctx, s.m.Contact); err != nil {
		return err
	}
	p, err := s.person(ctx)
	if err != nil {
		return err
	}
	known := digest(p.Name, p.Username, p.Phone.Digits, p.BSUID, p.Marketing)
	link, err := s.h.Store.Link(ctx, s.who.ID, s.connector.Name())
	if err != nil {
		return err
	}
	s.on = crm.ContactRef(link.Ref)
	switch {
	case link.Ref == "":
		return s.newContact(ctx, link, p, known)
	case link.Shown != known:
		err := s.connector.FillContact(ctx, s.on, p)
		if errors.Is(err, crm.ErrGone) {
			if err := s.link(ctx, store.Link{}); err != nil {
				return err
			}
			return s.newContact(ctx, store.Link{}, p, known)
		}
		if err != nil {
			return fmt.Errorf("contact: %w", err)
		}
		link.Shown = known
		return s.link(ctx, link)
	}
	return nil
}

// person is the contact as the CRM is to know it.
func (s *sync) person(ctx context.Context) (crm.Person, error) {
	ids, err := s.h.Store.Identities(ctx, s.who)
	if err != nil {
		return crm.Person{}, err
	}
	p := crm.Person{Key: s.who.ID, Name: cmp.Or(s.who.Saved, s.who.Name), Username: s.who.Username}
	for _, id := range ids {
		switch {
		case id.Kind == chat.AliasBSUID && p.BSUID == "":
			p.BSUID = id.Value
		case id.Kind == chat.AliasWAID && !p.Phone.Known():
			p.Phone = match.Phone(id.Value)
		}
	}
	if said, ok := s.who.Consent[chat.CategoryMarketing]; ok {
		p.Marketing = "withdrawn"
		if said.Given {
			p.Marketing = "granted"
		}
	}
	return p, nil
}

// newContact notes that a record is begun, so that one whose making was never answered is looked for.
func (s *sync) newContact(ctx context.Context, link store.Link, p crm.Person, known string) error {
	if !s.can.AtomicContacts {
		if err := s.beginContact(ctx, link); err != nil {
			return err
		}
	}
	found, err := match.Contact(ctx, s.connector, p, s.owner)
	if err != nil {
		if s.can.AtomicContacts {
			return fmt.Errorf("contact: %w", err)
		}
		_, noted := s.claimLink(ctx, func(l *store.Link) {
			if l.Busy = (time.Time{}); !crm.Unsettled(err) {
				l.Tried = link.Tried
			}
		})
		return errors.Join(fmt.Errorf("contact: %w", err), noted)
	}
	s.on = found.Ref
	link = store.Link{Ref: string(found.Ref), Shown: known}
	for _, other := range found.Others {
		link.Others = append(link.Others, string(other))
	}
	if len(link.Others) > 0 {
		s.h.Metrics.Count(ctx, metric.ContactAmbiguous, 1, "Connector", s.connector.Name())
		slog.WarnContext(ctx, "several records of the CRM have the number: made one more", "connector", s.connector.Name(),
			"contact", s.who.ID, "records", len(link.Others))
	}
	return s.link(ctx, link)
}

// beginContact notes that a record is about to be made, unless one was and the CRM may not show it yet, or somebody else is
// at it.
func (s *sync) beginContact(ctx context.Context, known store.Link) error {
	if !known.Tried.IsZero() {
		if err := s.lag(known.Tried); err != nil {
			return err
		}
	}
	now, wait := s.h.now().UTC(), time.Duration(0)
	_, err := s.claimLink(ctx, func(l *store.Link) {
		if wait = l.Busy.Sub(now); wait <= 0 && !reflect.DeepEqual(*l, known) {
			wait = time.Second // it says something else by now
		}
		if wait <= 0 {
			l.Tried, l.Busy = now, now.Add(busyFor)
		}
	})
	if err == nil && wait > 0 {
		err = queue.Later(wait, errBusy)
	}
	return err
}

func (s *sync) claimLink(ctx context.Context, claim func(*store.Link)) (store.Link, error) {
	return s.h.Store.ClaimLink(ctx, s.who.ID, s.connector.Name(), claim)
}

func (s *sync) owner(ctx context.Context, ref crm.ContactRef) (chat.ContactID, error) {
	all, err := s.h.Store.Owners(ctx, s.connector.Name(), string(ref))
	switch {
	case err != nil || len(all) == 0:
		return "", err
	case slices.Contains(all, s.who.ID):
		return s.who.ID, nil
	}
	return all[0], nil
}

func (s *sync) link(ctx context.Context, l store.Link) error {
	return s.h.Store.SetLink(ctx, s.who.ID, s.connector.Name(), l)
}

// follow goes on with the record into which the CRM's user merged the contact's.
func (s *sync) follow(ctx context.Context, to crm.ContactRef) error {
	link, err := s.h.Store.Link(ctx, s.who.ID, s.connector.Name())
	if err != nil {
		return err
	}
	if link.Ref == string(s.on) { // else it is an earlier record of the contact's that was merged
		if err := s.link(ctx, store.Link{Ref: string(to)}); err != nil {
			return err
		}
	}
	// What may have been made on the other record is on this one now: it is still looked for.
	_, err = s.note(ctx, s.entryOwner(), func(e *store.Entry) { e.Contact = string(to) })
	return err
}

// forget drops what the table remembers of entries that are gone, and has the contact's record looked at: that one may be
// gone too. What was made, or may have been, is looked for once more:
// not every CRM tells a merge from a deletion, and a file may outlive its entry.
func (s *sync) forget(ctx context.Context) error {
	link, err := s.h.Store.Link(ctx, s.who.ID, s.connector.Name())
	if err != nil {
		return err
	}
	if link.Ref != "" {
		link.Shown = ""
		if err := s.link(ctx, link); err != nil {
			return err
		}
	}
	owner := s.entryOwner()
	for _, m := range append(s.members, member{Message: owner}) {
		_, err := s.note(ctx, m.Message, func(e *store.Entry) {
			if e.Ref != "" {
				e.Tried = m.At
			}
			if e.File != "" {
				e.FileTried = m.At
			}
			*e = store.Entry{Head: e.Head, Members: e.Members, Busy: e.Busy, Tried: e.Tried, FileTried: e.FileTried}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entryOwner is the message whose entry is worked on, as far as that is known yet.
func (s *sync) entryOwner() chat.Message {
	if s.head.ID == "" {
		return s.m
	}
	return s.head
}

// person completes the record of somebody of whom more is known than before. Who has none gets one with a message.
func (h *Handler) person(ctx context.Context, qm queue.Message) error {
	r, c, err := h.target(ctx, qm)
	if c == nil || err != nil {
		return err
	}
	who, err := h.Store.Contact(ctx, chat.ContactID(r.Message))
	if chat.CodeOf(err) == chat.NotFound {
		return nil // erased since
	}
	if err != nil {
		return err
	}
	link, err := h.Store.Link(ctx, who.ID, c.Name())
	if err != nil || link.Ref == "" {
		return err
	}
	return h.through(ctx, c.Name(), qm.ID, func() error {
		s := &sync{h: h, connector: c, can: c.Capabilities(), m: chat.Message{Contact: who.ID}}
		err := h.provisioned(ctx, c, func() error { return s.contact(ctx) })
		moved, merged := errors.AsType[*crm.Moved](err)
		refusal, refused := errors.AsType[*crm.Error](err)
		switch {
		case merged:
			return s.link(ctx, store.Link{Ref: string(moved.To)}) // the next message completes that one
		case errors.Is(err, crm.ErrGone):
			return s.link(ctx, store.Link{}) // the next message makes another one
		case refused && refusal.Class == crm.Refused:
			slog.WarnContext(ctx, "the CRM refuses what is known of a person", "connector", c.Name(), "error", redact.Error(refusal))
			return nil
		}
		return err
	})
}

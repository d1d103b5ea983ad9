package handler

import (
	"cmp"
	"context"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/queue"
	"threadline/shared/store"
)

// Which messages an entry shows.

// How much one entry holds; the next message begins another.
const (
	maxMembers = 30
	maxWords   = 20_000 // bytes of text, so that no CRM has to shorten it
)

// place finds out which entry the message is shown in, notes that it is, and reads what is shown there.
func (s *sync) place(ctx context.Context) error {
	name := s.connector.Name()
	s.head = s.m
	if s.h.Bundle > 0 {
		if err := s.join(ctx); err != nil {
			return err
		}
	}
	var busy time.Duration
	var err error
	s.claim, err = s.note(ctx, s.head, func(e *store.Entry) {
		if busy = s.busy(*e); busy > 0 {
			return
		}
		s.begun = e.Tried
		e.Contact = cmp.Or(e.Contact, string(s.on))
		if s.held = e.Ref == ""; s.held {
			e.Busy = s.h.now().Add(busyFor).UTC()
		}
		if e.Ref == "" && e.Tried.IsZero() && !s.can.AtomicMessages && !s.uploadsFirst() {
			e.Tried = s.h.now().UTC()
		}
		if s.head.ID != s.m.ID && !slices.Contains(e.Members, store.SortKey(s.m)) {
			e.Members = append(e.Members, store.SortKey(s.m))
			slices.Sort(e.Members)
		}
	})
	if err != nil {
		return err
	}
	if busy > 0 {
		return queue.Later(busy, errBusy)
	}
	s.on = crm.ContactRef(s.claim.Contact) // where the entry was begun, also if the contact has moved since
	if len(s.claim.Members) == 0 {
		s.members = []member{{s.m, s.claim}}
		return nil
	}
	messages, err := s.h.Store.MessagesAt(ctx, s.m.Conversation, s.claim.Members)
	if err != nil {
		return err
	}
	var ids []chat.MessageID
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	claims, err := s.h.Store.Entries(ctx, s.m.Conversation, name, ids)
	if err != nil {
		return err
	}
	s.members = nil
	for _, m := range messages {
		s.members = append(s.members, member{m, claims[m.ID]})
	}
	return nil
}

// uploadsFirst tells whether a file is brought before the entry is begun.
func (s *sync) uploadsFirst() bool {
	return s.can.FilesFirst && s.m.Attachment != nil && s.m.Attachment.State.Have()
}

// join adds the message to the customer's open entry, or begins one with it. A message that has been placed stays
// there.
func (s *sync) join(ctx context.Context) error {
	name, sort := s.connector.Name(), store.SortKey(s.m)
	known, err := s.h.Store.Entries(ctx, s.m.Conversation, name, []chat.MessageID{s.m.ID})
	if err != nil {
		return err
	}
	own, placed := known[s.m.ID]
	head := own.Head
	if !placed {
		b, err := s.h.Store.Bundle(ctx, s.m, name, s.h.Bundle)
		if err != nil {
			return err
		}
		if head, err = s.room(ctx, b.Head); err != nil {
			return err
		}
		_, err = s.note(ctx, s.m, func(e *store.Entry) {
			if head != sort {
				e.Head = head
			} else {
				e.Members = []string{sort}
			}
		})
		if err != nil {
			return err
		}
	}
	if head == "" || head == sort {
		return nil
	}
	first, err := s.h.Store.MessagesAt(ctx, s.m.Conversation, []string{head})
	if err != nil || len(first) == 0 {
		return err // past its retention: the message is shown by itself
	}
	s.head = first[0]
	return nil
}

// room returns the entry that a message is added to, unless that is full or can't be written to: then the message's own.
func (s *sync) room(ctx context.Context, head string) (string, error) {
	sort := store.SortKey(s.m)
	if head == sort {
		return sort, nil
	}
	first, err := s.h.Store.MessagesAt(ctx, s.m.Conversation, []string{head})
	if err != nil {
		return "", err
	}
	if len(first) > 0 {
		known, err := s.h.Store.Entries(ctx, s.m.Conversation, s.connector.Name(), []chat.MessageID{first[0].ID})
		if err != nil {
			return "", err
		}
		e := known[first[0].ID]
		others, err := s.h.Store.MessagesAt(ctx, s.m.Conversation, e.Members)
		if err != nil {
			return "", err
		}
		words := len(s.m.Text)
		for _, m := range others {
			words += len(m.Text)
		}
		if e.Reason == "" && len(e.Members) < maxMembers && words <= maxWords {
			return head, nil
		}
	}
	if err := s.h.Store.CloseBundle(ctx, s.m, s.connector.Name(), head); err != nil {
		return "", err
	}
	b, err := s.h.Store.Bundle(ctx, s.m, s.connector.Name(), s.h.Bundle)
	return b.Head, err
}

// added tells whether the message is being added to another one's entry, which doesn't show it yet.
func (s *sync) added() bool {
	return s.head.ID != s.m.ID && slices.ContainsFunc(s.members, func(m member) bool { return m.ID == s.m.ID && m.claim.Ref == "" })
}

// leave takes the message out of an entry that the CRM doesn't let us change any more. What comes next isn't added to that
// one either.
func (s *sync) leave(ctx context.Context) error {
	sort := store.SortKey(s.m)
	_, err := s.note(ctx, s.head, func(e *store.Entry) {
		e.Members = slices.DeleteFunc(e.Members, func(member string) bool { return member == sort })
	})
	if err != nil {
		return err
	}
	if err := s.h.Store.CloseBundle(ctx, s.m, s.connector.Name(), store.SortKey(s.head)); err != nil {
		return err
	}
	_, err = s.note(ctx, s.m, func(e *store.Entry) { e.Head = "" })
	return err
}

// render is what the entry is to show now.
func (s *sync) render(ctx context.Context) (crm.Entry, error) {
	var messages []chat.Message
	for _, m := range s.members {
		messages = append(messages, m.Message)
	}
	quotes, err := s.h.Store.Quotes(ctx, quoting(messages)...)
	if err != nil {
		return crm.Entry{}, err
	}
	e := crm.Entry{Key: entryKey(s.head), At: s.head.At}
	for _, m := range s.members {
		var quoted *chat.Message
		if q, ok := quotes[m.ReplyTo]; ok {
			quoted = &q
		}
		shows := render(m.Message, s.who, quoted)
		shows.Note = lines(shows.Note, m.claim.FileReason)
		e.Messages = append(e.Messages, shows)
	}
	return e, nil
}

// quoting are the messages that answer another one.
func quoting(messages []chat.Message) []chat.Message {
	return slices.DeleteFunc(slices.Clone(messages), func(m chat.Message) bool {
		_, amends := m.Amends()
		return amends
	})
}

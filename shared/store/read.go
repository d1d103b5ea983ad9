package store

import (
	"context"
	"slices"
	"strings"

	"threadline/shared/chat"
)

// Lookup returns a message by id: one of ours, or a provider's on any of the numbers that we know.
func (s *Store) Lookup(ctx context.Context, id chat.MessageID) (chat.Message, error) {
	keys := []key{ourKey(id)}
	if !id.Ours() {
		numbers, err := s.numbers(ctx)
		if err != nil {
			return chat.Message{}, err
		}
		keys = nil
		for _, n := range numbers {
			keys = append(keys, providerKey(n.ID, string(id)))
		}
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return chat.Message{}, err
	}
	for _, k := range keys {
		r, err := read[ref](items, k)
		if err != nil {
			return chat.Message{}, err
		}
		if r.rev > 0 {
			d, err := s.message(ctx, r.val)
			return d.val, err
		}
	}
	return chat.Message{}, chat.E(chat.NotFound, "there is no such message (yet)", nil)
}

// Message returns the message that an effect refers to.
func (s *Store) Message(ctx context.Context, conv chat.ConversationID, sort string) (chat.Message, error) {
	d, err := s.message(ctx, ref{Conversation: conv, Sort: sort})
	return d.val, err
}

// SortKey is how an effect names a message within its conversation.
func SortKey(m chat.Message) string { return messageSort(m.At, string(m.ID)) }

// Conversation returns a conversation. One whose contact was joined to another is answered by the survivor's.
func (s *Store) Conversation(ctx context.Context, id chat.ConversationID) (chat.Conversation, error) {
	c, _, err := s.whole(ctx, id)
	return c, err
}

// whole reads a conversation together with those of the contacts joined to its own, and tells which of them holds the
// newest message.
func (s *Store) whole(ctx context.Context, id chat.ConversationID) (c chat.Conversation, newest chat.ConversationID, err error) {
	ids, err := s.threads(ctx, id)
	if err != nil {
		return c, "", err
	}
	keys := make([]key, len(ids))
	for i, id := range ids {
		keys[i] = conversationKey(id)
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return c, "", err
	}
	for _, k := range keys {
		d, err := read[chat.Conversation](items, k)
		if err != nil {
			return c, "", err
		}
		switch {
		case d.rev == 0:
		case c.ID == "":
			c, newest = d.val, d.val.ID
		default:
			if d.val.Activity.After(c.Activity) {
				newest = d.val.ID
			}
			c = merge(c, d.val)
		}
	}
	if c.ID == "" {
		return c, "", chat.E(chat.NotFound, "there is no such conversation", nil)
	}
	if who, direct := ids[0].Contact(); direct {
		c.ID, c.Contact = ids[0], who
	}
	return c, newest, nil
}

// merge adds what another thread of the same person says to c, which goes on saying who is to act.
func merge(c, other chat.Conversation) chat.Conversation {
	c.Arrivals += other.Arrivals
	if other.Activity.After(c.Activity) {
		c.Activity = other.Activity
	}
	c.Take(other)
	return c
}

// threads returns the survivor's conversation and those of the contacts joined to it.
func (s *Store) threads(ctx context.Context, id chat.ConversationID) ([]chat.ConversationID, error) {
	c, direct := id.Contact()
	if !direct {
		return []chat.ConversationID{id}, nil
	}
	who, err := s.Contact(ctx, c)
	if chat.CodeOf(err) == chat.NotFound {
		return []chat.ConversationID{id}, nil
	}
	if err != nil {
		return nil, err
	}
	ids := []chat.ConversationID{chat.Direct(id.Number(), who.ID)}
	for _, a := range who.Absorbed {
		ids = append(ids, chat.Direct(id.Number(), a))
	}
	return ids, nil
}

// ConversationsOf returns a contact's conversations, those of contacts joined to it included, the most recent first.
func (s *Store) ConversationsOf(ctx context.Context, c chat.Contact) ([]chat.Conversation, error) {
	var keys []key
	for _, id := range append([]chat.ContactID{c.ID}, c.Absorbed...) {
		items, err := s.query(ctx, prefix("USER#"+string(id), "CONV#"))
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			d, err := decode[ownConversation](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			keys = append(keys, conversationKey(d.val.Conversation))
		}
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var out []chat.Conversation
	for k, it := range items {
		d, err := decode[chat.Conversation](k, it)
		if err != nil {
			return nil, err
		}
		out = append(out, d.val)
	}
	slices.SortFunc(out, func(a, b chat.Conversation) int {
		if c := b.Activity.Compare(a.Activity); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return out, nil
}

package store

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"threadline/shared/chat"
)

// Lookup returns a message by id: one of ours, or a provider's on any of the numbers that we know.
func (s *Store) Lookup(ctx context.Context, id chat.MessageID) (chat.Message, error) {
	keys := []key{ourKey(id)}
	if !id.Ours() {
		numbers, err := s.Numbers(ctx)
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
	ids, err := s.threads(ctx, id)
	if err != nil {
		return chat.Conversation{}, err
	}
	keys := make([]key, len(ids))
	for i, id := range ids {
		keys[i] = conversationKey(id)
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return chat.Conversation{}, err
	}
	var out chat.Conversation
	for _, k := range keys {
		d, err := read[chat.Conversation](items, k)
		if err != nil {
			return out, err
		}
		if d.rev == 0 {
			continue
		}
		if out.ID == "" {
			out = d.val
			continue
		}
		out.Arrivals += d.val.Arrivals
		if d.val.Activity.After(out.Activity) {
			out.Activity = d.val.Activity
		}
		if d.val.LastInbound.After(out.LastInbound) {
			out.LastInbound = d.val.LastInbound
		}
	}
	if out.ID == "" {
		return out, chat.E(chat.NotFound, "there is no such conversation", nil)
	}
	if c, direct := ids[0].Contact(); direct {
		out.ID, out.Contact = ids[0], c
	}
	return out, nil
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

// Filter selects conversations; its zero value selects all of them.
type Filter struct {
	State chat.State
	Owner string
	Team  string
}

// partitions are the parts of the index that can hold what the filter selects.
func (f Filter) partitions() []string {
	var ps []string
	if f.Owner != "" {
		return []string{"AGENT#" + f.Owner}
	}
	team := f.Team
	if team == "" {
		team = DefaultTeam
	}
	for i := range shards {
		if f.State != chat.Resolved {
			ps = append(ps, inboxPartition(team, i))
		}
		if f.State == "" || f.State == chat.Resolved {
			ps = append(ps, donePartition(i))
		}
	}
	return ps
}

func (f Filter) matches(c chat.Conversation) bool {
	return (f.State == "" || f.State == c.State) && (f.Team == "" || f.Team == c.Team)
}

// Listed is a conversation with its contact, empty for a group chat.
type Listed struct {
	chat.Conversation
	With chat.Contact
}

// Conversations returns a page of conversations, the most recently active first, and the cursor of the next page, empty
// on the last one. A conversation whose contact was joined to another isn't listed; its survivor is. A page may be
// empty and still have a next one. The index is a moment behind the table.
func (s *Store) Conversations(ctx context.Context, f Filter, cursor string, limit int) ([]Listed, string, error) {
	before, err := decodeCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	var found []doc[chat.Conversation]
	for _, p := range f.partitions() {
		items, err := s.query(ctx, span{index: true, pk: p, from: "0", to: before, newest: true, limit: limit + 1})
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			d, err := decode[chat.Conversation](keyOf(it), it)
			if err != nil {
				return nil, "", err
			}
			if d.index.sk != before {
				found = append(found, d)
			}
		}
	}
	slices.SortFunc(found, func(a, b doc[chat.Conversation]) int { return strings.Compare(b.index.sk, a.index.sk) })
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = encodeCursor(found[limit-1].index.sk)
	}
	page, err := s.introduce(ctx, found, f)
	return page, next, err
}

// introduce adds the contacts and leaves out what is joined or doesn't match.
func (s *Store) introduce(ctx context.Context, found []doc[chat.Conversation], f Filter) ([]Listed, error) {
	var keys []key
	for _, d := range found {
		if d.val.Contact != "" {
			keys = append(keys, contactKey(d.val.Contact))
		}
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	page := []Listed{}
	for _, d := range found {
		if !f.matches(d.val) {
			continue
		}
		l := Listed{Conversation: d.val}
		if d.val.Contact != "" {
			c, err := read[chat.Contact](items, contactKey(d.val.Contact))
			if err != nil {
				return nil, err
			}
			l.With = c.val
		}
		if l.With.Joined != "" {
			survivor, shown, err := s.standIn(ctx, d.val)
			if err != nil {
				return nil, err
			}
			if !shown {
				continue
			}
			l = survivor
		}
		page = append(page, l)
	}
	return page, nil
}

// standIn is what a joined contact's conversation is listed as: nothing when its survivor has one of its own on the
// number, which is listed anyway.
func (s *Store) standIn(ctx context.Context, c chat.Conversation) (Listed, bool, error) {
	who, err := s.Contact(ctx, c.Contact)
	if err != nil {
		return Listed{}, false, err
	}
	id := chat.Direct(c.Number, who.ID)
	items, err := s.get(ctx, conversationKey(id))
	if err != nil || len(items) > 0 {
		return Listed{}, false, err
	}
	c.ID, c.Contact = id, who.ID
	return Listed{Conversation: c, With: who}, true, nil
}

// Messages returns a page of a conversation, the newest page first and in time order within it, with the cursor of the
// page before it in time, empty on the last one. Conversations of joined contacts are read together.
func (s *Store) Messages(ctx context.Context, id chat.ConversationID, cursor string, limit int) ([]chat.Message, string, error) {
	before, err := decodeCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	ids, err := s.threads(ctx, id)
	if err != nil {
		return nil, "", err
	}
	var found []doc[chat.Message]
	for _, id := range ids {
		items, err := s.query(ctx, span{pk: "CONV#" + string(id), from: "MSG#", to: "MSG#" + before, newest: true, limit: limit + 1})
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			d, err := decode[chat.Message](keyOf(it), it)
			if err != nil {
				return nil, "", err
			}
			if d.sk != "MSG#"+before {
				found = append(found, d)
			}
		}
	}
	if len(found) == 0 && cursor == "" {
		if _, err := s.Conversation(ctx, id); err != nil {
			return nil, "", err
		}
	}
	slices.SortFunc(found, func(a, b doc[chat.Message]) int { return strings.Compare(b.sk, a.sk) })
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = encodeCursor(strings.TrimPrefix(found[limit-1].sk, "MSG#"))
	}
	page := make([]chat.Message, len(found))
	for i, d := range found {
		page[i] = d.val
	}
	slices.SortStableFunc(page, earlier)
	return page, next, nil
}

// earlier orders messages as people read them: Meta's times are whole seconds, so the order of arrival breaks ties.
func earlier(a, b chat.Message) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	if a.Arrival != b.Arrival && a.Conversation == b.Conversation {
		return int(a.Arrival - b.Arrival)
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

// newestFirst is above every time: where a list begins that has no cursor.
const newestFirst = "\U0010FFFF"

func encodeCursor(sort string) string { return base64.RawURLEncoding.EncodeToString([]byte(sort)) }

func decodeCursor(c string) (string, error) {
	if c == "" {
		return newestFirst, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(c)
	if err != nil || len(b) == 0 || len(b) > 900 {
		return "", chat.E(chat.Invalid, "cursor: not one that we gave out", nil)
	}
	return string(b), nil
}

package store

import (
	"context"
	"time"

	"threadline/shared/chat"
)

// Inbound is a provider's message on its way into a conversation. Of Message, the fields Conversation, Contact and
// Arrival are found out here.
type Inbound struct {
	Message chat.Message
	Number  chat.NumberID
	Group   string // the group chat it was written in, if any
	Seen    chat.Seen
	Plan    func(chat.Message) []chat.Effect // what the message causes, asked once its contact is known; nil: nothing
}

// Received is a stored message.
type Received struct {
	Message chat.Message
	First   bool // it was stored by this call
	Filled  bool // this update named the file of a stored placeholder: what it causes is due, also on a redelivery
	Differs bool // the provider gave the same id to other content before; the first is kept
	Gone    bool // it was stored once and is past its retention: there is nothing left to do
}

// ref names where a message is.
type ref struct {
	Conversation chat.ConversationID `json:"conversation"`
	Sort         string              `json:"sort"`
	Hash         string              `json:"hash"` // of what the message was made from at first
}

func (r ref) key() key { return key{"CONV#" + string(r.Conversation), r.Sort} }

// Receive stores a provider's message with its planned effects, exactly once: again with the same id, it returns what
// was stored, so that the caller can dispatch the stored plan again. Receipts that came before their message are
// applied.
func (s *Store) Receive(ctx context.Context, in Inbound) (Received, error) {
	var out Received
	err := s.contend(ctx, func() (err error) {
		out, err = s.receive(ctx, in)
		return err
	})
	if err != nil || out.Gone {
		return out, err
	}
	out.Message, err = s.applyParked(ctx, in.Number, string(out.Message.ID), out.Message, "")
	return out, err
}

func (s *Store) receive(ctx context.Context, in Inbound) (Received, error) {
	m := in.Message
	name := providerKey(in.Number, string(m.ID))
	items, err := s.get(ctx, append(aliasKeys(in.Seen), name)...)
	if err != nil {
		return Received{}, err
	}
	known, err := read[ref](items, name)
	if err != nil {
		return Received{}, err
	}
	if known.rev > 0 {
		return s.again(ctx, in, known)
	}

	var writes []op
	conv := chat.Conversation{Number: in.Number, Group: in.Group}
	if in.Seen.Someone() {
		who, err := s.resolve(ctx, in.Seen, items)
		if err != nil {
			return Received{}, err
		}
		m.Contact, writes = who.who.ID, who.writes
	}
	conv.ID = chat.Group(in.Number, in.Group)
	if in.Group == "" {
		conv.ID, conv.Contact = chat.Direct(in.Number, m.Contact), m.Contact
	}
	if in.Plan != nil {
		m.Effects = in.Plan(m)
	}
	stored, ops, err := s.append(ctx, conv, m)
	if err != nil {
		return Received{}, err
	}
	reference, err := doc[ref]{key: name, ttl: s.refExpiry(),
		val: ref{stored.Conversation, messageSort(m.At, string(m.ID)), m.Hash}}.put()
	if err != nil {
		return Received{}, err
	}
	writes = append(append(writes, ops...), reference)
	return Received{Message: stored, First: true}, s.write(ctx, writes...)
}

// again answers for a message that is stored already. It stays as it is, but for what an import adds: the file of a
// placeholder, and how far the message had come.
func (s *Store) again(ctx context.Context, in Inbound, known doc[ref]) (Received, error) {
	stored, err := s.message(ctx, known.val)
	if chat.CodeOf(err) == chat.NotFound {
		return Received{Gone: true}, nil
	}
	if err != nil {
		return Received{}, err
	}
	switch in.Message.Hash {
	case known.val.Hash:
		return Received{Message: stored.val}, nil
	case stored.val.Hash: // it named the file of what was stored first
		return Received{Message: stored.val, Filled: true}, nil
	}
	out := Received{Differs: differs(stored.val, in.Message)}
	switch {
	case stored.val.Fill(in.Message):
		out.Filled, out.Differs = true, false
		if in.Plan != nil {
			stored.val.Effects = in.Plan(stored.val)
		}
	case !in.Message.Imported || !stored.val.Advance(in.Message):
		out.Message = stored.val
		return out, nil
	}
	out.Message = stored.val
	o, err := stored.put() // protects: what was said of it meanwhile isn't overwritten
	if err != nil {
		return Received{}, err
	}
	return out, s.write(ctx, o)
}

// differs tells whether two updates with one id say different things. A placeholder says nothing, an echo is what was
// sent in other words, and an import writes the message anew: then only what people see counts.
func differs(stored, m chat.Message) bool {
	switch {
	case m.Kind == chat.KindPlaceholder:
		return false
	case m.Imported || stored.Imported:
		return m.Kind != stored.Kind || (m.Text != stored.Text && m.Text != stored.Original)
	}
	return m.Direction == chat.In
}

// append plans the writes that put a message at its place in a conversation, which it makes if there is none.
func (s *Store) append(ctx context.Context, conv chat.Conversation, m chat.Message) (chat.Message, []op, error) {
	items, err := s.get(ctx, conversationKey(conv.ID))
	if err != nil {
		return m, nil, err
	}
	c, err := read[chat.Conversation](items, conversationKey(conv.ID))
	if err != nil {
		return m, nil, err
	}
	var ops []op
	if c.rev == 0 {
		conv.State, conv.Team = chat.InQueue, DefaultTeam
		c.val = conv
		if conv.Contact != "" {
			o, err := doc[ownConversation]{key: ownConversationKey(conv.Contact, conv.ID), val: ownConversation{conv.ID}}.overwrite()
			if err != nil {
				return m, nil, err
			}
			ops = append(ops, o)
		}
	}
	c.val.Note(m)
	c.index = inboxIndex(c.val)
	m.Conversation, m.Arrival = c.val.ID, c.val.Arrivals
	marked, err := s.mark(&c.val, m)
	if err != nil {
		return m, nil, err
	}
	ops = append(ops, marked...)
	noted, err := c.put()
	if err != nil {
		return m, nil, err
	}
	put, err := doc[chat.Message]{key: messageKey(m.Conversation, m.At, m.ID), val: m, ttl: s.expiry()}.put()
	if err != nil {
		return m, nil, err
	}
	return m, append(ops, noted, put), nil
}

// DefaultTeam is the team of conversations that nobody has given to another.
const DefaultTeam = "default"

// ownConversation lists a conversation with its contact.
type ownConversation struct {
	Conversation chat.ConversationID `json:"conversation"`
}

// expiry is when what is stored now is forgotten.
func (s *Store) expiry() time.Time {
	if s.Retention == 0 {
		return time.Time{}
	}
	return s.now().Add(s.Retention)
}

// refGrace is how much longer a message's name is kept than the message: longer than Meta repeats a webhook (7 days) and
// a queue keeps an entry (14 days), so that what was forgotten isn't stored again.
const refGrace = 14 * 24 * time.Hour

func (s *Store) refExpiry() time.Time {
	if s.Retention == 0 {
		return time.Time{}
	}
	return s.expiry().Add(refGrace)
}

// message reads what a ref names.
func (s *Store) message(ctx context.Context, r ref) (doc[chat.Message], error) {
	items, err := s.get(ctx, r.key())
	if err != nil {
		return doc[chat.Message]{}, err
	}
	return r.in(items)
}

// in finds what the ref names among items that were read.
func (r ref) in(items map[key]item) (doc[chat.Message], error) {
	d, err := read[chat.Message](items, r.key())
	if err == nil && d.rev == 0 {
		err = chat.E(chat.NotFound, "the message has expired", nil)
	}
	return d, err
}

package handler

import (
	"context"
	"fmt"
	"slices"

	"threadline/shared/chat"
	"threadline/shared/phone"
	"threadline/shared/store"
)

// place finds the message's conversation: the person's on one of our numbers, or the one that was named. What it returns
// of the conversation is when the customer last wrote, and zero if they never did.
func (a *API) place(ctx context.Context, req request, to recipient, m *chat.Message) (chat.Conversation, error) {
	if to.Conversation != "" {
		return a.placeIn(ctx, req, to.Conversation, m)
	}
	who, err := a.recipient(ctx, to, m)
	if err != nil {
		return chat.Conversation{}, err
	}
	threads, err := a.Store.ConversationsOf(ctx, who)
	if err != nil {
		return chat.Conversation{}, err
	}
	// Where the customer wrote last, rather than where somebody once tried to write to them.
	slices.SortStableFunc(threads, func(a, b chat.Conversation) int { return b.LastInbound.Compare(a.LastInbound) })
	n, err := a.number(ctx, chat.NumberID(req.Number), threads)
	if err != nil {
		return chat.Conversation{}, err
	}
	m.Contact, m.Conversation = who.ID, chat.Direct(n, who.ID)
	for _, c := range threads {
		if c.Number == n {
			return c, nil
		}
	}
	return chat.Conversation{}, nil
}

// placeIn puts the message into a conversation, which may be a group's.
func (a *API) placeIn(ctx context.Context, req request, id chat.ConversationID, m *chat.Message) (chat.Conversation, error) {
	c, err := a.Store.Conversation(ctx, id)
	switch {
	case chat.CodeOf(err) == chat.NotFound:
		return c, invalid("to.conversation", "there is no such conversation")
	case err != nil:
		return c, err
	case req.Number != "" && chat.NumberID(req.Number) != c.Number:
		return c, invalid("number", "the conversation is another number's: leave it out")
	case !a.ours(c.Number):
		return c, invalid("to.conversation", "this installation doesn't send from its phone_number_id")
	}
	m.Contact, m.Conversation = c.Contact, c.ID
	if c.Group != "" {
		m.Send.To = chat.Address{Group: c.Group}
		return c, nil
	}
	_, err = a.reach(ctx, "to.conversation", c.Contact, m)
	return c, err
}

// recipient finds or makes the contact, and says how Meta is told whom to send to.
func (a *API) recipient(ctx context.Context, to recipient, m *chat.Message) (chat.Contact, error) {
	if to.Contact != "" {
		return a.reach(ctx, "to.contact", to.Contact, m)
	}
	m.Send.To = chat.Address{Phone: to.Phone, BSUID: to.BSUID}
	return a.Store.Person(ctx, chat.Seen{
		Phone: to.Phone, BSUID: to.BSUID, Variants: phone.Variants(to.Phone), At: m.At, Source: chat.SourceRequest,
	})
}

// reach addresses a message to the newest phone of a contact, or else its newest user id.
func (a *API) reach(ctx context.Context, field string, id chat.ContactID, m *chat.Message) (chat.Contact, error) {
	who, err := a.Store.Contact(ctx, id)
	if chat.CodeOf(err) == chat.NotFound {
		return who, invalid(field, "there is no such contact")
	}
	if err != nil {
		return who, err
	}
	ids, err := a.Store.Identities(ctx, who)
	if err != nil {
		return who, err
	}
	for _, id := range ids {
		switch id.Kind {
		case chat.AliasWAID:
			m.Send.To = chat.Address{Phone: id.Value}
			return who, nil
		case chat.AliasBSUID:
			m.Send.To = chat.Address{BSUID: id.Value}
			return who, nil
		}
	}
	return who, invalid(field, "nobody knows how to reach this contact: use a phone number")
}

// ours tells whether we send from a number.
func (a *API) ours(n chat.NumberID) bool {
	return len(a.Numbers) == 0 || slices.Contains(a.Numbers, string(n))
}

// number is where the message is sent from: the one asked for, else the conversation's, else the first that is
// configured, else the only one that messages came through.
func (a *API) number(ctx context.Context, asked chat.NumberID, threads []chat.Conversation) (chat.NumberID, error) {
	if asked != "" {
		if !a.ours(asked) {
			return "", invalid("number", "this installation doesn't send from that phone_number_id")
		}
		return asked, nil
	}
	for _, c := range threads {
		if a.ours(c.Number) {
			return c.Number, nil
		}
	}
	if len(a.Numbers) > 0 {
		return chat.NumberID(a.Numbers[0]), nil
	}
	seen, err := a.Store.Numbers(ctx)
	// Of one that Meta hasn't named we know no more than that it refused it: somebody mistyped it.
	seen = slices.DeleteFunc(seen, func(n store.Number) bool { return n.WABA == "" && n.Seen.At.IsZero() })
	switch {
	case err != nil:
		return "", err
	case len(seen) == 0:
		return "", invalid("number", "no business number is known yet: give the phone_number_id to send from")
	case len(seen) > 1:
		return "", invalid("number", fmt.Sprintf("%d business numbers are known: give the phone_number_id to send from", len(seen)))
	}
	return seen[0].ID, nil
}

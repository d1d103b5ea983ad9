package handler

import (
	"context"
	"fmt"
	"slices"

	"threadline/shared/chat"
	"threadline/shared/phone"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What updates say of people and their messages outside a conversation.

// categories are Meta's words for what a customer may refuse, in ours.
var categories = map[string]string{"marketing_messages": chat.CategoryMarketing}

// preference keeps the customer's word on a category of messages.
func (h *Handler) preference(ctx context.Context, u whatsapp.Update) error {
	p, err := whatsapp.ParsePreference(u)
	category := categories[p.Category]
	given, said := map[string]bool{"stop": false, "resume": true, "signup": true}[p.Value]
	switch {
	case err != nil || category == "" || !said:
		return h.raw(ctx, u, "shape")
	case !p.Who.Known():
		return h.raw(ctx, u, "nobody")
	}
	detail := p.Detail
	if p.SignupID != "" {
		detail = joined(", ", detail, "signup "+p.SignupID)
	}
	m := newMessage(u.Body, "", provided(p.Timestamp, u))
	who, err := h.Store.Prefer(ctx, shown(u, p.Who, m), category, chat.Consent{
		Given: given, Source: "user_preferences", Value: p.Value, Detail: clip(detail, maxWord),
		Stamp: chat.Stamp{At: m.At, ID: m.Hash},
	})
	if err != nil {
		return err
	}
	return h.complete(ctx, who, m.Hash)
}

// complete has the CRMs told what is known of a person now. Where there is no record yet, a message will make it.
func (h *Handler) complete(ctx context.Context, who chat.Contact, cause string) error {
	for _, c := range h.Connectors {
		r := route.NewPerson(c, who.ID, cause)
		if err := h.CRM.Send(ctx, queue.Entry{Body: r.Body(), Group: r.Group(who.ID), DedupID: r.DedupID()}); err != nil {
			return fmt.Errorf("have a record completed: %w", err)
		}
	}
	return nil
}

// refused takes a refusal of marketing out of a receipt: the notice of it may have got lost, or never come. A receipt that
// names nobody is about whoever the message went to; m is that message, where it is known.
func (h *Handler) refused(ctx context.Context, u whatsapp.Update, s whatsapp.Status, r chat.Receipt, m chat.Message) error {
	optedOut := func(e whatsapp.Error) bool { return e.Code == whatsapp.CodeOptedOut }
	if !slices.ContainsFunc(s.Errors, optedOut) {
		return nil
	}
	who, err := s.Recipient, error(nil)
	if !who.Known() && m.Contact != "" {
		who, err = h.identityOf(ctx, m.Contact)
	}
	if !who.Known() && m.Send != nil {
		who = whatsapp.Identity{WAID: m.Send.To.Phone, BSUID: m.Send.To.BSUID}
	}
	if err != nil || !who.Known() {
		return err
	}
	seen := shown(u, who, newMessage(u.Body, "", r.At))
	whose, err := h.Store.Prefer(ctx, seen, chat.CategoryMarketing, chat.Consent{
		Source: fmt.Sprint(whatsapp.CodeOptedOut), Stamp: chat.Stamp{At: r.At, ID: r.Hash},
	})
	if err != nil {
		return err
	}
	return h.complete(ctx, whose, r.Hash)
}

// identityOf is an identity that a contact is known by; nobody's if it has none, or isn't known.
func (h *Handler) identityOf(ctx context.Context, id chat.ContactID) (who whatsapp.Identity, err error) {
	c, err := h.Store.Contact(ctx, id)
	switch {
	case chat.CodeOf(err) == chat.NotFound:
		return who, nil
	case err != nil:
		return who, err
	}
	ids, err := h.Store.Identities(ctx, c)
	for _, known := range ids {
		switch known.Kind {
		case chat.AliasWAID:
			return whatsapp.Identity{WAID: known.Value}, err
		case chat.AliasBSUID:
			return whatsapp.Identity{BSUID: known.Value}, err
		}
	}
	return who, err
}

// savedContact keeps the name under which the company has a person in its phone.
func (h *Handler) savedContact(ctx context.Context, u whatsapp.Update) error {
	c, err := whatsapp.ParseSavedContact(u)
	if err != nil {
		return h.raw(ctx, u, "shape")
	}
	seen := chat.Seen{
		BSUID: c.BSUID, Phone: c.Phone, Variants: phone.Variants(c.Phone), Scope: u.WABA, At: provided(c.Timestamp, u),
		Source: chat.SourceBook, ID: store.Hash(u.Body),
	}
	if !seen.Someone() {
		return h.raw(ctx, u, "nobody")
	}
	name := clip(c.Name, maxWord)
	if c.Removed {
		name = ""
	}
	seen.Saved = &name
	_, err = h.Store.Person(ctx, seen) // a whole book may come: the records have the name with the next message
	return err
}

// signal notes on a message what Meta concluded from it. The whole of it is kept raw beside.
func (h *Handler) signal(ctx context.Context, u whatsapp.Update) error {
	s, err := whatsapp.ParseSignal(u)
	if err != nil || s.Name == "" || !placed(u, "") {
		return h.raw(ctx, u, "shape")
	}
	g := chat.Signal{
		Name: clip(s.Name, maxWord), Text: clip(joined(" ", s.Value, s.Currency), maxWord),
		Stamp: chat.Stamp{At: provided(s.Timestamp, u), ID: store.Hash(u.Body)},
	}
	target, found, err := h.Store.Signal(ctx, chat.NumberID(u.Number), s.MessageID, g)
	if err != nil {
		return err
	}
	if found {
		if err := h.dispatch(ctx, target, g.Stamp.ID); err != nil {
			return err
		}
	}
	return h.raw(ctx, u, "signal")
}

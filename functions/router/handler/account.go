package handler

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"threadline/shared/chat"
	"threadline/shared/event"
	"threadline/shared/metric"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// accountFields are the webhook fields that tell of an account, a number or a template rather than of a customer.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference
var accountFields = map[string]bool{
	"account_alerts": true, "account_review_update": true, "account_settings_update": true, "account_update": true,
	"business_capability_update": true, "business_username_update": true, "business_username_updates": true, "flows": true,
	"message_template_components_update": true, "message_template_quality_update": true,
	"message_template_status_update": true, "partner_solutions": true, "payment_configuration_update": true,
	"phone_number_name_update": true, "phone_number_quality_update": true, "security": true,
	"template_category_update": true,
}

// event keeps what is no message and no receipt: with its account when it is about that, else raw. What it says of the
// account, of one of its numbers or of its templates becomes part of their state. sent is when it was queued.
func (h *Handler) event(ctx context.Context, u whatsapp.Update, sent time.Time) error {
	e, err := whatsapp.ParseAccountEvent(u)
	says := len(e.Changes) > 0 || e.Template != nil
	if err != nil || e.WABA == "" || len(e.WABA) > maxID || !says && !accountFields[e.Field] {
		return h.raw(ctx, u, "unknown")
	}
	kept, err := h.keepEvent(ctx, u)
	if err != nil {
		return err
	}
	kept.WABA, kept.Field = e.WABA, e.Field
	first, err := h.Store.PutAccountEvent(ctx, kept)
	if err != nil {
		return err
	}
	slog.DebugContext(ctx, "stored an account event", "field", e.Field, "first", first)
	stamp := chat.Stamp{At: provided(e.Timestamp, u), ID: kept.Hash}
	if e.Timestamp.IsZero() && !sent.IsZero() {
		stamp.At = sent.UTC() // errors have no time of Meta's, and are about the moment when they come
	}
	if e.Template != nil {
		if err := h.template(ctx, e, stamp); err != nil {
			return err
		}
	}
	return h.learn(ctx, e, stamp)
}

// template keeps what an event says of a template, and has the list asked for again.
func (h *Handler) template(ctx context.Context, e whatsapp.AccountEvent, stamp chat.Stamp) error {
	if t := e.Template; t.Name != "" {
		why := t.Reason
		if t.Event == "" { // then its field tells what changed, and not to what
			why = joined(": ", joined(", ", t.Quality, t.Category), why)
		}
		word := store.TemplateWord{Event: clip(cmp.Or(t.Event, e.Field), maxWord), Why: clip(why, maxWord), Stamp: stamp}
		err := h.Store.TemplateSaid(ctx, e.WABA, clip(t.Name, maxTemplate), clip(t.Language, maxID), word)
		if err != nil {
			return err
		}
	}
	return h.Store.ExpireTemplates(ctx, e.WABA, stamp.At)
}

// maxTemplate is how long Meta lets the name of a template be.
// https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates
const maxTemplate = 512

// maxChanges is how many changes one event may make: no event that is known makes more than a few.
const maxChanges = 20

// learn makes facts of what an event says, of the number that it names or else of the account.
func (h *Handler) learn(ctx context.Context, e whatsapp.AccountEvent, stamp chat.Stamp) error {
	facts := map[string]chat.Fact{}
	for _, c := range e.Changes[:min(len(e.Changes), maxChanges)] {
		name := clip(c.Topic, maxID)
		if e.Number == "" && e.Display != "" {
			name = store.OfDisplay(clip(e.Display, maxID), name)
		}
		fact := chat.Fact{Value: clip(c.Value, maxWord), Why: clip(c.Why, maxWord), Until: utc(c.Until), Stamp: stamp}
		if percent, err := strconv.Atoi(c.Value); err == nil && percent <= 100 && c.Topic == chat.FactHistory {
			fact = soFar(stamp.At, percent, "")
		}
		facts[name] = fact
	}
	if len(facts) == 0 {
		return nil
	}
	var account store.Account
	var changed []string
	var err error
	if e.Number != "" && len(e.Number) <= maxID {
		_, changed, err = h.Store.LearnNumber(ctx, chat.NumberID(e.Number), e.WABA, facts)
	} else {
		account, changed, err = h.Store.LearnAccount(ctx, e.WABA, facts)
	}
	if err != nil || len(changed) == 0 {
		return err
	}
	return h.tell(ctx, e, account, stamp)
}

// numbersOf returns the numbers that an event may be about. The only number of the stack is the account's, while no
// message has told whose it is: a number that was never written to has to stop with its account, too.
func (h *Handler) numbersOf(ctx context.Context, e whatsapp.AccountEvent) ([]store.Number, error) {
	if len(h.Numbers) == 1 {
		if _, _, err := h.Store.LearnNumber(ctx, chat.NumberID(h.Numbers[0]), e.WABA, nil); err != nil {
			return nil, err
		}
	}
	all, err := h.Store.Numbers(ctx)
	return slices.DeleteFunc(all, func(n store.Number) bool {
		return n.WABA != e.WABA || e.Number != "" && string(n.ID) != e.Number
	}), err
}

// tell publishes how the numbers are that an event was about, and raises an alarm if it keeps one from sending. A
// redelivery tells it again: what it says rests on what is stored, not on what this call changed.
func (h *Handler) tell(ctx context.Context, e whatsapp.AccountEvent, a store.Account, stamp chat.Stamp) error {
	all, err := h.numbersOf(ctx, e)
	if err != nil {
		return err
	}
	var events []event.Event
	stopped := false
	if len(all) == 0 { // an account may be stopped before any of its numbers is known
		stopped = h.stops(nil, a.Facts, stamp)
	}
	for _, n := range all {
		n, a, err := h.Store.Health(ctx, n.ID)
		if err != nil {
			return err
		}
		if !says(n.Facts, stamp) && !says(a.Facts, stamp) {
			continue // it is about another number
		}
		stopped = stopped || h.stops(n.Facts, a.Facts, stamp)
		id := store.Hash(fmt.Appendf(nil, "%q %q", n.ID, stamp.ID))[:32]
		events = append(events, event.New(id, stamp.At, event.Health(n.ID, n.WABA, n.Display, n.Facts, a.Facts, h.now())))
	}
	if stopped {
		slog.ErrorContext(ctx, "Meta keeps a number from sending", "field", e.Field, "event", clip(e.Event, maxID))
		h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", "whatsapp")
	}
	if h.Bus == nil || len(events) == 0 {
		return nil
	}
	if err := h.Bus.Put(ctx, events...); err != nil {
		return fmt.Errorf("tell of a number's health: %w", err)
	}
	return nil
}

// says tells whether one of the facts is of that event.
func says(facts chat.Facts, stamp chat.Stamp) bool {
	for _, f := range facts {
		if f.Stamp == stamp {
			return true
		}
	}
	return false
}

// stops tells whether less may be sent than could be without what an event said.
func (h *Handler) stops(own, account chat.Facts, stamp chat.Stamp) bool {
	without := func(facts chat.Facts) chat.Facts {
		facts = maps.Clone(facts)
		maps.DeleteFunc(facts, func(_ string, f chat.Fact) bool { return f.Stamp == stamp })
		return facts
	}
	now, before := own.Clearance(account, h.now()), without(own).Clearance(without(account), h.now())
	return before.Answers && !now.Answers || before.Templates && !now.Templates
}

package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What was written before the number was connected.

// sides are how far a message of the company's was when it was imported.
var sides = map[string]chat.Status{
	"PENDING": chat.Accepted, "SENT": chat.Sent, "DELIVERED": chat.Delivered, "READ": chat.Read, "PLAYED": chat.Played,
	"ERROR": chat.Failed,
}

// imported is a message of the history.
func imported(u whatsapp.Update, w whatsapp.HistoryMessage) store.Inbound {
	m, who := message(u, w.Message), w.From
	m.Direction, m.Origin, m.Status, m.Imported = chat.In, chat.FromCustomer, chat.Delivered, true
	if w.FromBusiness {
		m.Direction, m.Origin, m.Status = chat.Out, chat.FromPhoneApp, chat.Sent
		if s, known := sides[w.Status]; known {
			m.Status = s
		}
		who = w.To
	}
	return store.Inbound{Message: m, Number: chat.NumberID(u.Number), Group: w.GroupID, Seen: shown(u, who, m)}
}

// history stores a part of a thread, and has a job bring its conversation to the CRM. Nothing is answered, and of what
// the messages cause only their files are fetched now: Meta keeps those for a week.
func (h *Handler) history(ctx context.Context, u whatsapp.Update, receives int) error {
	past, err := whatsapp.ParseHistory(u)
	if err != nil || !placed(u, "") || len(past.Messages) == 0 {
		return h.raw(ctx, u, "shape")
	}
	var errs []error
	until := map[chat.ConversationID]time.Time{} // of what its job brings
	var oldest chat.Message
	for _, w := range past.Messages {
		m, mine, err := h.importOne(ctx, u, w, past.Media && receives < orphanTries)
		if err != nil {
			errs = append(errs, err) // one that can't be stored holds back none of the others
		}
		if chat.Temporary(err) && !errors.Is(err, errOrphan) || ctx.Err() != nil {
			errs = append(errs, ctx.Err()) // all of it comes again, and what is stored costs little then
			break
		}
		if m.ID != "" && (oldest.ID == "" || m.At.Before(oldest.At)) {
			oldest = m
		}
		if mine || m.Imported && !past.Media { // what is on its record already costs its job one look
			until[m.Conversation] = latest(until[m.Conversation], m.At)
		}
	}
	again := ctx.Err() != nil || slices.ContainsFunc(errs, chat.Temporary) // there is more to store than this try could
	if oldest.ID != "" {
		errs = append(errs, h.seeNumber(ctx, u, oldest))
	}
	if !past.Media {
		errs = append(errs, h.progress(ctx, u, past))
	}
	if again {
		return errors.Join(errs...) // a job begun now might be done before the rest is stored
	}
	for _, conv := range slices.Sorted(maps.Keys(until)) {
		errs = append(errs, h.beginImport(ctx, conv, store.Hash(u.Body), until[conv]))
	}
	slog.DebugContext(ctx, "stored a part of the history", "messages", len(past.Messages), "conversations", len(until))
	return errors.Join(errs...)
}

// importOne stores one message of the history. mine tells whether this update brought what is stored, now or in an earlier
// try, rather than filled it. waits says that one of nobody may be somebody's later.
func (h *Handler) importOne(ctx context.Context, u whatsapp.Update, w whatsapp.HistoryMessage, waits bool) (m chat.Message, mine bool, err error) {
	u.Body = w.Raw // what may have to be kept raw is this message, not its neighbours
	in := imported(u, w)
	if !in.Seen.Someone() && in.Group == "" && w.ID != "" {
		who, err := h.recipientOf(ctx, u, w.ID)
		if errors.Is(err, errOrphan) && !waits {
			return m, false, h.raw(ctx, u, "nobody")
		}
		if err != nil {
			return m, false, err
		}
		in.Seen = shown(u, who, in.Message)
	}
	if !in.Seen.Someone() && in.Group == "" || len(in.Group) > maxID {
		return m, false, h.raw(ctx, u, "nobody")
	}
	r, err := h.receive(ctx, in, w.Raw)
	switch {
	case err != nil || r.Gone:
		return m, false, err
	case r.Differs:
		return r.Message, false, h.raw(ctx, u, "differs")
	case !of(r, in):
		return r.Message, false, nil // it came before, from elsewhere
	}
	return r.Message, r.Message.Imported && !r.Filled, h.follow(ctx, r)
}

// errOrphan says that the placeholder of a file hasn't come yet: of two updates either may be the first.
var errOrphan = chat.E(chat.Unavailable, "", errors.New("the message that a file belongs to isn't stored yet"))

// orphanTries are some three hours; Meta sends all of a history within minutes or hours.
const orphanTries = 20

// recipientOf finds the customer of a message that is stored already. Where Meta names the file of what the company wrote,
// it names the company alone.
func (h *Handler) recipientOf(ctx context.Context, u whatsapp.Update, id string) (who whatsapp.Identity, err error) {
	m, err := h.Store.Lookup(ctx, chat.MessageID(id))
	switch {
	case chat.CodeOf(err) == chat.NotFound, err == nil && string(m.Conversation.Number()) != u.Number:
		return who, errOrphan
	case err != nil || m.Contact == "":
		return who, err
	}
	return h.identityOf(ctx, m.Contact)
}

// progress notes how far the import of a number's history is.
func (h *Handler) progress(ctx context.Context, u whatsapp.Update, past whatsapp.History) error {
	fact := soFar(provided(time.Time{}, u), past.Progress, fmt.Sprintf("phase %d", past.Phase))
	_, _, err := h.Store.LearnNumber(ctx, chat.NumberID(u.Number), u.WABA, map[string]chat.Fact{chat.FactHistory: fact})
	return err
}

// soFar is how far an import is. Of several words of one second the furthest counts, in whatever order they come.
func soFar(at time.Time, percent int, phase string) chat.Fact {
	return chat.Fact{
		Value: joined(", ", phase, fmt.Sprintf("%d %%", percent)),
		Stamp: chat.Stamp{At: at, ID: fmt.Sprintf("%03d %s", percent, phase)},
	}
}

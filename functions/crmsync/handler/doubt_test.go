package handler

import (
	"slices"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/route"
)

const doubt = "May have been delivered: WhatsApp's answer was lost."

// doubtful stores an answer of which nobody knows whether Meta took it.
func (r *rig) doubtful() chat.Message {
	r.Helper()
	m := r.answer("m_1", "on our way")
	r.change(m, func(m *chat.Message) { m.Reach(chat.Unknown, noon, nil) })
	return m
}

// answer stores one that somebody asked for.
func (r *rig) answer(id chat.MessageID, text string) chat.Message {
	r.Helper()
	first := r.text("wamid.1", "hello")
	m, _, err := r.store.Queue(r.Context(), chat.Message{
		ID: id, Conversation: first.Conversation, Contact: first.Contact, At: noon, Direction: chat.Out, Kind: chat.KindText,
		Text: text, Status: chat.Queued, Send: &chat.Send{To: chat.Address{Phone: ana}},
	})
	if err != nil {
		r.Fatal(err)
	}
	return m
}

// receipt has the router apply one.
func (r *rig) receipt(status chat.Status) {
	r.Helper()
	_, _, err := r.store.Settle(r.Context(), chat.Receipt{
		Number: "100", ProviderID: "wamid.ours", ID: "m_1", Status: status, At: noon, Hash: "h-" + string(status), Error: map[chat.Status]*chat.Problem{
			chat.Failed: {Code: 131026, Reason: "Message undeliverable"},
		}[status],
	})
	if err != nil {
		r.Fatal(err)
	}
}

// TestADoubtIsShownUntilItIsSettled: whenever the receipt comes, and however often anything does, there is one entry, and it
// is changed once at most.
func TestADoubtIsShownUntilItIsSettled(t *testing.T) {
	const receipt = "receipt"
	for status, note := range map[chat.Status]string{
		chat.Sent: "", chat.Delivered: "", chat.Read: "", chat.Failed: "Not delivered: Message undeliverable.",
	} {
		for name, row := range map[string]struct {
			steps []string // the causes of effects, or what happens between them
			calls []string
		}{
			"after the entry":            {[]string{route.Doubtful, receipt, "h"}, []string{"key", "search", "contact", "entry", "update"}},
			"before the entry":           {[]string{receipt, route.Doubtful, "h"}, []string{"key", "search", "contact", "entry"}},
			"before it, and overtaking":  {[]string{receipt, "h", route.Doubtful}, []string{"key", "search", "contact", "entry"}},
			"with everything repeated":   {[]string{route.Doubtful, route.Doubtful, receipt, receipt, "h", "h", route.Doubtful}, []string{"key", "search", "contact", "entry", "update"}},
			"and the sender finds it so": {[]string{route.Doubtful, receipt, route.Accepted, "h"}, []string{"key", "search", "contact", "entry", "update"}},
		} {
			r := newRig(t)
			m := r.doubtful()
			settled := false
			for _, step := range row.steps {
				if step == receipt {
					r.receipt(status)
					settled = true
					continue
				}
				if err := r.due(m, step); err != nil {
					t.Fatal(err)
				}
				if said := r.entry(m).said(); !settled && (said.Note != doubt || said.Status != chat.Unknown) {
					t.Errorf("%s: nobody knows, and it says %q with the status %s", name, said.Note, said.Status)
				}
			}
			r.called(row.calls...)
			if said := r.entry(m).said(); said.Note != note || said.Status != status {
				t.Errorf("%s, %s: it says %q with the status %s", status, name, said.Note, said.Status)
			}
		}
	}
}

// TestOrdinaryReceiptsCostNoCall: an entry that says nothing of a doubt isn't touched.
func TestOrdinaryReceiptsCostNoCall(t *testing.T) {
	r := newRig(t)
	m := r.answer("m_1", "on our way")
	r.change(m, func(m *chat.Message) { m.ProviderID = "wamid.ours"; m.Reach(chat.Accepted, noon, nil) })
	if err := r.due(m, route.Accepted); err != nil {
		t.Fatal(err)
	}
	r.called("key", "search", "contact", "entry")
	for _, status := range []chat.Status{chat.Sent, chat.Delivered, chat.Read} {
		r.receipt(status)
		if err := r.due(m, "h-"+string(status)); err != nil {
			t.Fatal(err)
		}
	}
	r.called()
}

// TestADoubtIsToldWhereItWasAskedFor: as what it is, neither sent nor not, and what a receipt says replaces it.
func TestADoubtIsToldWhereItWasAskedFor(t *testing.T) {
	for status, then := range map[chat.Status]string{
		chat.Delivered: "note-7: ", chat.Failed: "note-7: Not delivered: Message undeliverable.",
	} {
		r, _, on := asking(t)
		q := crm.Request{ID: "note-7", Contact: on, Text: "we are coming", At: noon, Entry: "note-7"}
		if err := r.deliver(q); err != nil {
			t.Fatal(err)
		}
		m := r.outcome(q, chat.Unknown, nil)
		for range 2 {
			r.mustSync(m)
		}
		if want := []string{"note-7? " + doubt}; !slices.Equal(r.crm.reports, want) || len(r.crm.entries) != 1 {
			t.Errorf("%d entries, reports %q, want %q", len(r.crm.entries), r.crm.reports, want)
		}
		m = r.outcome(q, status, &chat.Problem{Code: 131026, Reason: "Message undeliverable"})
		for range 2 {
			r.mustSync(m)
		}
		if want := []string{"note-7? " + doubt, then}; !slices.Equal(r.crm.reports, want) {
			t.Errorf("reports %q, want %q", r.crm.reports, want)
		}
	}
}

// TestADoubtAboutAPart: it is told as a doubt, unless another part certainly wasn't sent.
func TestADoubtAboutAPart(t *testing.T) {
	r, _, on := asking(t)
	q := crm.Request{ID: "7", Contact: on, Text: "the offer", At: noon, Entry: "note-7", Files: []crm.RequestFile{r.pdf("offer.pdf"), r.pdf("plan.pdf")}}
	if err := r.deliver(q); err != nil {
		t.Fatal(err)
	}
	r.became(q, 1, chat.Accepted, nil)
	r.became(q, 2, chat.Unknown, nil)
	r.became(q, 1, chat.Failed, &chat.Problem{Code: 131053, Reason: "media upload error"})
	r.became(q, 2, chat.Delivered, nil)
	failed := "offer.pdf: Not delivered: media upload error."
	want := []string{"7? plan.pdf: " + doubt, "7: " + failed + "\nplan.pdf: " + doubt, "7: " + failed}
	if !slices.Equal(r.crm.reports, want) {
		t.Errorf("reports %q, want %q", r.crm.reports, want)
	}
}

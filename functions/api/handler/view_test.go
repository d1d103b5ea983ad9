package handler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/store"
)

// shown reads a message, alone and in its conversation, which must be the same.
func (r *rig) shown(id string) messageView {
	r.Helper()
	var one messageView
	alone := r.get("/api/v1/messages/"+id).want(http.StatusOK, &one)
	var list struct{ Messages []json.RawMessage }
	r.get("/api/v1/conversations/"+string(one.Conversation)+"/messages?limit=100").want(http.StatusOK, &list)
	for _, raw := range list.Messages {
		if strings.TrimSpace(string(alone.body)) == string(raw) {
			return one
		}
	}
	r.Errorf("%s isn't in its conversation as it is alone", id)
	return one
}

// amend stores what a message says of an earlier one, as the router does.
func (r *rig) amend(id string, kind chat.Kind, target, text string, after time.Duration, change func(*store.Inbound)) {
	r.Helper()
	m := r.receive(id, chat.Seen{Phone: ana, At: noon.Add(after)}, func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType, in.Message.ReplyTo, in.Message.Text = kind, string(kind), target, text
		if change != nil {
			change(in)
		}
	})
	if _, found, err := r.store.Amend(r.Context(), m); err != nil || !found {
		r.Fatalf("%s: found is %v, %v", id, found, err)
	}
}

func TestReactions(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("w1", chat.Seen{Phone: ana}, nil)
	r.amend("w2", chat.KindReaction, "w1", "👍", time.Second, nil)
	r.amend("w3", chat.KindReaction, "w1", "❤️", 2*time.Second, nil)
	v := r.shown("w1")
	if want := []reactionView{{Emoji: "❤️", Direction: chat.In, At: noon.Add(2 * time.Second)}}; !slices.Equal(v.Reactions, want) {
		t.Errorf("%+v", v.Reactions)
	}
	if v := r.shown("w2"); v.Kind != chat.KindReaction || v.Text != "👍" || v.ReplyTo != "w1" || v.Quotes == nil || v.Quotes.ID != "w1" {
		t.Errorf("the reaction itself: %+v", v)
	}
	ours := chat.Message{
		ID: "m_1", Conversation: v.Conversation, Direction: chat.Out, Kind: chat.KindReaction, ReplyTo: "w1", Text: "🎉", At: noon.Add(3 * time.Second),
	}
	if _, _, err := r.store.Amend(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	if v := r.shown("w1"); len(v.Reactions) != 2 || v.Reactions[1] != (reactionView{Emoji: "🎉", Direction: chat.Out, At: noon.Add(3 * time.Second)}) {
		t.Errorf("with ours: %+v", v.Reactions)
	}
	r.amend("w4", chat.KindReaction, "w1", "", 4*time.Second, nil)
	if v := r.shown("w1"); len(v.Reactions) != 1 || v.Reactions[0].Direction != chat.Out {
		t.Errorf("taken back: %+v", v.Reactions)
	}
}

// In a group chat a reaction is somebody's.
func TestReactionsInAGroup(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	group := func(in *store.Inbound) { in.Group = "G1" }
	r.receive("w1", chat.Seen{Phone: ana}, group)
	r.amend("w2", chat.KindReaction, "w1", "👍", time.Second, group)
	other := r.receive("w3", chat.Seen{BSUID: "ES.2", At: noon.Add(2 * time.Second)}, func(in *store.Inbound) {
		in.Group, in.Message.Kind, in.Message.ReplyTo, in.Message.Text = "G1", chat.KindReaction, "w1", "👎"
	})
	if _, _, err := r.store.Amend(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	v := r.shown("w1")
	if len(v.Reactions) != 2 || v.Reactions[0].Contact != v.Contact || v.Reactions[1].Contact != other.Contact || v.Contact == other.Contact {
		t.Errorf("%+v", v.Reactions)
	}
}

func TestEditsAndRevokes(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("w1", chat.Seen{Phone: ana}, nil)
	r.amend("w2", chat.KindEdit, "w1", "second", time.Second, nil)
	r.amend("w3", chat.KindEdit, "w1", "third", 2*time.Second, nil)
	v := r.shown("w1")
	want := []editView{{"text of w1", noon}, {"second", noon.Add(time.Second)}, {"third", noon.Add(2 * time.Second)}}
	if v.Text != "third" || !slices.Equal(v.Edits, want) || v.RevokedAt != nil {
		t.Errorf("%q, %+v", v.Text, v.Edits)
	}
	r.amend("w4", chat.KindRevoke, "w1", "", 3*time.Second, nil)
	if v := r.shown("w1"); v.RevokedAt == nil || !v.RevokedAt.Equal(noon.Add(3*time.Second)) || v.Text != "third" {
		t.Errorf("revoked: %+v", v)
	}
}

func TestCalls(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	began, ended := noon.Add(time.Second), noon.Add(31*time.Second)
	r.receive("wacid.1", chat.Seen{Phone: ana}, func(in *store.Inbound) { in.Message.Kind, in.Message.RawType = chat.KindCall, "connect" })
	if v := r.shown("wacid.1"); v.Kind != chat.KindCall || v.Call != nil {
		t.Errorf("under way: %+v", v)
	}
	r.amend("u_end", chat.KindCall, "wacid.1", "", 31*time.Second, func(in *store.Inbound) {
		in.Message.ProviderID = ""
		in.Message.Call = &chat.Call{Status: "COMPLETED", Seconds: 30, Began: began, Ended: ended}
	})
	v := r.shown("wacid.1")
	if c := v.Call; c == nil || c.Status != "COMPLETED" || c.Seconds != 30 || !c.Began.Equal(began) || !c.Ended.Equal(ended) {
		t.Errorf("%+v", v.Call)
	}
}

func TestQuotes(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("w1", chat.Seen{Phone: ana}, func(in *store.Inbound) { in.Message.Text = strings.Repeat("é", 5000) })
	reply := func(id, to string) {
		r.receive(id, chat.Seen{Phone: ana, At: noon.Add(time.Second)}, func(in *store.Inbound) { in.Message.ReplyTo = to })
	}
	reply("w2", "w1")
	reply("w3", "w1")
	reply("w4", "wamid.before.us")
	for _, id := range []string{"w2", "w3"} {
		q := r.shown(id).Quotes
		if q == nil || q.ID != "w1" || q.Direction != chat.In || q.Kind != chat.KindText {
			t.Fatalf("%s: %+v", id, q)
		}
		if n := utf8.RuneCountInString(q.Text); n != maxQuote+1 || !strings.HasSuffix(q.Text, "é…") {
			t.Errorf("%s quotes %d characters", id, n)
		}
	}
	if v := r.shown("w4"); v.Quotes != nil || v.ReplyTo != "wamid.before.us" {
		t.Errorf("%+v", v)
	}
	id := r.post(text).sent()
	if _, err := r.store.Accept(t.Context(), r.last(), "wamid.ours"); err != nil {
		t.Fatal(err)
	}
	reply("w5", "wamid.ours")
	if q := r.shown("w5").Quotes; q == nil || *q != (quoteView{id, chat.Out, chat.KindText, "hello"}) {
		t.Errorf("ours: %+v", q)
	}
}

func TestWhatComesWithAMessage(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	ad := chat.Referral{Type: "ad", ID: "7", URL: "https://a.example", Headline: "Sale", Body: "All of it", Welcome: "Hi", ClickID: "c1"}
	m := r.receive("w1", chat.Seen{Phone: ana}, func(in *store.Inbound) {
		in.Message.Forwarded, in.Message.Referral, in.Message.Product = chat.ForwardedOften, &ad, &chat.Product{Catalog: "9", ID: "p"}
		in.Message.Imported, in.Message.Origin = true, chat.FromPhoneApp
		in.Message.Problems = []chat.Problem{{Code: 131051, Reason: "Message type unknown"}}
	})
	if _, _, err := r.store.Signal(t.Context(), ourNumber, "w1", chat.Signal{Name: "Purchase", Text: "25 USD", Stamp: chat.Stamp{At: noon, ID: "s"}}); err != nil {
		t.Fatal(err)
	}
	v := r.shown("w1")
	if v.Forwarded != "frequently" || v.Referral == nil || *v.Referral != ad || v.Product == nil || *v.Product != (chat.Product{Catalog: "9", ID: "p"}) ||
		!v.Imported || v.Origin != chat.FromPhoneApp || v.Contact != m.Contact {
		t.Errorf("%+v", v)
	}
	if !slices.Equal(v.Problems, []chat.Problem{{Code: 131051, Reason: "Message type unknown"}}) || !slices.Equal(v.Signals, []signalView{{"Purchase", "25 USD", noon}}) {
		t.Errorf("%+v, %+v", v.Problems, v.Signals)
	}
}

// A client of the first release finds what it knows, under the names and with the values that it knows, and on a plain
// message nothing else.
func TestFieldsOfAPlainMessage(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	m := r.receive("w1", chat.Seen{Phone: ana}, nil)
	want := fmt.Sprintf(`{"id":"w1","provider_id":"w1","conversation":%q,"contact":%q,"direction":"in","kind":"text","raw_type":"text",
		"origin":"customer","status":"delivered","at":"2026-03-02T12:00:00Z","text":"text of w1","history":[]}`, m.Conversation, m.Contact)
	if a := r.get("/api/v1/messages/w1").want(http.StatusOK, nil); !sameJSON(t, a.body, []byte(want)) {
		t.Errorf("%s", a.body)
	}
	id := r.post(text).sent()
	want = fmt.Sprintf(`{"id":%q,"conversation":%q,"contact":%q,"direction":"out","kind":"text","raw_type":"text","origin":"agent",
		"status":"queued","at":"2026-03-02T12:00:00Z","text":"hello","history":[{"status":"queued","at":"2026-03-02T12:00:00Z"}]}`, id, m.Conversation, m.Contact)
	if a := r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, nil); !sameJSON(t, a.body, []byte(want)) {
		t.Errorf("%s", a.body)
	}
	want = fmt.Sprintf(`{"contacts":[{"id":%q,"name":"","identities":[{"kind":"wa_id","value":%q}]}]}`, m.Contact, ana)
	if a := r.get("/api/v1/contacts?phone="+ana).want(http.StatusOK, nil); !sameJSON(t, a.body, []byte(want)) {
		t.Errorf("%s", a.body)
	}
}

// calls counts the calls to the table.
func (r *rig) calls(do func()) int {
	r.Helper()
	m, metered := r.db.API.(*store.Meter)
	if !metered {
		m = store.NewMeter(r.db.API)
		r.db.API = m
	}
	before := m.Cost().Calls
	do()
	return m.Cost().Calls - before
}

// What a request asks of the table, as docs/api.md says.
func TestTableCalls(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	var m chat.Message
	for i := range 60 {
		m = r.receive(fmt.Sprintf("w%d", i), chat.Seen{Phone: ana, At: noon.Add(time.Duration(i) * time.Second)}, nil)
	}
	messages := "/api/v1/conversations/" + string(m.Conversation) + "/messages"
	count := func(name string, want int, do func()) {
		t.Helper()
		if got := r.calls(do); got != want {
			t.Errorf("%s: %d calls, want %d", name, got, want)
		}
	}
	list := func(query string) func() { return func() { r.get(messages+query).want(http.StatusOK, nil) } }
	count("a page of all", 2, list("?limit=100"))
	count("a page of some", 3, list("?limit=50"))
	r.receive("quoting", chat.Seen{Phone: ana, At: noon.Add(time.Hour)}, func(in *store.Inbound) { in.Message.ReplyTo = "w1" })
	r.receive("quoting too", chat.Seen{Phone: ana, At: noon.Add(time.Hour)}, func(in *store.Inbound) { in.Message.ReplyTo = "w2" })
	count("a page of all that quotes", 4, list("?limit=100"))
	count("a text", 7, func() { r.post(text).sent() })
	count("a text again, under a key", 8, func() { r.post(text, "Idempotency-Key", "k").sent() })
	count("a repeated text", 2, func() { r.post(text, "Idempotency-Key", "k").sent() })
	count("a quoting text", 7, func() { r.post(`{"to":"+34600111222","text":"hello","reply_to":"w1"}`).sent() })
}

// What a message costs and why it failed are shown as Meta says it.
func TestCharges(t *testing.T) {
	m := chat.Message{ID: "m_1", At: noon, Status: chat.Failed, Direction: chat.Out}
	m.Apply(chat.Receipt{
		Status: chat.Failed, At: noon, Error: &chat.Problem{Code: 131026, Reason: "undeliverable", Details: "said at length"},
		Charged: chat.Charged{
			Pricing:   &chat.Pricing{Model: "PMP", Type: "free_entry_point", Category: "service"},
			FreeEntry: &chat.FreeEntry{ID: "c1", Origin: "referral_conversion", Expires: noon},
		},
	})
	got, err := json.Marshal(viewMessage(m))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"pricing":{"model":"PMP","type":"free_entry_point","category":"service"}`,
		`"free_entry":{"id":"c1","origin":"referral_conversion","expires":"` + noon.Format(time.RFC3339) + `"}`,
		`"error":{"code":131026,"reason":"undeliverable","details":"said at length"}`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s isn't in %s", want, got)
		}
	}
}

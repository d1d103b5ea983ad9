package handler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

func TestWhichStatusIsAReceipt(t *testing.T) {
	const head = `{"id":"wamid.o","recipient_id":"34600111222","timestamp":"1772452800",`
	for _, test := range []struct {
		name, body, number string
		want               chat.Status // empty: none
		id                 chat.MessageID
		problem            *chat.Problem
	}{
		{"sent", head + `"status":"sent"}`, "100", chat.Sent, "", nil},
		{"delivered", head + `"status":"delivered"}`, "100", chat.Delivered, "", nil},
		{"read", head + `"status":"read"}`, "100", chat.Read, "", nil},
		{"played", head + `"status":"played"}`, "100", chat.Played, "", nil},
		{"failed", head + `"status":"failed","errors":[{"code":131026,"title":"Message undeliverable","message":"m"},{"code":1}]}`, "100", chat.Failed, "",
			&chat.Problem{Code: 131026, Reason: "Message undeliverable"}},
		{"failed without a title", head + `"status":"failed","errors":[{"code":131026,"message":"said otherwise"}]}`, "100", chat.Failed, "",
			&chat.Problem{Code: 131026, Reason: "said otherwise"}},
		{"failed with details only", head + `"status":"failed","errors":[{"code":131026,"error_data":{"details":"said at length"}}]}`, "100", chat.Failed, "",
			&chat.Problem{Code: 131026, Reason: "said at length"}},
		{"failed, with details beside the title", head + `"status":"failed","errors":[{"code":131026,"title":"undeliverable","error_data":{"details":"said at length"}}]}`, "100", chat.Failed, "",
			&chat.Problem{Code: 131026, Reason: "undeliverable", Details: "said at length"}},
		{"failed, with details that say no more", head + `"status":"failed","errors":[{"code":131026,"title":"undeliverable","error_data":{"details":"undeliverable"}}]}`, "100", chat.Failed, "",
			&chat.Problem{Code: 131026, Reason: "undeliverable"}},
		{"failed without a word", head + `"status":"failed"}`, "100", chat.Failed, "", nil},
		{"ours", head + `"status":"sent","biz_opaque_callback_data":"m_01ABC"}`, "100", chat.Sent, "m_01ABC", nil},
		{"of the type message", head + `"status":"sent","type":"message"}`, "100", chat.Sent, "", nil},
		{"of a payment", head + `"status":"captured","type":"payment"}`, "100", "", "", nil},
		{"of a payment that has a message's word", head + `"status":"failed","type":"payment"}`, "100", "", "", nil},
		{"a state of tomorrow", head + `"status":"teleported"}`, "100", "", "", nil},
		{"our own words are not Meta's to say", head + `"status":"queued"}`, "100", "", "", nil},
		{"accepted says nothing new", head + `"status":"accepted"}`, "100", "", "", nil},
		{"no state", head + `"x":1}`, "100", "", "", nil},
		{"no id", `{"status":"sent","timestamp":"1772452800"}`, "100", "", "", nil},
		{"an id that is none", `{"id":"` + strings.Repeat("w", 256) + `","status":"sent"}`, "100", "", "", nil},
		{"no number", head + `"status":"sent"}`, "", "", "", nil},
		{"a number that is none", head + `"status":"sent"}`, strings.Repeat("1", 256), "", "", nil},
	} {
		u := update(whatsapp.KindStatus, test.body)
		u.Number = test.number
		s, err := whatsapp.ParseStatus(u)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := receipt(u, s)
		if ok != (test.want != "") {
			t.Errorf("%s: a receipt: %v", test.name, ok)
			continue
		}
		if !ok {
			continue
		}
		if r.Status != test.want || r.ID != test.id || r.ProviderID != "wamid.o" || r.Number != "100" || !r.At.Equal(time.Unix(1772452800, 0)) {
			t.Errorf("%s: %+v", test.name, r)
		}
		if (r.Error == nil) != (test.problem == nil) || r.Error != nil && *r.Error != *test.problem {
			t.Errorf("%s: error %+v, want %+v", test.name, r.Error, test.problem)
		}
		if r.Hash != store.Hash([]byte(test.body)) {
			t.Errorf("%s: it isn't named by its content", test.name)
		}
	}
}

func TestReceiptTimeAndParticipant(t *testing.T) {
	of := func(body string, entry int64) chat.Receipt {
		u := update(whatsapp.KindStatus, body)
		u.Time = entry
		s, err := whatsapp.ParseStatus(u)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := receipt(u, s)
		return r
	}
	if r := of(`{"id":"w","status":"sent"}`, 77); !r.At.Equal(time.Unix(77, 0)) {
		t.Errorf("without a time of its own it is of %v", r.At)
	}
	if r := of(`{"id":"w","status":"sent","recipient_id":"1"}`, 0); r.Participant != "" || !r.At.Equal(time.Unix(0, 0)) {
		t.Errorf("of one person: participant %q at %v", r.Participant, r.At)
	}
	const group = `{"id":"w","status":"read","recipient_type":"group","recipient_id":"g","recipient_participant_id":`
	one, other := of(group+`"34600111222"}`, 0), of(group+`"34600111333"}`, 0)
	if one.Participant == "" || one.Participant == other.Participant || strings.Contains(one.Participant, "34600") {
		t.Errorf("participants %q and %q", one.Participant, other.Participant)
	}
}

// asked stores a message of ours, as api or the sender does.
func (r *rig) asked(id chat.MessageID) chat.Message {
	r.Helper()
	m, _, err := r.store.Queue(r.Context(), chat.Message{
		ID: id, Conversation: "100.01CONTACT", Contact: "01CONTACT", At: noon, Direction: chat.Out, Kind: chat.KindText, Text: "x",
		Status: chat.Queued, Send: &chat.Send{To: chat.Address{Phone: "34600111222"}, Expires: noon.Add(time.Hour), Request: "r"},
		Effects: []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}},
	})
	if err != nil {
		r.Fatal(err)
	}
	return m
}

func (r *rig) status(state, callback string) {
	r.Helper()
	r.take(update(whatsapp.KindStatus, statusBody(state, callback)))
}

func statusBody(state, callback string) string {
	return `{"id":"wamid.o","status":"` + state + `","timestamp":"1772452800","biz_opaque_callback_data":"` + callback + `","errors":[{"code":131026,"title":"t"}]}`
}

// TestWhatFailsEveryMessageRings: Meta took the message, so that no answer to a send told anybody.
func TestWhatFailsEveryMessageRings(t *testing.T) {
	for errors, rings := range map[string]int{
		`{"code":131042,"title":"payment"}`:              1,
		`{"code":131026},{"code":131042}`:                1,
		`{"code":131026,"title":"undeliverable"}`:        0,
		`{"code":131049,"title":"ecosystem"},{"code":1}`: 0,
	} {
		r := newRig(t)
		if _, err := r.store.Accept(t.Context(), r.asked("m_1"), "wamid.o"); err != nil {
			t.Fatal(err)
		}
		failed := update(whatsapp.KindStatus, `{"id":"wamid.o","status":"failed","timestamp":"1772452800","errors":[`+errors+`]}`)
		r.take(failed)
		if got := r.counts[metric.ConnectorStopped+" Connector whatsapp"]; got != rings || r.counts[metric.SendFailed] != 1 {
			t.Errorf("%s: it rang %d times, counted %v", errors, got, r.counts)
		}
		r.take(update(whatsapp.KindStatus, `{"id":"wamid.o","status":"failed","timestamp":"1772452801","errors":[`+errors+`]}`))
		if got := r.counts[metric.ConnectorStopped+" Connector whatsapp"]; got != rings {
			t.Errorf("%s: told once more it rang %d times", errors, got)
		}
	}
}

// TestAReceiptThatSettlesPutsTheMessageOnTheRecord: the first that says Meta has it, and the one that says it failed.
func TestAReceiptThatSettlesPutsTheMessageOnTheRecord(t *testing.T) {
	for _, test := range []struct {
		name   string
		states []string
		sent   int // entries to the CRM
		status chat.Status
		failed int // counted
	}{
		{"taken", []string{"sent"}, 1, chat.Sent, 0},
		{"and delivered says no more", []string{"sent", "delivered", "read"}, 1, chat.Read, 0},
		{"whatever comes first", []string{"read", "sent"}, 1, chat.Read, 0},
		{"failed", []string{"failed"}, 1, chat.Failed, 1},
		{"failed after all", []string{"sent", "failed"}, 2, chat.Failed, 1},
		{"a message that reached the phone hasn't failed", []string{"delivered", "failed"}, 1, chat.Delivered, 0},
	} {
		r := newRig(t)
		r.asked("m_1")
		for _, s := range test.states {
			r.status(s, "m_1")
		}
		m := r.lookup("m_1")
		if m.Status != test.status || m.ProviderID != "wamid.o" {
			t.Errorf("%s: it is %s under %q", test.name, m.Status, m.ProviderID)
		}
		if len(r.crm.entries) != test.sent || r.counts[metric.SendFailed] != test.failed {
			t.Errorf("%s: %d entries, %d counted as failed", test.name, len(r.crm.entries), r.counts[metric.SendFailed])
		}
		for _, e := range r.crm.entries {
			if ref, err := route.ParseRef(e.Body); err != nil || ref.Target != "hubspot" || ref.Message != store.SortKey(m) {
				t.Errorf("%s: entry %s (%v)", test.name, e.Body, err)
			}
		}
	}
}

// TestARedeliveredReceiptDispatchesAgain: the process may have died between the write and the queue.
func TestARedeliveredReceiptDispatchesAgain(t *testing.T) {
	r := newRig(t)
	r.asked("m_1")
	r.crm.err = chat.E(chat.Unavailable, "", nil)
	u := update(whatsapp.KindStatus, statusBody("sent", "m_1"))
	if err := r.handle(u); chat.CodeOf(err) != chat.Unavailable {
		t.Fatalf("a queue that is down: %v", err)
	}
	r.crm.err = nil
	r.take(u)
	r.take(u)
	ids := r.crm.dedupIDs()
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("dedup ids %q, want the same twice", ids)
	}
}

func TestReceiptsOfNothingWeKnow(t *testing.T) {
	t.Run("early", func(t *testing.T) {
		r := newRig(t)
		r.status("sent", "m_unknown")
		if len(r.crm.entries) != 0 || r.counts[metric.RawUpdate] != 0 {
			t.Errorf("%d entries, counted %v", len(r.crm.entries), r.counts)
		}
		m := r.asked("m_1")
		m, err := r.store.Accept(t.Context(), m, "wamid.o")
		if err != nil || m.Status != chat.Sent {
			t.Errorf("what was parked isn't applied: %s (%v)", m.Status, err)
		}
	})
	t.Run("callback data of another program", func(t *testing.T) {
		r := newRig(t)
		if _, err := r.store.Accept(t.Context(), r.asked("m_1"), "wamid.o"); err != nil {
			t.Fatal(err)
		}
		for _, foreign := range []string{"order-77", "m_1 of theirs", ""} {
			r.status("sent", foreign)
		}
		if m := r.lookup("m_1"); m.Status != chat.Sent {
			t.Errorf("it is %s: the receipt's own id counts", m.Status)
		}
	})
	t.Run("a customer's message", func(t *testing.T) {
		r := newRig(t)
		r.message(`{"id":"wamid.o","from":"34600111222","timestamp":"1772452800","type":"text","text":{"body":"x"}}`)
		r.status("read", "")
		if m := r.lookup("wamid.o"); m.Status != chat.Delivered {
			t.Errorf("it is %s", m.Status)
		}
		if r.counts[metric.RawUpdate] != 1 {
			t.Errorf("counted %v", r.counts)
		}
	})
}

// TestWhatAMessageCosts: whichever receipt comes first, and also when all of them come before their message.
func TestWhatAMessageCosts(t *testing.T) {
	status := func(state string, at int, more string) whatsapp.Update {
		return update(whatsapp.KindStatus, fmt.Sprintf(`{"id":"wamid.o","status":%q,"timestamp":"%d"%s}`, state, at, more))
	}
	early := status("sent", 1772452800, `,"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}`)
	late := status("delivered", 1772452801, `,"pricing":{"billable":false,"pricing_model":"PMP","type":"free_entry_point","category":"service"},`+
		`"conversation":{"id":"c1","expiration_timestamp":"1772539200","origin":{"type":"referral_conversion"}}`)
	silent := status("read", 1772452799, "")
	for name, us := range map[string][]whatsapp.Update{
		"in order": {silent, early, late}, "the other way round": {late, early, silent}, "twice": {late, early, late, early},
	} {
		for _, parked := range []bool{false, true} {
			r := newRig(t)
			m := r.asked("m_1")
			accept := func() {
				if _, err := r.store.Accept(t.Context(), m, "wamid.o"); err != nil {
					t.Fatal(err)
				}
			}
			if !parked {
				accept()
			}
			for _, u := range us {
				r.take(u)
			}
			if parked {
				accept()
			}
			m = r.lookup("m_1")
			wantPrice := chat.Pricing{Model: "PMP", Type: "regular", Category: "utility", Billable: true,
				Stamp: chat.Stamp{At: time.Unix(1772452800, 0).UTC(), ID: store.Hash(early.Body)}}
			wantEntry := chat.FreeEntry{ID: "c1", Origin: "referral_conversion", Expires: time.Unix(1772539200, 0).UTC(),
				Stamp: chat.Stamp{At: time.Unix(1772452801, 0).UTC(), ID: store.Hash(late.Body)}}
			if m.Pricing == nil || *m.Pricing != wantPrice || m.FreeEntry == nil || *m.FreeEntry != wantEntry {
				t.Errorf("%s, parked %v: %+v, %+v", name, parked, m.Pricing, m.FreeEntry)
			}
		}
	}
}

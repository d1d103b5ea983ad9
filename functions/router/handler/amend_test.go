package handler

import (
	"slices"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// TestAmendments: a reaction, an edit and a deletion show on the message that they are about, in whatever order they come.
func TestAmendments(t *testing.T) {
	message := update(whatsapp.KindMessage, hello)
	reaction := update(whatsapp.KindMessage, `{"id":"w.r","from":"34600111222","timestamp":"1772452810","type":"reaction","reaction":{"message_id":"wamid.1","emoji":"👍"}}`)
	edit := update(whatsapp.KindMessage, `{"id":"w.e","from":"34600111222","timestamp":"1772452820","type":"edit","edit":{"original_message_id":"wamid.1","message":{"type":"text","text":{"body":"hello!"}}}}`)
	revoke := update(whatsapp.KindMessage, `{"id":"w.d","from":"34600111222","timestamp":"1772452830","type":"revoke","revoke":{"original_message_id":"wamid.1"}}`)
	for name, us := range map[string][]whatsapp.Update{
		"in order":  {message, reaction, edit, revoke},
		"backwards": {revoke, edit, reaction, message},
		"twice":     {reaction, message, message, edit, revoke, edit, reaction, revoke},
	} {
		r := newRig(t)
		for _, u := range us {
			r.take(u)
		}
		m := r.lookup("wamid.1")
		if m.Text != "hello!" || m.Original != "hello" || len(m.Edits) != 1 || m.Revoked == nil || len(m.Reactions) != 1 || m.Reactions["in"].Emoji != "👍" {
			t.Errorf("%s: %q, first %q, %d edits, revoked %v, reactions %v", name, m.Text, m.Original, len(m.Edits), m.Revoked, m.Reactions)
		}
		if all := r.messages(); len(all) != 4 {
			t.Errorf("%s: %d messages are stored", name, len(all))
		}
		if m := r.lookup("w.r"); len(m.Effects) != 0 {
			t.Errorf("%s: the reaction has an entry of its own", name)
		}
		for _, id := range []string{"wamid.1", "w.e", "w.d"} {
			if !slices.Contains(r.refs(&r.crm), "crm "+id+" "+route.Stored) {
				t.Errorf("%s: no entry for %s in %q", name, id, r.refs(&r.crm))
			}
		}
	}
}

// TestAnAmendmentBringsTheEntryUpToDate: under a cause of its own, also when it is delivered again.
func TestAnAmendmentBringsTheEntryUpToDate(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	r.crm.entries = nil
	const body = `{"id":"w.r","from":"34600111222","timestamp":"1772452810","type":"reaction","reaction":{"message_id":"wamid.1","emoji":"👍"}}`
	r.message(body)
	r.message(body)
	if ids := r.crm.dedupIDs(); len(ids) != 2 || ids[0] != ids[1] {
		t.Fatalf("dedup ids %q, want the same twice", ids)
	}
	if got, want := r.refs(&r.crm), "crm wamid.1 "+store.Hash([]byte(body)); !slices.Equal(got, []string{want}) {
		t.Errorf("entries %q, want %q", got, want)
	}
}

// TestAmendmentsOfOurs: a customer reacts to what we sent; an edit of ours in the phone's app is ours alone to make.
func TestAmendmentsOfOurs(t *testing.T) {
	r := newRig(t)
	if _, err := r.store.Accept(t.Context(), r.asked("m_1"), "wamid.o"); err != nil {
		t.Fatal(err)
	}
	r.message(`{"id":"w.r","from":"34600111222","timestamp":"1772452810","type":"reaction","reaction":{"message_id":"wamid.o","emoji":"👎"}}`)
	r.message(`{"id":"w.e","from":"34600111222","timestamp":"1772452820","type":"edit","edit":{"original_message_id":"wamid.o","message":{"type":"text","text":{"body":"forged"}}}}`)
	m := r.lookup("m_1")
	if m.Reactions["in"].Emoji != "👎" || m.Text != "x" {
		t.Errorf("reactions %v, text %q", m.Reactions, m.Text)
	}
	r.takeAll("smb_message_echoes", `{`+metadata+`,"message_echoes":[{"id":"w.d","from":"`+display+`","to":"34600111222","timestamp":"1772452830","type":"revoke","revoke":{"original_message_id":"wamid.o"}}]}`)
	if m := r.lookup("m_1"); m.Revoked == nil {
		t.Error("what the company took back in its app is still there")
	}
}

func TestSignals(t *testing.T) {
	const value = `{` + metadata + `,"automatic_events":[{"id":"wamid.1","event_name":"Purchase","timestamp":1772452900,"ctwa_clid":"c","custom_data":{"currency":"USD","value":25000}}]}`
	for name, do := range map[string]func(r *rig){
		"after its message":  func(r *rig) { r.message(hello); r.takeAll("automatic_events", value) },
		"before its message": func(r *rig) { r.takeAll("automatic_events", value); r.message(hello) },
	} {
		r := newRig(t)
		do(r)
		r.takeAll("automatic_events", value)
		m := r.lookup("wamid.1")
		if len(m.Signals) != 1 || m.Signals[0].Name != "Purchase" || m.Signals[0].Text != "25000 USD" {
			t.Errorf("%s: %+v", name, m.Signals)
		}
		if raw := r.kept("RAW#"); len(raw) != 1 || raw[0].Reason != "signal" {
			t.Errorf("%s: kept raw: %+v", name, raw)
		}
		if got := r.refs(&r.crm); len(got) != 2 {
			t.Errorf("%s: entries %q", name, got)
		}
	}
}

// TestReactionsInAGroup: in a group chat everybody has a reaction of their own.
func TestReactionsInAGroup(t *testing.T) {
	r := newRig(t)
	r.message(`{"id":"w1","from":"34600111222","group_id":"g1",` + at + `,"type":"text","text":{"body":"x"}}`)
	for _, from := range []string{"34600111222", "34600111333"} {
		r.message(`{"id":"r.` + from + `","from":"` + from + `","group_id":"g1",` + at + `,"type":"reaction","reaction":{"message_id":"w1","emoji":"👍"}}`)
	}
	if m := r.lookup("w1"); len(m.Reactions) != 2 || m.Conversation != chat.ConversationID("100.g.g1") {
		t.Errorf("reactions %v", m.Reactions)
	}
}

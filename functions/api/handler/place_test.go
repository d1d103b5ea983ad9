package handler

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
)

// Whom a number belongs to is found by every way to write it; the message goes to the number as it was asked for.
func TestVariantsOfANumber(t *testing.T) {
	for _, c := range []struct{ known, asked string }{
		{"551187654321", "5511987654321"}, {"5511987654321", "551187654321"},
		{"5491123456789", "541123456789"}, {"5491123456789", "54111523456789"}, {"541123456789", "5491123456789"},
		{"5215512345678", "525512345678"}, {"525512345678", "5215512345678"},
	} {
		r := newRig(t)
		known := r.receive("w1", chat.Seen{Phone: c.known}, nil)
		r.post(`{"to":"+` + c.asked + `","text":"hello"}`).sent()
		if m := r.last(); m.Contact != known.Contact || m.Conversation != known.Conversation || m.Send.To != (chat.Address{Phone: c.asked}) {
			t.Errorf("%s for %s: contact %s of %s, to %+v", c.asked, c.known, m.Contact, known.Contact, m.Send.To)
		}
		var found struct{ Contacts []contactView }
		r.get("/api/v1/contacts?phone="+c.asked).want(http.StatusOK, &found)
		if len(found.Contacts) != 1 || found.Contacts[0].ID != known.Contact || found.Contacts[0].Identities[0].Value != c.known {
			t.Errorf("%s for %s: found %+v", c.asked, c.known, found.Contacts)
		}
	}
}

// Two people may have what elsewhere are two ways to write one number: the exact one is meant.
func TestExactNumberFirst(t *testing.T) {
	r := newRig(t)
	one := r.receive("w1", chat.Seen{Phone: "525512345678", BSUID: "MX.1"}, nil).Contact
	other := r.receive("w2", chat.Seen{Phone: "5215512345678", BSUID: "MX.2"}, nil).Contact
	if one == other {
		t.Fatal("they are one person")
	}
	for phone, want := range map[string]chat.ContactID{"525512345678": one, "5215512345678": other} {
		var found struct{ Contacts []contactView }
		r.get("/api/v1/contacts?phone="+phone).want(http.StatusOK, &found)
		if len(found.Contacts) != 2 || found.Contacts[0].ID != want {
			t.Errorf("%s: %+v", phone, found.Contacts)
		}
		if r.post(`{"to":"+` + phone + `","text":"hello"}`).sent(); r.last().Contact != want {
			t.Errorf("%s is written to as %s", phone, r.last().Contact)
		}
	}
}

func TestToAConversation(t *testing.T) {
	r := newRig(t)
	r.api.Numbers = []string{"100", "200"}
	there := func(in *store.Inbound) { in.Number = "200" }
	direct := r.receive("w1", chat.Seen{Phone: ana}, there)
	nameless := r.receive("w2", chat.Seen{BSUID: "ES.2"}, there)
	group := r.receive("w3", chat.Seen{Phone: ana}, func(in *store.Inbound) { in.Number, in.Group = "200", "G1" })
	r.now = noon.Add(time.Hour)
	send := func(id chat.ConversationID, more string) answer {
		r.Helper()
		return r.post(`{"to":{"conversation":"` + string(id) + `"},"text":"hello"` + more + `}`)
	}
	for _, c := range []struct {
		m       chat.Message
		contact chat.ContactID
		to      chat.Address
	}{
		{direct, direct.Contact, chat.Address{Phone: ana}},
		{nameless, nameless.Contact, chat.Address{BSUID: "ES.2"}},
		{group, "", chat.Address{Group: "G1"}},
	} {
		for _, number := range []string{``, `,"number":"200"`} {
			id := send(c.m.Conversation, number).sent()
			m := r.last()
			if m.Conversation != c.m.Conversation || m.Contact != c.contact || m.Send.To != c.to || !m.Send.Expires.Equal(noon.Add(24*time.Hour)) || m.Send.Answers == "" {
				t.Errorf("to %s: %+v %+v", c.m.Conversation, m, m.Send)
			}
			if (len(m.Effects) > 0) != (c.contact != "") {
				t.Errorf("effects %v", m.Effects)
			}
			if v := r.shown(string(id)); v.Conversation != c.m.Conversation {
				t.Errorf("shown in %s", v.Conversation)
			}
		}
		send(c.m.Conversation, `,"number":"100"`).refused(http.StatusBadRequest, "invalid", "number: the conversation is another number's")
		r.api.Numbers = []string{"100"}
		send(c.m.Conversation, "").refused(http.StatusBadRequest, "invalid", "to.conversation: this installation doesn't send from")
		r.api.Numbers = nil
		send(c.m.Conversation, "").sent()
		r.api.Numbers = []string{"100", "200"}
	}
	send("200.01NOBODY", "").refused(http.StatusBadRequest, "invalid", "to.conversation: there is no such conversation")
}

// A conversation whose contact was joined is the survivor's.
func TestToAJoinedConversation(t *testing.T) {
	r := newRig(t)
	survivor := r.receive("w1", chat.Seen{Phone: ana}, nil)
	other := r.receive("w2", chat.Seen{BSUID: "ES.1", At: noon.Add(time.Minute)}, nil)
	if _, err := r.store.Join(t.Context(), other.Contact, survivor.Contact, chat.Stamp{At: noon, ID: "j"}); err != nil {
		t.Fatal(err)
	}
	r.now = noon.Add(time.Hour)
	for _, to := range []string{
		`{"conversation":"` + string(other.Conversation) + `"}`, `{"contact":"` + string(other.Contact) + `"}`, `{"bsuid":"ES.1"}`,
	} {
		r.post(`{"to":` + to + `,"text":"hello"}`).sent()
		m := r.last()
		if m.Conversation != survivor.Conversation || m.Contact != survivor.Contact {
			t.Errorf("%s: in %s", to, m.Conversation)
		}
		// The window is that of the newest message in either thread.
		if m.Send.Answers != "w2" || !m.Send.Expires.Equal(noon.Add(time.Minute+24*time.Hour)) {
			t.Errorf("%s: answers %s until %v", to, m.Send.Answers, m.Send.Expires)
		}
	}
}

// The window is the conversation's own: another number's, and a group chat's, are others.
func TestWindowOfTheNumber(t *testing.T) {
	r := newRig(t)
	r.api.Numbers = []string{"100", "200"}
	r.receive("w1", chat.Seen{Phone: ana}, nil)
	r.receive("w2", chat.Seen{Phone: ana, At: noon.Add(time.Minute)}, func(in *store.Inbound) { in.Number = "200" })
	r.receive("w3", chat.Seen{Phone: ana, At: noon.Add(time.Hour)}, func(in *store.Inbound) { in.Group = "G1" })
	r.now = noon.Add(2 * time.Hour)
	for number, answers := range map[string]string{"100": "w1", "200": "w2"} {
		r.post(strings.Replace(text, `{`, `{"number":"`+number+`",`, 1)).sent()
		if m := r.last(); m.Send.Answers != answers || m.Conversation.Number() != chat.NumberID(number) {
			t.Errorf("from %s it answers %s", number, m.Send.Answers)
		}
	}
}

func TestSendReaction(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("wamid.AB/C+D==", chat.Seen{Phone: ana}, nil)
	ours := r.post(text).sent()
	react := func(id, emoji string) answer {
		r.Helper()
		return r.post(`{"to":"+34600111222","reaction":{"message_id":"` + id + `","emoji":"` + emoji + `"}}`)
	}
	react(string(ours), "👍").refused(http.StatusBadRequest, "invalid", "reaction.message_id: WhatsApp doesn't know that message (yet)")
	react("m_NOTHING", "👍").refused(http.StatusBadRequest, "invalid", "reaction.message_id: WhatsApp doesn't know")
	if _, err := r.store.Accept(t.Context(), r.last(), "wamid.ours"); err != nil {
		t.Fatal(err)
	}
	const family = "👨🏻‍👩🏽‍👧🏾‍👦🏿"
	for _, c := range []struct{ id, emoji, want string }{
		{string(ours), "👍", "wamid.ours"}, {"wamid.AB/C+D==", family, "wamid.AB/C+D=="}, {"wamid.before.us", "", "wamid.before.us"},
	} {
		id := react(c.id, c.emoji).sent()
		m := r.last()
		if m.Kind != chat.KindReaction || m.RawType != "reaction" || m.Text != c.emoji || m.ReplyTo != c.want || m.Content != nil || m.Send.Category != "service" {
			t.Errorf("%s: %+v", c.id, m)
		}
		if len(m.Effects) > 0 { // it shows on the entry of its message
			t.Errorf("%s: effects %v", c.id, m.Effects)
		}
		if a, ok := m.Amends(); !ok || a.Target != c.want || a.Text != c.emoji {
			t.Errorf("%s amends %+v", c.id, a)
		}
		if v := r.shown(string(id)); v.Kind != chat.KindReaction || v.Text != c.emoji || v.ReplyTo != c.want {
			t.Errorf("%s is shown as %+v", c.id, v)
		}
	}
}

// A request that is refused leaves nothing behind.
func TestRefusedRequestsMakeNoContact(t *testing.T) {
	r := newRig(t)
	for _, body := range []string{
		`"text":"a","reply_to":"m_NOTHING"`, `"media":{"type":"image","id":"f_NOTHING"}`, `"reaction":{"message_id":"m_NOTHING","emoji":""}`,
	} {
		r.post(`{"to":"+34600111222",`+body+`}`).refused(http.StatusBadRequest, "invalid", "")
	}
	if found, err := r.store.FindContacts(t.Context(), ana, nil); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}

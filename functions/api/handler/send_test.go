package handler

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/store"
)

const text = `{"to":"+34600111222","text":"hello"}`

func TestSend(t *testing.T) {
	r := newRig(t)
	id := r.post(text).sent()
	m := r.last()
	if m.ID != id || m.Kind != chat.KindText || m.Text != "hello" || m.Origin != chat.FromAgent || m.Direction != chat.Out ||
		m.Status != chat.Queued || !m.At.Equal(noon) || m.Send.To != (chat.Address{Phone: ana}) || m.Send.Category != "service" {
		t.Errorf("queued %+v %+v", m, m.Send)
	}
	if len(m.Effects) != 1 || m.Effects[0] != (chat.Effect{Kind: chat.EffectCRM, Target: "hubspot"}) {
		t.Errorf("effects %v", m.Effects)
	}
	var v messageView
	r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, &v)
	if v.ID != id || v.Status != chat.Queued || v.Text != "hello" || v.RawType != "text" || v.ProviderID != "" ||
		len(v.History) != 1 || v.History[0].Status != chat.Queued {
		t.Errorf("shown as %+v", v)
	}
}

func TestOrigin(t *testing.T) {
	for said, want := range map[string]chat.Origin{``: chat.FromAgent, `,"origin":"agent"`: chat.FromAgent, `,"origin":"crm"`: chat.FromCRM} {
		r := newRig(t)
		r.post(`{"to":"+34600111222","text":"hello"` + said + `}`).sent()
		if got := r.last().Origin; got != want {
			t.Errorf("%q: from %s, want %s", said, got, want)
		}
	}
}

func TestRecipients(t *testing.T) {
	phone, bsuid := chat.Address{Phone: ana}, chat.Address{BSUID: "ES.1"}
	for _, c := range []struct {
		name, to string
		want     chat.Address
		seen     []chat.Seen // the customer's messages before; the last one's contact is {CONTACT}, the first one's {FIRST}
	}{
		{"phone", `"+34600111222"`, phone, nil},
		{"digits", `"34600111222"`, phone, nil},
		{"space around", `" +34600111222 "`, phone, nil},
		{"bsuid", `{"bsuid":"ES.1"}`, bsuid, nil},
		{"known phone", `"+34600111222"`, phone, []chat.Seen{{Phone: ana, BSUID: "ES.1"}}},
		{"contact", `{"contact":"{CONTACT}"}`, phone, []chat.Seen{{Phone: ana}}},
		{"contact with both", `{"contact":"{CONTACT}"}`, phone, []chat.Seen{{Phone: ana, BSUID: "ES.1"}}},
		{"contact without a phone", `{"contact":"{CONTACT}"}`, bsuid, []chat.Seen{{BSUID: "ES.1"}}},
		{"joined contact", `{"contact":"{CONTACT}"}`, phone, []chat.Seen{{Phone: ana, BSUID: "ES.1"}, {BSUID: "ES.2"}, {Phone: ana, BSUID: "ES.2", PrevBSUID: "ES.1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			to, want := c.to, chat.ContactID("")
			for i, s := range c.seen {
				m := r.receive("w"+string(rune('0'+i)), s, nil)
				if i < 2 { // the third joins the two; the second is then asked for
					to, want = strings.ReplaceAll(c.to, "{CONTACT}", string(m.Contact)), m.Contact
				}
			}
			if len(c.seen) == 3 {
				who, err := r.store.Contact(t.Context(), want)
				if err != nil || who.ID == want {
					t.Fatalf("%s wasn't joined, %v", want, err)
				}
				want = who.ID
			}
			req := r.request("POST", "/api/v1/messages", `{"to":`+to+`,"text":"hello"}`)
			id := r.serve(req, c.name != "space around").sent()
			m := r.last()
			if m.Send.To != c.want || (want != "" && m.Contact != want) || m.Conversation != chat.Direct(ourNumber, m.Contact) {
				t.Errorf("to %+v, contact %s in %s; want %+v, %s", m.Send.To, m.Contact, m.Conversation, c.want, want)
			}
			if stored, err := r.store.Lookup(t.Context(), id); err != nil || stored.Contact != m.Contact {
				t.Errorf("stored for %q, %v", stored.Contact, err)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	const named = `{"to":"+34600111222","text":"hello","number":"300"}`
	for _, c := range []struct {
		name       string
		configured []string
		seen       []chat.NumberID
		wroteTo    chat.NumberID
		refused    chat.NumberID
		body       string
		want       chat.NumberID
		says       string // in place of want
	}{
		{name: "the conversation's", configured: []string{"100", "200"}, wroteTo: "200", body: text, want: "200"},
		{name: "the conversation's is no longer ours", configured: []string{"100", "200"}, wroteTo: "900", body: text, want: "100"},
		{name: "the first configured", configured: []string{"200", "100"}, seen: []chat.NumberID{"100"}, body: text, want: "200"},
		{name: "the conversation's, nothing configured", seen: []chat.NumberID{"100", "200"}, wroteTo: "200", body: text, want: "200"},
		{name: "the only one seen", seen: []chat.NumberID{"100"}, body: text, want: "100"},
		{name: "several seen", seen: []chat.NumberID{"100", "200"}, body: text, says: "number: 2 business numbers are known: give the phone_number_id"},
		{name: "one that Meta only refused", seen: []chat.NumberID{"100"}, refused: "999", body: text, want: "100"},
		{name: "none seen", body: text, says: "number: no business number is known yet: give the phone_number_id"},
		{name: "asked for", configured: []string{"100", "300"}, wroteTo: "100", body: named, want: "300"},
		{name: "asked for, nothing configured", body: named, want: "300"},
		{name: "asked for, not ours", configured: []string{"100"}, body: named, says: "number: this installation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.api.Numbers = c.configured
			r.seeNumber(c.seen...)
			if c.refused != "" {
				if _, _, err := r.store.LearnNumber(t.Context(), c.refused, "", map[string]chat.Fact{chat.FactToken: r.fact("100")}); err != nil {
					t.Fatal(err)
				}
			}
			if c.wroteTo != "" {
				r.receive("w1", chat.Seen{Phone: ana}, func(in *store.Inbound) { in.Number = c.wroteTo })
			}
			a := r.post(c.body)
			if c.says != "" {
				a.refused(http.StatusBadRequest, "invalid", c.says)
				if len(r.queue.entries) > 0 {
					t.Error("something was queued")
				}
				return
			}
			a.sent()
			if got := r.last().Conversation.Number(); got != c.want {
				t.Errorf("from %s, want %s", got, c.want)
			}
		})
	}
}

func TestContents(t *testing.T) {
	const to = `{"to":"+34600111222",`
	const code = `"components":[{"type":"body","parameters":[{"type":"text","text":"123456"}]}]`
	for _, c := range []struct {
		name, body    string
		kind          chat.Kind
		text, content string
		file          chat.Attachment
		category      string
		life          time.Duration
	}{
		{name: "text", body: `"text":"a < b ñ 🎉"}`, kind: chat.KindText, text: "a < b ñ 🎉", category: "service", life: 24 * time.Hour},
		{name: "text with a preview", body: `"text":"https://a.example","preview_url":true}`, kind: chat.KindText, text: "https://a.example",
			content: `{"preview_url":true}`, category: "service", life: 24 * time.Hour},
		{name: "text without a preview", body: `"text":"https://a.example","preview_url":false}`, kind: chat.KindText, text: "https://a.example",
			category: "service", life: 24 * time.Hour},
		{name: "promotion", body: `"text":"sale","category":"marketing"}`, kind: chat.KindText, text: "sale", category: "marketing", life: 24 * time.Hour},
		{name: "code as text", body: `"text":"1234","category":"authentication"}`, kind: chat.KindText, text: "1234", category: "authentication", life: 10 * time.Minute},
		{name: "template", body: `"template":{"name":"a","language":"en_US"}}`, kind: chat.KindTemplate, text: "Template a",
			content: `{"name":"a","language":"en_US"}`, category: "marketing", life: 24 * time.Hour},
		{name: "template with parameters", body: `"template":{"name":"a","language":"es","components":[{"type":"body","parameters":[]}]}}`, kind: chat.KindTemplate, text: "Template a",
			content: `{"name":"a","language":"es","components":[{"type":"body","parameters":[]}]}`, category: "marketing", life: 24 * time.Hour},
		{name: "template called utility", body: `"template":{"name":"a","language":"es"},"category":"utility"}`, kind: chat.KindTemplate, text: "Template a",
			content: `{"name":"a","language":"es"}`, category: "marketing", life: 24 * time.Hour},
		{name: "one-time code", body: `"template":{"name":"a","language":"es",` + code + `},"category":"AUTHENTICATION"}`, kind: chat.KindTemplate, text: "Template a",
			content: `{"name":"a","language":"es",` + code + `}`, category: "marketing", life: 10 * time.Minute},
		{name: "interactive", kind: chat.KindInteractive, text: "?\n[Yes]", category: "service", life: 24 * time.Hour,
			body:    `"interactive":{"type":"button","n":12345678901234567890,"body":{"text":"?"},"action":{"buttons":[` + button + `]}}}`,
			content: `{"type":"button","n":12345678901234567890,"body":{"text":"?"},"action":{"buttons":[` + button + `]}}`},
		{name: "interactive of a type to come", body: `"interactive":{"type":"hologram","x":[1]}}`, kind: chat.KindInteractive, text: "Hologram",
			content: `{"type":"hologram","x":[1]}`, category: "service", life: 24 * time.Hour},
		{name: "location", body: `"location":{"latitude":41.385063999999999,"longitude":-2.1734,"name":"Office","address":"Gran Via 1"}}`, kind: chat.KindLocation, text: "Office\nGran Via 1\n41.385064, -2.1734",
			content: `{"latitude":41.385064,"longitude":-2.1734,"name":"Office","address":"Gran Via 1"}`, category: "service", life: 24 * time.Hour},
		{name: "the place at 0, 0", body: `"location":{"latitude":0,"longitude":0}}`, kind: chat.KindLocation, text: "0, 0",
			content: `{"latitude":0,"longitude":0}`, category: "service", life: 24 * time.Hour},
		{name: "contacts", body: `"contacts":[{"name":{"formatted_name":"Bo Li","first_name":"Bo"},"phones":[{"phone":"+34911222333","type":"WORK"}]}]}`, kind: chat.KindContacts, text: "Bo Li\n+34911222333 (work)",
			content: `[{"name":{"formatted_name":"Bo Li","first_name":"Bo"},"phones":[{"phone":"+34911222333","type":"WORK"}]}]`, category: "service", life: 24 * time.Hour},
		{name: "image by id", body: `"media":{"type":"image","id":"77","caption":"look"}}`, kind: chat.KindImage, text: "look",
			file: chat.Attachment{State: chat.Remote, MediaID: "77"}, category: "service", life: 24 * time.Hour},
		{name: "video by link", body: `"media":{"type":"video","link":"http://a.example/v.mp4"}}`, kind: chat.KindVideo,
			file: chat.Attachment{State: chat.Remote, Link: "http://a.example/v.mp4"}, category: "service", life: 24 * time.Hour},
		{name: "document", body: `"media":{"type":"document","link":"https://a.example/i","filename":"i.pdf","caption":"bill"}}`, kind: chat.KindDocument, text: "bill",
			file: chat.Attachment{State: chat.Remote, Link: "https://a.example/i", Name: "i.pdf"}, category: "service", life: 24 * time.Hour},
		{name: "voice note", body: `"media":{"type":"audio","id":"78","voice":true}}`, kind: chat.KindAudio,
			file: chat.Attachment{State: chat.Remote, MediaID: "78", Voice: true}, category: "service", life: 24 * time.Hour},
		{name: "sticker", body: `"media":{"type":"sticker","id":"79"}}`, kind: chat.KindSticker,
			file: chat.Attachment{State: chat.Remote, MediaID: "79"}, category: "service", life: 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			id := r.post(to + c.body).sent()
			m := r.last()
			if m.Kind != c.kind || m.RawType != string(c.kind) || m.Text != c.text || m.Send.Category != c.category {
				t.Errorf("%s %s %q %s", m.Kind, m.RawType, m.Text, m.Send.Category)
			}
			if (c.content != "") != (m.Content != nil) || c.content != "" && !sameJSON(t, m.Content, []byte(c.content)) {
				t.Errorf("content %s", m.Content)
			}
			if (m.Attachment != nil) != (c.file.State != "") || m.Attachment != nil && *m.Attachment != c.file {
				t.Errorf("file %+v", m.Attachment)
			}
			if life := m.Send.Expires.Sub(noon); life != c.life {
				t.Errorf("lives %v", life)
			}
			var v messageView
			r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, &v)
			if v.Kind != c.kind || v.Text != c.text || (c.content != "" && !sameJSON(t, v.Content, []byte(c.content))) {
				t.Errorf("shown as %+v", v)
			}
		})
	}
}

// The largest request that is accepted is one that the queue takes.
func TestLongest(t *testing.T) {
	r := newRig(t)
	r.post(`{"to":"+34600111222","text":"` + strings.Repeat("🎉", 4096) + `"}`).sent()
	r.post(`{"to":"+34600111222","interactive":{"type":"a","a":"` + strings.Repeat("ñ", 32<<10-50) + `"}}`).sent()
	r.post(`{"to":"+34600111222","interactive":{"type":"a","action":{"sections":[{"title":"` + strings.Repeat("ñ", 32<<10-90) + `"}]}}}`).sent()
	for _, e := range r.queue.entries {
		if len(e.Body) > 240_000 {
			t.Errorf("%d bytes", len(e.Body))
		}
	}
	if said := r.last().Text; len(said) > maxWords || !strings.HasSuffix(said, "ñ…") || !utf8.ValidString(said) {
		t.Errorf("it says %d bytes", len(said))
	}
}

func TestExpiryIsTheEndOfTheWindow(t *testing.T) {
	r := newRig(t)
	r.receive("w1", chat.Seen{Phone: ana}, nil)
	r.now = noon.Add(20 * time.Hour)
	r.post(text).sent()
	if got := r.last().Send.Expires; !got.Equal(noon.Add(24 * time.Hour)) {
		t.Errorf("a text expires at %v", got)
	}
	r.post(`{"to":"+34600111222","template":{"name":"a","language":"es"}}`).sent()
	if got := r.last().Send.Expires; !got.Equal(r.now.Add(24 * time.Hour)) {
		t.Errorf("a template expires at %v", got)
	}
}

func TestReplyTo(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("wamid.AB/C+D==", chat.Seen{Phone: ana}, nil)
	r.receive("u_nameless", chat.Seen{Phone: ana}, func(in *store.Inbound) { in.Message.ProviderID = "" })
	ours := r.post(text).sent()
	reply := func(id string) answer {
		r.Helper()
		return r.post(`{"to":"+34600111222","text":"hello","reply_to":"` + id + `"}`)
	}
	reply(string(ours)).refused(http.StatusBadRequest, "invalid", "reply_to: WhatsApp doesn't know that message (yet)")
	reply("u_nameless").refused(http.StatusBadRequest, "invalid", "reply_to: ")
	if _, err := r.store.Accept(t.Context(), r.last(), "wamid.ours"); err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{
		string(ours): "wamid.ours", "wamid.ours": "wamid.ours", "wamid.AB/C+D==": "wamid.AB/C+D==", "wamid.before.us": "wamid.before.us",
	} {
		reply(asked).sent()
		if got := r.last().ReplyTo; got != want {
			t.Errorf("%s: quotes %q", asked, got)
		}
	}
}

func TestQueueOutOfReach(t *testing.T) {
	r := newRig(t)
	r.queue.err = errors.New("no connection to 34600111222")
	for _, key := range []string{"", "k"} {
		a := r.post(text, "Idempotency-Key", key)
		a.refused(http.StatusServiceUnavailable, "unavailable", "try again")
		if strings.Contains(string(a.body), ana) {
			t.Errorf("%s", a.body)
		}
	}
	var list struct{ Conversations []conversationView }
	if r.get("/api/v1/conversations").want(http.StatusOK, &list); len(list.Conversations) > 0 {
		t.Errorf("%+v", list)
	}
	r.queue.err = nil
	r.post(text, "Idempotency-Key", "k").sent()
}

func TestWriteThroughOutOfReach(t *testing.T) {
	r := newRig(t)
	r.receive("w1", chat.Seen{Phone: ana}, nil)
	r.db.writes = errors.New("no connection")
	id := r.post(text).sent()
	a := r.get("/api/v1/messages/" + string(id))
	a.refused(http.StatusNotFound, "notfound", "yet")
	if a.header.Get("Retry-After") != "1" {
		t.Error("no Retry-After")
	}
	r.db.writes = nil
	if _, first, err := r.store.Queue(t.Context(), r.last()); err != nil || !first { // as the sender does
		t.Fatal(first, err)
	}
	r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, nil)
}

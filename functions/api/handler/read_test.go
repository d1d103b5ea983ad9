package handler

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
)

func TestReceivedContent(t *testing.T) {
	for _, c := range []struct{ kind, rawType, raw, content string }{
		{"text", "text", `{"text":{"body":"hi"},"type":"text"}`, ``},
		{"interactive", "interactive", `{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"l1","title":"One"}}}`,
			`{"type":"list_reply","list_reply":{"id":"l1","title":"One"}}`},
		{"order", "order", `{"type":"order","order":{"catalog_id":"7","product_items":[{"product_retailer_id":"p","quantity":2}]}}`,
			`{"catalog_id":"7","product_items":[{"product_retailer_id":"p","quantity":2}]}`},
		{"contacts", "contacts", `{"type":"contacts","contacts":[{"name":{"formatted_name":"Bo"}}]}`, `[{"name":{"formatted_name":"Bo"}}]`},
		{"location", "location", `{"type":"location","location":{"latitude":41.38,"longitude":2.17}}`, `{"latitude":41.38,"longitude":2.17}`},
		{"button", "button", `{"type":"button","button":{"payload":"p","text":"Yes"}}`, `{"payload":"p","text":"Yes"}`},
		{"reaction", "reaction", `{"type":"reaction","reaction":{"message_id":"wamid.1","emoji":"\ud83d\udc4d"}}`, `{"message_id":"wamid.1","emoji":"👍"}`},
		{"image", "image", `{"type":"image","image":{"id":"77","mime_type":"image/jpeg"}}`, `{"id":"77","mime_type":"image/jpeg"}`},
		{"audio", "voice", `{"type":"voice","voice":{"id":"78"}}`, `{"id":"78"}`},
		{"unknown", "hologram", `{"type":"hologram","hologram":["a",{"b":null}]}`, `["a",{"b":null}]`},
		{"unknown", "bare", `{"type":"bare"}`, ``},
		{"unknown", "scalar", `{"type":"scalar","scalar":5}`, `5`},
	} {
		t.Run(c.rawType, func(t *testing.T) {
			r := newRig(t)
			r.seeNumber(ourNumber)
			m := r.receive("wamid.1", chat.Seen{Phone: ana}, func(in *store.Inbound) {
				in.Message.Kind, in.Message.RawType, in.Message.Raw = chat.Kind(c.kind), c.rawType, []byte(c.raw)
			})
			var one messageView
			r.get("/api/v1/messages/wamid.1").want(http.StatusOK, &one)
			var list struct{ Messages []messageView }
			r.get("/api/v1/conversations/"+string(m.Conversation)+"/messages").want(http.StatusOK, &list)
			for _, v := range append(list.Messages, one) {
				if v.RawType != c.rawType || string(v.Kind) != c.kind || v.ProviderID != "wamid.1" || v.Direction != chat.In ||
					v.Status != chat.Delivered || v.History == nil {
					t.Errorf("%+v", v)
				}
				if (c.content == "") != (v.Content == nil) || c.content != "" && !sameJSON(t, v.Content, []byte(c.content)) {
					t.Errorf("content %s", v.Content)
				}
			}
		})
	}
}

// The raw update of a long message is elsewhere; its content is on the message.
func TestContentOfALongMessage(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("wamid.1", chat.Seen{Phone: ana}, func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType, in.Message.Raw = chat.KindOrder, "order", nil
		in.Message.RawKey, in.Message.Content = "raw/1", []byte(`{"catalog_id":"7"}`)
	})
	var v messageView
	r.get("/api/v1/messages/wamid.1").want(http.StatusOK, &v)
	if !sameJSON(t, v.Content, []byte(`{"catalog_id":"7"}`)) {
		t.Errorf("%s", v.Content)
	}
}

func TestProviderIDs(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	for _, id := range []string{
		"wamid.HBgLMzQ2MDAxMTEyMjIVAgASGBQzQTdGNUE4RjA0AA==", "wamid.a/b+c=", "wamid.//a//", "wamid.a%2Fb", "a b?c#d&e", "wamid./../x", "ñ",
		"wamid." + strings.Repeat("x/", 120),
	} {
		r.receive(id, chat.Seen{Phone: ana}, nil)
		var v messageView
		r.get("/api/v1/messages/"+url.PathEscape(id)).want(http.StatusOK, &v)
		if string(v.ID) != id || v.ProviderID != id {
			t.Errorf("%s: %s, provider's %s", id, v.ID, v.ProviderID)
		}
	}
}

func TestHistory(t *testing.T) {
	r := newRig(t)
	id := r.post(text).sent()
	if _, err := r.store.Accept(t.Context(), r.last(), "wamid.1"); err != nil {
		t.Fatal(err)
	}
	settle := func(s chat.Status, after time.Duration, p *chat.Problem) {
		t.Helper()
		if _, _, err := r.store.Settle(t.Context(), chat.Receipt{
			Number: ourNumber, ProviderID: "wamid.1", Status: s, At: noon.Add(after), Error: p, Hash: string(s),
		}); err != nil {
			t.Fatal(err)
		}
	}
	var v messageView
	settle(chat.Failed, 3*time.Second, &chat.Problem{Code: 131047, Reason: "Re-engagement message"})
	r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, &v)
	if v.Status != chat.Failed || v.Error == nil || v.Error.Code != 131047 || v.Error.Reason != "Re-engagement message" {
		t.Errorf("%+v", v)
	}
	settle(chat.Read, 2*time.Second, nil)
	settle(chat.Delivered, 2*time.Second, nil)
	settle(chat.Sent, time.Second, nil)
	v = messageView{}
	r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, &v)
	var steps []string
	for _, s := range v.History {
		steps = append(steps, string(s.Status))
	}
	if got := strings.Join(steps, " "); got != "queued accepted sent delivered read failed" {
		t.Error(got)
	}
	if v.Status != chat.Read || v.Error != nil || v.ProviderID != "wamid.1" || v.History[5].Error.Code != 131047 {
		t.Errorf("%+v", v)
	}
	r.get("/api/v1/messages/wamid.1").want(http.StatusNotFound, nil) // its number never wrote to us
	r.seeNumber(ourNumber)
	var byProvider messageView
	r.get("/api/v1/messages/wamid.1").want(http.StatusOK, &byProvider)
	if byProvider.ID != id {
		t.Error(byProvider.ID)
	}
}

func TestAttachment(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("wamid.1", chat.Seen{Phone: ana}, func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType = chat.KindDocument, "document"
		in.Message.Attachment = &chat.Attachment{
			State: chat.FileFailed, MediaID: "secret", MIME: "application/pdf", Name: "a.pdf", SHA256: "h", Size: 7, Key: "secret", Reason: "gone",
		}
	})
	var v messageView
	a := r.get("/api/v1/messages/wamid.1").want(http.StatusOK, &v)
	if want := (attachmentView{State: chat.FileFailed, MIME: "application/pdf", Name: "a.pdf", Size: 7, SHA256: "h", Reason: "gone"}); *v.Attachment != want {
		t.Errorf("%+v", v.Attachment)
	}
	if strings.Contains(string(a.body), "secret") {
		t.Errorf("%s", a.body)
	}
}

func TestContacts(t *testing.T) {
	r := newRig(t)
	m := r.receive("w1", chat.Seen{Phone: ana, BSUID: "ES.1", Name: "Ana", Username: "ana.b"}, nil)
	var one contactView
	r.get("/api/v1/contacts/"+string(m.Contact)).want(http.StatusOK, &one)
	want := []store.Identity{{Kind: "wa_id", Value: ana}, {Kind: "bsuid", Value: "ES.1"}}
	if one.ID != m.Contact || one.Name != "Ana" || one.Username != "ana.b" || !slices.Equal(one.Identities, want) {
		t.Errorf("%+v", one)
	}
	for _, phone := range []string{"%2B34600111222", "34600111222", "+34600111222"} { // the last one's plus arrives as a space
		var found struct{ Contacts []contactView }
		r.callBadly("GET", "/api/v1/contacts?phone="+phone, "").want(http.StatusOK, &found)
		if len(found.Contacts) != 1 || found.Contacts[0].ID != m.Contact {
			t.Errorf("%s: %+v", phone, found)
		}
	}
	if a := r.get("/api/v1/contacts?phone=34600111223").want(http.StatusOK, nil); strings.TrimSpace(string(a.body)) != `{"contacts":[]}` {
		t.Errorf("nobody: %s", a.body)
	}
}

func TestJoinedContact(t *testing.T) {
	r := newRig(t)
	survivor := r.receive("w1", chat.Seen{Phone: ana}, nil)
	other := r.receive("w2", chat.Seen{BSUID: "ES.1"}, nil)
	r.now = noon.Add(time.Minute)
	r.receive("w3", chat.Seen{Phone: ana, BSUID: "ES.1"}, nil)
	var c contactView
	r.get("/api/v1/contacts/"+string(other.Contact)).want(http.StatusOK, &c)
	if c.ID != survivor.Contact || len(c.Identities) != 2 {
		t.Errorf("%+v", c)
	}
	var list struct{ Conversations []conversationView }
	r.get("/api/v1/conversations").want(http.StatusOK, &list)
	if len(list.Conversations) != 1 || list.Conversations[0].ID != survivor.Conversation {
		t.Errorf("listed %+v", list)
	}
	for _, id := range []chat.ConversationID{survivor.Conversation, other.Conversation} {
		var v conversationView
		r.get("/api/v1/conversations/"+string(id)).want(http.StatusOK, &v)
		var ms struct{ Messages []messageView }
		r.get("/api/v1/conversations/"+string(id)+"/messages").want(http.StatusOK, &ms)
		if v.ID != survivor.Conversation || v.Contact.ID != survivor.Contact || len(ms.Messages) != 3 {
			t.Errorf("%s: %+v, %d messages", id, v, len(ms.Messages))
		}
	}
}

func TestConversation(t *testing.T) {
	r := newRig(t)
	m := r.receive("w1", chat.Seen{Phone: ana, Name: "Ana"}, nil)
	g := r.receive("w2", chat.Seen{Phone: ana}, func(in *store.Inbound) { in.Group = "G1" })
	var direct, group conversationView
	r.get("/api/v1/conversations/"+string(m.Conversation)).want(http.StatusOK, &direct)
	if direct.Number != ourNumber || direct.Contact == nil || *direct.Contact != (namedContact{m.Contact, "Ana"}) || direct.Group != "" ||
		direct.State != chat.InQueue || direct.Team != store.DefaultTeam || !direct.LastActivity.Equal(noon) || !direct.WindowEnds.Equal(noon.Add(24*time.Hour)) {
		t.Errorf("%+v", direct)
	}
	r.get("/api/v1/conversations/"+string(g.Conversation)).want(http.StatusOK, &group)
	if group.Contact != nil || group.Group != "G1" || group.ID != g.Conversation {
		t.Errorf("%+v", group)
	}
	to := r.post(`{"to":"+34600111999","text":"hello"}`).sent()
	sent, err := r.store.Lookup(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	var fresh conversationView
	r.get("/api/v1/conversations/"+string(sent.Conversation)).want(http.StatusOK, &fresh)
	if fresh.WindowEnds != nil {
		t.Errorf("a window that never opened ends at %v", fresh.WindowEnds)
	}
}

// all reads a list to its end and returns the ids in the order in which they came.
func (r *rig) all(list, name string) (ids []string, pages int) {
	r.Helper()
	for cursor := ""; ; pages++ {
		var body map[string]any
		a := r.get(list+cursor).want(http.StatusOK, &body)
		items, ok := body[name].([]any)
		if !ok {
			r.Fatalf("no %s: %s", name, a.body)
		}
		var page []string
		for _, it := range items {
			page = append(page, it.(map[string]any)["id"].(string))
		}
		ids = append(page, ids...) // older pages come later and belong before
		next, more := body["next_cursor"]
		if !more {
			return ids, pages + 1
		}
		if pages > 100 {
			r.Fatal("no end")
		}
		cursor = "&cursor=" + url.QueryEscape(fmt.Sprint(next))
	}
}

func TestPagesOfMessages(t *testing.T) {
	r := newRig(t)
	var want []string
	var conv chat.ConversationID
	for i := range 7 {
		r.now = noon.Add(time.Duration(i/2) * time.Second)
		m := r.receive(fmt.Sprintf("w%d", i), chat.Seen{Phone: ana}, nil)
		want, conv = append(want, string(m.ID)), m.Conversation
	}
	for limit, pages := range map[int]int{1: 7, 2: 4, 3: 3, 7: 1, 100: 1} {
		got, n := r.all(fmt.Sprintf("/api/v1/conversations/%s/messages?limit=%d", conv, limit), "messages")
		if !slices.Equal(got, want) || n != pages {
			t.Errorf("by %d: %v in %d pages", limit, got, n)
		}
	}
}

func TestPagesOfConversations(t *testing.T) {
	r := newRig(t)
	var want []string
	for i := range 9 {
		r.now = noon.Add(time.Duration(i) * time.Second)
		m := r.receive(fmt.Sprintf("w%d", i), chat.Seen{BSUID: fmt.Sprintf("ES.1%d", i)}, nil)
		want = append(want, string(m.Conversation))
	}
	slices.Sort(want)
	for limit, pages := range map[int]int{1: 9, 4: 3, 9: 1, 100: 1} {
		got, n := r.all(fmt.Sprintf("/api/v1/conversations?limit=%d", limit), "conversations")
		if slices.Sort(got); !slices.Equal(got, want) || n != pages {
			t.Errorf("by %d: %v in %d pages", limit, got, n)
		}
	}
	// Pages are cut before they are filtered, so that some are empty and still not the last.
	if got, n := r.all("/api/v1/conversations?limit=4&state=assigned", "conversations"); len(got) > 0 || n != 3 {
		t.Errorf("none: %v in %d pages", got, n)
	}
	if got, _ := r.all("/api/v1/conversations?limit=4&state=queued&team=default", "conversations"); len(got) != 9 {
		t.Errorf("queued: %v", got)
	}
	for _, none := range []string{"state=resolved", "owner=nobody", "team=other&state=queued"} {
		if got, n := r.all("/api/v1/conversations?"+none, "conversations"); len(got) > 0 || n != 1 {
			t.Errorf("%s: %v in %d pages", none, got, n)
		}
	}
}

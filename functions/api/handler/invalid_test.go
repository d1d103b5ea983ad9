package handler

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/store"
)

// badSend are requests to send that are answered 400. beyond marks those whose mistake the document can't express.
var badSend = []struct {
	name, body, says string
	beyond           bool
}{
	{"empty", ``, "empty", false},
	{"not JSON", `{to:1}`, "not JSON", false},
	{"cut off", `{"to":"+34600111222"`, "ends within", false},
	{"two objects", `{"to":"+34600111222","text":"a"} {}`, "nothing behind it", true},
	{"a list", `[]`, "object", false},
	{"unknown field", `{"to":"+34600111222","text":"a","txt":"b"}`, `unknown field "txt"`, false},
	{"unknown field in media", `{"to":"+34600111222","media":{"type":"image","id":"1","url":"x"}}`, `unknown field "url"`, false},
	{"wrong type", `{"to":"+34600111222","text":5}`, `"text" must be a string`, false},

	{"nobody", `{"text":"a"}`, "to: use", false},
	{"null", `{"to":null,"text":"a"}`, "to: use", false},
	{"empty phone", `{"to":"","text":"a"}`, "to: use", false},
	{"a number", `{"to":34600111222,"text":"a"}`, "to: use", false},
	{"letters", `{"to":"+34abc111222","text":"a"}`, "to: use a phone number with its country code", false},
	{"national number", `{"to":"0600111222","text":"a"}`, "to: use a phone number with its country code", false},
	{"00 for plus", `{"to":"0034600111222","text":"a"}`, "to: use a phone number with its country code", false},
	{"spaces inside", `{"to":"+34 600 111 222","text":"a"}`, "nothing but digits", false},
	{"too short", `{"to":"+346","text":"a"}`, "to: use", false},
	{"too long", `{"to":"+346001112223334445556","text":"a"}`, "to: use", false},
	{"phone in an object", `{"to":{"phone":"+34600111222"},"text":"a"}`, "to: use", false},
	{"empty contact", `{"to":{"contact":""},"text":"a"}`, "to: use", false},
	{"contact and bsuid", `{"to":{"contact":"a","bsuid":"ES.1"},"text":"a"}`, "to: use", false},
	{"no bsuid", `{"to":{"bsuid":"34600111222"},"text":"a"}`, "to.bsuid: use", false},
	{"unknown contact", `{"to":{"contact":"01NOBODY"},"text":"a"}`, "to.contact: there is no such contact", true},
	{"endless contact", `{"to":{"contact":"` + strings.Repeat("x", 5000) + `"},"text":"a"}`, "to.contact", true},

	{"nothing to send", `{"to":"+34600111222"}`, "exactly one of text, template, media, interactive", false},
	{"empty text", `{"to":"+34600111222","text":""}`, "exactly one of", false},
	{"blank text", `{"to":"+34600111222","text":" \n"}`, "text: text is empty", false},
	{"long text", `{"to":"+34600111222","text":"` + strings.Repeat("ñ", 4097) + `"}`, "text: 4097 characters, at most 4096", false},
	{"two contents", `{"to":"+34600111222","text":"a","media":{"type":"image","id":"1"}}`, "exactly one of", false},

	{"a preview without a text", `{"to":"+34600111222","media":{"type":"image","id":"1"},"preview_url":true}`, "preview_url: it goes with a text", true},
	{"a preview in words", `{"to":"+34600111222","text":"a","preview_url":"yes"}`, `preview_url" must be true or false`, false},

	{"template without name", `{"to":"+34600111222","template":{"language":"en"}}`, "template: template needs a name and a language", false},
	{"template without language", `{"to":"+34600111222","template":{"name":"a"}}`, "template: template needs a name and a language", false},
	{"language as an object", `{"to":"+34600111222","template":{"name":"a","language":{"code":"en"}}}`, `"template.language" must be a string`, false},
	{"components as an object", `{"to":"+34600111222","template":{"name":"a","language":"en","components":{}}}`, "template: template components are not an array", false},
	{"unknown category", `{"to":"+34600111222","template":{"name":"a","language":"en"},"category":"promo"}`, "category: use marketing, utility or authentication", false},
	{"unknown origin", `{"to":"+34600111222","text":"a","origin":"customer"}`, "origin: use agent or crm", false},
	{"unknown category of a text", `{"to":"+34600111222","text":"a","category":"promo"}`, "category: use", false},

	{"media without type", `{"to":"+34600111222","media":{"id":"1"}}`, "media.type: use image, video, audio, document or sticker", false},
	{"media of another type", `{"to":"+34600111222","media":{"type":"location","id":"1"}}`, "media.type: use", false},
	{"media without file", `{"to":"+34600111222","media":{"type":"image"}}`, "media: file needs either an id or a link", false},
	{"media with both", `{"to":"+34600111222","media":{"type":"image","id":"1","link":"https://a/b"}}`, "media: file needs either", false},
	{"a link to nowhere", `{"to":"+34600111222","media":{"type":"image","link":"ftp://a/b"}}`, "media: file link is not http or https", false},
	{"sticker with caption", `{"to":"+34600111222","media":{"type":"sticker","id":"1","caption":"a"}}`, "media: this kind of file has no caption", false},
	{"image with name", `{"to":"+34600111222","media":{"type":"image","id":"1","filename":"a"}}`, "media: this kind of file has no file name", false},
	{"video as voice note", `{"to":"+34600111222","media":{"type":"video","id":"1","voice":true}}`, "media: this kind of file is no voice note", false},
	{"long caption", `{"to":"+34600111222","media":{"type":"image","id":"1","caption":"` + strings.Repeat("x", 1025) + `"}}`, "media.caption: 1025 characters, at most 1024", false},

	{"interactive as text", `{"to":"+34600111222","interactive":"buttons"}`, "interactive: interactive content is not an object", false},
	{"interactive as a list", `{"to":"+34600111222","interactive":[]}`, "interactive: ", false},
	{"button too long", `{"to":"+34600111222","interactive":{"type":"button","body":{"text":"?"},"action":{"buttons":[` + button + `,` + button + `,{"type":"reply","reply":{"id":"z","title":"` + strings.Repeat("x", 23) + `"}}]}}}`,
		"interactive.action.buttons[2].reply.title: 23 characters, at most 20", true},
	{"too many buttons", `{"to":"+34600111222","interactive":{"type":"button","body":{"text":"?"},"action":{"buttons":[` + strings.Repeat(button+",", 3) + button + `]}}}`,
		"interactive.action.buttons: 4 buttons, at most 3", true},
	{"two buttons alike", `{"to":"+34600111222","interactive":{"type":"button","body":{"text":"?"},"action":{"buttons":[` + button + `,` + button + `]}}}`,
		"interactive.action.buttons[1].reply.id: the same as another", true},
	{"a long body", `{"to":"+34600111222","interactive":{"type":"button","body":{"text":"` + strings.Repeat("ñ", 1025) + `"},"action":{"buttons":[` + button + `]}}}`,
		"interactive.body.text: 1025 characters, at most 1024", true},
	{"a list without rows", `{"to":"+34600111222","interactive":{"type":"list","body":{"text":"?"},"action":{"button":"Open","sections":[]}}}`,
		"interactive.action.sections: 0 sections, at least 1", true},
	{"a long list", `{"to":"+34600111222","interactive":{"type":"list","body":{"text":"?"},"action":{"button":"Open","sections":[{"rows":[` + rows(11) + `]}]}}}`,
		"interactive.action.sections: 11 rows, at most 10", true},
	{"interactive without type", `{"to":"+34600111222","interactive":{"body":{"text":"?"}}}`, "interactive.type: missing", true},

	{"location without coordinates", `{"to":"+34600111222","location":{"name":"Office"}}`, "location: use latitude and longitude in degrees", false},
	{"location without longitude", `{"to":"+34600111222","location":{"latitude":41}}`, "location: use latitude and longitude", false},
	{"location as text", `{"to":"+34600111222","location":{"latitude":"41","longitude":2}}`, `"location.latitude" must be a number`, false},
	{"location off the globe", `{"to":"+34600111222","location":{"latitude":91,"longitude":2}}`, "location.latitude: not between -90 and 90 degrees", false},
	{"location with a typing error", `{"to":"+34600111222","location":{"latitude":41,"longitude":2,"lable":"x"}}`, `unknown field "lable"`, false},

	{"no contacts", `{"to":"+34600111222","contacts":[]}`, "contacts: 0 contacts, at least 1", false},
	{"a contact by itself", `{"to":"+34600111222","contacts":{"name":{"formatted_name":"Bo"}}}`, `"contacts" must be a list`, false},
	{"contact without a name", `{"to":"+34600111222","contacts":[{"phones":[{"phone":"+34911222333"}]}]}`, "contacts[0].name.formatted_name: missing", true},
	{"contact with one name", `{"to":"+34600111222","contacts":[{"name":{"formatted_name":"Bo"}}]}`, "contacts[0].name: needs one of first_name", true},
	{"contact with a typing error", `{"to":"+34600111222","contacts":[{"name":{"formatted_name":"Bo","fist_name":"Bo"}}]}`, `unknown field "fist_name"`, true},
	{"too many contacts", `{"to":"+34600111222","contacts":[` + strings.Repeat(`{"name":{}},`, 257) + `{}]}`, "contacts: 258 contacts, at most 257", false},

	{"reaction without emoji", `{"to":"+34600111222","reaction":{"message_id":"wamid.1"}}`, "reaction.emoji: use an emoji, or an empty text to take it back", false},
	{"reaction to nothing", `{"to":"+34600111222","reaction":{"emoji":"👍"}}`, "reaction.message_id: use the id or the provider_id", false},
	{"reaction to an endless id", `{"to":"+34600111222","reaction":{"emoji":"👍","message_id":"` + strings.Repeat("x", 256) + `"}}`, "reaction.message_id: use", false},
	{"reaction in many words", `{"to":"+34600111222","reaction":{"message_id":"wamid.1","emoji":"` + strings.Repeat("x", 33) + `"}}`, "reaction.emoji: use one emoji", false},
	{"reaction as a reply", `{"to":"+34600111222","reaction":{"message_id":"wamid.1","emoji":"👍"},"reply_to":"wamid.1"}`, "reply_to: a reaction names its message", true},

	{"template in capitals", `{"to":"+34600111222","template":{"name":"Order","language":"en"}}`, "template.name: use a to z", true},
	{"template in no language", `{"to":"+34600111222","template":{"name":"a","language":"english"}}`, "template.language: not a code such as en or en_US", true},
	{"template with a line break", `{"to":"+34600111222","template":{"name":"a","language":"en","components":[{"type":"body","parameters":[{"type":"text","text":"a\nb"}]}]}}`,
		"template.components[0].parameters[0].text: has a line break", true},
	{"template with an endless button", `{"to":"+34600111222","template":{"name":"a","language":"en","components":[{"type":"button","sub_type":"copy_code","index":0,"parameters":[{"type":"coupon_code","coupon_code":"1234567890123456"}]}]}}`,
		"template.components[0].parameters[0].coupon_code: 16 characters, at most 15", true},

	{"unknown conversation", `{"to":{"conversation":"100.01NOBODY"},"text":"a"}`, "to.conversation: there is no such conversation", true},
	{"conversation and contact", `{"to":{"conversation":"100.01X","contact":"01X"},"text":"a"}`, "to: use", false},
	{"empty conversation", `{"to":{"conversation":""},"text":"a"}`, "to: use", false},
	{"a file that nobody uploaded", `{"to":"+34600111222","media":{"type":"image","id":"f_01NOTHING"}}`, "media.id: there is no such file", true},

	{"interactive null", `{"to":"+34600111222","interactive":null}`, "exactly one of", false},
	{"endless interactive", `{"to":"+34600111222","interactive":{"type":"a","a":"` + strings.Repeat("<", 12<<10) + `"}}`, "longer than 65536 bytes", true},
	{"endless link", `{"to":"+34600111222","media":{"type":"image","link":"https://a/` + strings.Repeat("x", 70<<10) + `"}}`, "longer than 65536 bytes", true},

	{"a phone number as number", `{"to":"+34600111222","text":"a","number":"+34911222333"}`, "number: use a phone_number_id", false},
	{"somebody else's number", `{"to":"+34600111222","text":"a","number":"999"}`, "number: this installation doesn't send from", true},
	{"a quote of nothing of ours", `{"to":"+34600111222","text":"a","reply_to":"m_NOTHING"}`, "reply_to: WhatsApp doesn't know that message", true},
	{"an endless quote", `{"to":"+34600111222","text":"a","reply_to":"` + strings.Repeat("x", 256) + `"}`, "reply_to: use", false},
}

// rows are so many of a list.
func rows(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"id":"%d","title":"%d"}`, i, i))
	}
	return strings.Join(all, ",")
}

func TestBadSend(t *testing.T) {
	for _, c := range badSend {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			req := r.request("POST", "/api/v1/messages", c.body, "Content-Type", "application/json", "Idempotency-Key", "k")
			if err := described(t, req).allows(req); (err == nil) != c.beyond {
				t.Errorf("the document: %v", err)
			}
			r.serve(req, false).refused(http.StatusBadRequest, "invalid", c.says)
			if len(r.queue.entries) > 0 {
				t.Error("something was queued")
			}
			if found, _, err := r.store.Conversations(t.Context(), store.Filter{}, "", 10); err != nil || len(found) > 0 {
				t.Errorf("%d conversations, %v", len(found), err)
			}
			r.post(`{"to":"+34600111222","text":"hello"}`, "Idempotency-Key", "k").sent() // the key is as good as new
		})
	}
}

func TestBadQueries(t *testing.T) {
	r := newRig(t)
	m := r.receive("w1", chat.Seen{Phone: ana}, nil)
	messages := "/api/v1/conversations/" + string(m.Conversation) + "/messages"
	for _, c := range []struct {
		url, says string
		beyond    bool
	}{
		{"/api/v1/contacts", "phone: use", false},
		{"/api/v1/contacts?phone=", "phone: use", false},
		{"/api/v1/contacts?phone=abc", "phone: use", false},
		{"/api/v1/contacts?phone=0600111222", "phone: use", false},
		{"/api/v1/conversations?limit=0", "limit: use", false},
		{"/api/v1/conversations?limit=101", "limit: use", false},
		{"/api/v1/conversations?limit=-1", "limit: use", false},
		{"/api/v1/conversations?limit=ten", "limit: use", false},
		{"/api/v1/conversations?limit=1.5", "limit: use", false},
		{"/api/v1/conversations?state=open", "state: use bot, queued, assigned or resolved", false},
		{"/api/v1/conversations?cursor=x", "cursor: ", true},
		{messages + "?limit=1000", "limit: use", false},
		{"/api/v1/crm/reconciliation?limit=0", "limit: use", false},
		{"/api/v1/crm/reconciliation?state=lost", "state: use missing", false},
		{"/api/v1/crm/reconciliation?day=yesterday", "day: use", false},
		{"/api/v1/crm/reconciliation?day=2026-02-30", "day: use", true},
		{"/api/v1/crm/reconciliation?cursor=x", "cursor: ", true},
		{messages + "?cursor=%00", "cursor: ", true},
		{messages + "?cursor=bm9uc2Vuc2U", "cursor: ", true},
	} {
		req := r.request("GET", c.url, "")
		if err := described(t, req).allows(req); (err == nil) != c.beyond {
			t.Errorf("%s: the document: %v", c.url, err)
		}
		r.serve(req, false).refused(http.StatusBadRequest, "invalid", c.says)
	}
}

func TestNotThere(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	for _, id := range []string{"01NOBODY", "100.01NOBODY", "m_NOTHING", "wamid.nothing", "%00", "%FF", "..%2F..", strings.Repeat("x", 3000)} {
		for _, pattern := range []string{"/api/v1/messages/%s", "/api/v1/contacts/%s", "/api/v1/conversations/%s", "/api/v1/conversations/%s/messages"} {
			url := fmt.Sprintf(pattern, id)
			a := r.callBadly("GET", url, "")
			a.refused(http.StatusNotFound, "notfound", "")
			if want := strings.Contains(pattern, "v1/messages"); (a.header.Get("Retry-After") == "1") != want {
				t.Errorf("%.80s: Retry-After %q", url, a.header.Get("Retry-After"))
			}
		}
	}
}

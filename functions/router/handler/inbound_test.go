package handler

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// translate does what the router does before it stores anything.
func translate(t *testing.T, u whatsapp.Update) store.Inbound {
	t.Helper()
	w, err := whatsapp.ParseMessage(u)
	if err != nil {
		t.Fatal(err)
	}
	return inbound(u, w)
}

func TestEveryTypeBecomesAMessage(t *testing.T) {
	file := func(a chat.Attachment) *chat.Attachment { a.State = cmp.Or(a.State, chat.Pending); return &a }
	for _, test := range []struct {
		name, body string // body: what the message says beside its id, sender and time
		kind       chat.Kind
		text       string
		replyTo    string
		attachment *chat.Attachment
	}{
		{"text", `"type":"text","text":{"body":"hello"}`, chat.KindText, "hello", "", nil},
		{"answer", `"type":"text","text":{"body":"yes"},"context":{"id":"wamid.q"}`, chat.KindText, "yes", "wamid.q", nil},
		{"forwarded", `"type":"text","text":{"body":"look"},"context":{"forwarded":true}`, chat.KindText, "look", "", nil},
		{"photo", `"type":"image","image":{"id":"1","mime_type":"image/jpeg","sha256":"aGFzaA==","caption":"my roof"}`, chat.KindImage, "my roof", "",
			file(chat.Attachment{MediaID: "1", MIME: "image/jpeg", SHA256: "aGFzaA=="})},
		{"video", `"type":"video","video":{"id":"2","mime_type":"video/mp4"}`, chat.KindVideo, "", "", file(chat.Attachment{MediaID: "2", MIME: "video/mp4"})},
		{"voice note", `"type":"audio","audio":{"id":"3","mime_type":"audio/ogg; codecs=opus","voice":true}`, chat.KindAudio, "", "",
			file(chat.Attachment{MediaID: "3", MIME: "audio/ogg; codecs=opus", Voice: true})},
		{"the older voice", `"type":"voice","voice":{"id":"4"}`, chat.KindAudio, "", "", file(chat.Attachment{MediaID: "4", Voice: true})},
		{"document", `"type":"document","document":{"id":"5","filename":"../../bill.pdf","caption":"the bill"}`, chat.KindDocument, "the bill", "",
			file(chat.Attachment{MediaID: "5", Name: "../../bill.pdf"})},
		{"sticker", `"type":"sticker","sticker":{"id":"6","animated":true}`, chat.KindSticker, "", "", file(chat.Attachment{MediaID: "6", Animated: true})},
		{"no file", `"type":"image","image":{"caption":"x"}`, chat.KindImage, "x", "",
			file(chat.Attachment{State: chat.FileFailed, Reason: "the message names no file"})},
		{"place", `"type":"location","location":{"latitude":41.5,"longitude":-2.25,"name":"Office","address":"Main St 1"}`, chat.KindLocation, "Office\nMain St 1\n41.5, -2.25", "", nil},
		{"bare place", `"type":"location","location":{"latitude":41.5,"longitude":-2.25}`, chat.KindLocation, "41.5, -2.25", "", nil},
		{"cards", `"type":"contacts","contacts":[{"name":{"formatted_name":"A"},"phones":[{"phone":"+1 555"},{"phone":"+1 556"}]},{"name":{"first_name":"B"}}]`, chat.KindContacts, "A\n+1 555\n+1 556\nB", "", nil},
		{"reaction", `"type":"reaction","reaction":{"message_id":"wamid.r","emoji":"👍"}`, chat.KindReaction, "👍", "wamid.r", nil},
		{"reaction taken back", `"type":"reaction","reaction":{"message_id":"wamid.r"}`, chat.KindReaction, "", "wamid.r", nil},
		{"button", `"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"b","title":"Yes"}},"context":{"id":"wamid.b"}`, chat.KindInteractive, "Yes", "wamid.b", nil},
		{"list", `"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"l","title":"Monday","description":"9 to 12"}}`, chat.KindInteractive, "Monday\n9 to 12", "", nil},
		{"form", `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{}"}}`, chat.KindInteractive, "Sent", "", nil},
		{"may call", `"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept"}}`, chat.KindInteractive, "You may call", "", nil},
		{"may not call", `"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"reject"}}`, chat.KindInteractive, "Please don't call", "", nil},
		{"a new way to answer", `"type":"interactive","interactive":{"type":"slider_reply","slider_reply":7}`, chat.KindInteractive, "Slider reply", "", nil},
		{"template button", `"type":"button","button":{"text":"Stop","payload":"p"}`, chat.KindButton, "Stop", "", nil},
		{"order", `"type":"order","order":{"text":"please","product_items":[{"product_retailer_id":"sku1","quantity":2,"item_price":9.5,"currency":"EUR"}]}`, chat.KindOrder, "please\n2 × sku1  9.5 EUR\nTotal: 19.00 EUR", "", nil},
		{"notice", `"type":"system","system":{"type":"customer_identity_changed","body":"new device"}`, chat.KindSystem, "new device", "", nil},
		{"edit", `"type":"edit","edit":{"original_message_id":"wamid.o","message":{"type":"text","text":{"body":"better"}}}`, chat.KindEdit, "better", "wamid.o", nil},
		{"revoke", `"type":"revoke","revoke":{"original_message_id":"wamid.o"}`, chat.KindRevoke, "", "wamid.o", nil},
		{"unsupported", `"type":"unsupported","errors":[{"code":131051,"title":"Unsupported"}]`, chat.KindUnsupported, "A message that WhatsApp doesn't pass on", "", nil},
		{"the older unknown", `"type":"unknown","errors":[{"code":131051}]`, chat.KindUnsupported, "A message that WhatsApp doesn't pass on", "", nil},
		{"a file to come", `"type":"media_placeholder"`, chat.KindPlaceholder, "", "", nil},
		{"a type of tomorrow", `"type":"hologram","hologram":{"x":1}`, chat.KindUnknown, "", "", nil},
		{"no type", `"text":{"body":"still text"}`, chat.KindUnknown, "still text", "", nil},
		{"the wrong shape", `"type":"image","image":"not an object"`, chat.KindImage, "", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := `{"id":"wamid.1","from":"34600111222","timestamp":"1772452800",` + test.body + `}`
			m := translate(t, update(whatsapp.KindMessage, body)).Message
			var said struct{ Type string }
			if err := json.Unmarshal([]byte(body), &said); err != nil {
				t.Fatal(err)
			}
			if m.Kind != test.kind || m.RawType != said.Type || m.Text != test.text || m.ReplyTo != test.replyTo {
				t.Errorf("kind %q of type %q, text %q, reply to %q", m.Kind, m.RawType, m.Text, m.ReplyTo)
			}
			if !reflect.DeepEqual(m.Attachment, test.attachment) {
				t.Errorf("attachment %+v, want %+v", m.Attachment, test.attachment)
			}
			if m.ID != "wamid.1" || m.ProviderID != "wamid.1" || m.Direction != chat.In || m.Origin != chat.FromCustomer || m.Status != chat.Delivered {
				t.Errorf("it isn't a customer's message under Meta's id: %+v", m)
			}
			if string(m.Raw) != body || m.Hash != store.Hash([]byte(body)) {
				t.Error("the update isn't kept as it came")
			}
		})
	}
}

func TestTimesAndIDs(t *testing.T) {
	message := func(id, timestamp string) string {
		return fmt.Sprintf(`{"id":%q,"from":"34600111222","timestamp":%s,"type":"text","text":{"body":"x"}}`, id, timestamp)
	}
	for _, test := range []struct {
		name, body string
		entry      int64
		at         time.Time
	}{
		{"its own time", message("wamid.1", `"1772452800"`), 5, time.Unix(1772452800, 0)},
		{"a number", message("wamid.1", `1772452800`), 5, time.Unix(1772452800, 0)},
		{"milliseconds", message("wamid.1", `"1772452800000"`), 5, time.Unix(1772452800, 0)},
		{"unreadable", message("wamid.1", `"noon"`), 1772450000, time.Unix(1772450000, 0)},
		{"missing", message("wamid.1", `null`), 1772450000, time.Unix(1772450000, 0)},
		{"none at all: never the clock", message("wamid.1", `null`), 0, time.Unix(0, 0)},
	} {
		u := update(whatsapp.KindMessage, test.body)
		u.Time = test.entry
		in := translate(t, u)
		if !in.Message.At.Equal(test.at) || in.Message.At.Location() != time.UTC || !in.Seen.At.Equal(test.at) {
			t.Errorf("%s: at %v, seen %v, want %v", test.name, in.Message.At, in.Seen.At, test.at)
		}
	}

	for _, test := range []struct {
		name, id string
		own      bool // Meta's id is ours too
	}{
		{"short", "wamid.HBgL", true},
		{"the longest", strings.Repeat("w", 255), true},
		{"too long", strings.Repeat("w", 256), false},
		{"missing", "", false},
	} {
		m := translate(t, update(whatsapp.KindMessage, message(test.id, `"1"`))).Message
		again := translate(t, update(whatsapp.KindMessage, message(test.id, `"1"`))).Message
		other := translate(t, update(whatsapp.KindMessage, message(test.id, `"2"`))).Message
		switch {
		case m.ID != again.ID:
			t.Errorf("%s: the same update has two ids", test.name)
		case test.own && (string(m.ID) != test.id || m.ProviderID != test.id):
			t.Errorf("%s: id %q, provider's %q", test.name, m.ID, m.ProviderID)
		case !test.own && (!strings.HasPrefix(string(m.ID), "u_") || m.ProviderID != "" || m.ID == other.ID):
			t.Errorf("%s: id %q, provider's %q, another's %q", test.name, m.ID, m.ProviderID, other.ID)
		}
	}
}

// TestLongUpdatesFitAnItem: an item holds 400 KB, and Meta may send 3 MB.
func TestLongUpdatesFitAnItem(t *testing.T) {
	long := strings.Repeat("é", 225_000)
	for _, body := range []string{
		`"type":"text","text":{"body":"` + long + `"}`,
		`"type":"document","document":{"id":"5","filename":"` + long + `","mime_type":"` + long + `","sha256":"` + long + `"}`,
		`"type":"image","image":{"id":"` + long + `"}`,
		`"type":"` + long + `","context":{"id":"` + long + `"}`,
		`"type":"order","order":{"text":"` + long + `"}`,
	} {
		r := newRig(t)
		whole := `{"id":"wamid.1","from":"34600111222","timestamp":"1772452800",` + body + `}`
		u := update(whatsapp.KindMessage, whole)
		u.Contact = json.RawMessage(`{"wa_id":"34600111222","profile":{"name":"` + long + `"}}`)
		u.Display = long
		r.take(u)
		m := r.lookup("wamid.1")
		if m.Raw != nil || m.RawKey != "raw/2026-03-02/"+store.Hash([]byte(whole)) {
			t.Errorf("%.40s: the raw update is at %q", body, m.RawKey)
		}
		if kept, _, err := r.bucket.Get(t.Context(), m.RawKey); err != nil {
			t.Error(err)
		} else if got := read(t, kept); got != whole {
			t.Errorf("%.40s: the object has %d bytes, want %d", body, len(got), len(whole))
		}
		if !utf8.ValidString(m.Text) || len(m.Text) > maxText {
			t.Errorf("%.40s: a text of %d bytes", body, len(m.Text))
		}
	}
}

func TestContentStaysReadable(t *testing.T) {
	order := func(n int) string { return `{"text":"` + strings.Repeat("x", n) + `"}` }
	for _, test := range []struct {
		name, typ, content   string
		raw, kept, asContent bool
	}{
		{"short", "order", order(10), true, false, false},
		{"beyond what is kept inline", "order", order(chat.MaxInlineRaw), false, true, true},
		{"beyond what is kept at all", "order", order(maxContent), false, true, false},
		{"a text has no content", "text", `{"body":"` + strings.Repeat("x", chat.MaxInlineRaw) + `"}`, false, true, false},
	} {
		r := newRig(t)
		r.message(fmt.Sprintf(`{"id":"wamid.1","from":"34600111222","type":%q,%q:%s}`, test.typ, test.typ, test.content))
		m := r.lookup("wamid.1")
		if (m.Raw != nil) != test.raw || (m.RawKey != "") != test.kept || (m.Content != nil) != test.asContent {
			t.Errorf("%s: inline %v, object %q, content %d bytes", test.name, m.Raw != nil, m.RawKey, len(m.Content))
		}
		if test.asContent && string(m.Content) != test.content {
			t.Errorf("%s: the content isn't as received", test.name)
		}
	}
}

func TestClipCutsBetweenCharacters(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		want string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc"},
		{"aé", 2, "a"},
		{"aé", 3, "aé"},
		{"a👍b", 4, "a"},
		{"a👍b", 5, "a👍"},
	} {
		if got := clip(test.text, test.n); got != test.want {
			t.Errorf("clip(%q, %d) = %q, want %q", test.text, test.n, got, test.want)
		}
	}
}

func TestWhoIsSeen(t *testing.T) {
	const system = `{"id":"wamid.s","from":"111","timestamp":"1772452800","type":"system","system":`
	for _, test := range []struct {
		name, body, contact string
		want                chat.Seen
	}{
		{"phone", `{"id":"w","from":"34600111222","type":"text"}`, "", chat.Seen{Phone: "34600111222"}},
		{"phone and name", `{"id":"w","from":"34600111222","type":"text"}`, `{"wa_id":"34600111222","profile":{"name":"N","username":"@u"}}`,
			chat.Seen{Phone: "34600111222", Name: "N", Username: "u"}},
		{"id in its own field", `{"id":"w","from_user_id":"ES.abc","type":"text"}`, "", chat.Seen{BSUID: "ES.abc"}},
		{"id in from", `{"id":"w","from":"ES.abc","type":"text"}`, "", chat.Seen{BSUID: "ES.abc"}},
		{"id from the contact", `{"id":"w","from":"34600111222","type":"text"}`, `{"wa_id":"34600111222","user_id":"ES.abc"}`,
			chat.Seen{Phone: "34600111222", BSUID: "ES.abc"}},
		{"number changed, old shape", system + `{"type":"user_changed_number","new_wa_id":"222"}}`, "",
			chat.Seen{Phone: "222", PrevPhone: "111", Source: chat.SourceSystem}},
		{"number changed, new shape", system + `{"type":"user_changed_number","wa_id":"222","user_id":"ES.new","previous_user_id":"ES.old"}}`, "",
			chat.Seen{Phone: "222", BSUID: "ES.new", PrevBSUID: "ES.old", Source: chat.SourceSystem}},
		{"id changed", system + `{"type":"user_changed_user_id","user_id":"ES.new","previous_user_id":"ES.old"}}`, "",
			chat.Seen{BSUID: "ES.new", PrevBSUID: "ES.old", Source: chat.SourceSystem}},
		{"a new device is nobody new", system + `{"type":"customer_identity_changed"}}`, "", chat.Seen{Phone: "111"}},
		{"a notice that names its subject only", `{"id":"w","type":"system","system":{"type":"customer_identity_changed","wa_id":"222","user_id":"ES.x"}}`, "",
			chat.Seen{Phone: "222", BSUID: "ES.x"}},
		{"nobody", `{"id":"w","type":"text"}`, "", chat.Seen{}},
	} {
		u := update(whatsapp.KindMessage, test.body)
		if test.contact != "" {
			u.Contact = json.RawMessage(test.contact)
		}
		in := translate(t, u)
		test.want.At, test.want.Scope, test.want.ID = in.Message.At, "7", string(in.Message.ID)
		test.want.Source = cmp.Or(test.want.Source, chat.SourceMessage)
		if !reflect.DeepEqual(in.Seen, test.want) {
			t.Errorf("%s: %+v, want %+v", test.name, in.Seen, test.want)
		}
	}
}

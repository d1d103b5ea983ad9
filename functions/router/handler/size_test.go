package handler

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/whatsapp"
)

// largest is more than an item holds, in bytes. A POST of Meta's may have six times as much, which would
// only take longer to try.
const largest = 512 << 10

// whole are messages of every type with what each may hold.
var whole = map[string]string{
	"text":        `{"body":"hello"}`,
	"image":       `{"id":"9","mime_type":"image/png","sha256":"s","caption":"c"}`,
	"document":    `{"id":"9","mime_type":"text/plain","sha256":"s","caption":"c","filename":"f.txt"}`,
	"location":    `{"latitude":1.5,"longitude":2.5,"name":"n","address":"a","url":"u"}`,
	"contacts":    `[{"name":{"formatted_name":"Ana","first_name":"Ana"},"phones":[{"phone":"1","type":"HOME"}],"emails":[{"email":"e"}],"vcard":"v"}]`,
	"reaction":    `{"message_id":"wamid.t","emoji":"x"}`,
	"interactive": `{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"a\":\"b\"}"}}`,
	"button":      `{"text":"Yes","payload":"y"}`,
	"order":       `{"catalog_id":"c","text":"t","product_items":[{"product_retailer_id":"p","quantity":1,"item_price":2,"currency":"EUR"}]}`,
	"system":      `{"type":"user_changed_number","body":"b","wa_id":"34600111333"}`,
	"unsupported": `{"type":"poll"}`,
	"edit":        `{"original_message_id":"wamid.t","message":{"type":"text","text":{"body":"hello"},"context":{"id":"c"}}}`,
	"revoke":      `{"original_message_id":"wamid.t"}`,
	"hologram":    `{"x":"y"}`,
}

// wholeMessage is a message of a type, a text with everything that any may have around it.
func wholeMessage(typ string) string {
	head := `{"id":"wamid.1","from":"34600111222","timestamp":"1772452800","type":"` + typ + `","` + typ + `":` + whole[typ]
	if typ != "text" {
		return head + `}`
	}
	return head + `,
		"context":{"id":"q","from":"1","forwarded":true,"referred_product":{"catalog_id":"c","product_retailer_id":"p"}},
		"referral":{"source_type":"ad","source_id":"1","source_url":"u","headline":"h","body":"b","ctwa_clid":"c","welcome_message":{"text":"w"}},
		"identity":{"acknowledged":true,"created_timestamp":1,"hash":"h"},
		"errors":[{"code":131051,"title":"t","message":"m","error_data":{"details":"d"},"href":"u"}]}`
}

// grown are copies of a message in which one text, one list or all texts are longer than an item.
func grown(t *testing.T, message, letter string) map[string]string {
	t.Helper()
	all := map[string]string{}
	var paths []string
	var walk func(v any, path string, change func(path string, v any) any) any
	walk = func(v any, path string, change func(string, any) any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k], path+"."+k, change)
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i], fmt.Sprint(path, ".", i), change)
			}
		}
		return change(path, v)
	}
	grow := func(name string, change func(string, any) any) {
		var v any
		if err := json.Unmarshal([]byte(message), &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(walk(v, "", change))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	grow("as it is", func(path string, v any) any {
		switch v.(type) {
		case string, []any:
			paths = append(paths, path)
		}
		return v
	})
	long := func(v any, bytes int) any {
		switch v := v.(type) {
		case string:
			return v + strings.Repeat(letter, bytes/len(letter))
		case []any:
			one, err := json.Marshal(v[0])
			if err != nil {
				t.Fatal(err)
			}
			return slices.Repeat(v, max(1, bytes/len(one)))
		}
		return v
	}
	for _, p := range paths {
		grow(p, func(path string, v any) any {
			if path == p {
				return long(v, largest)
			}
			return v
		})
	}
	for _, bytes := range []int{1 << 10, 60 << 10} {
		grow(fmt.Sprintf("all texts of %d bytes", bytes), func(path string, v any) any {
			if _, isText := v.(string); isText && path != ".type" && path != ".id" && path != ".from" {
				return long(v, bytes)
			}
			return v
		})
	}
	return all
}

// TestAMessageOfAnySizeIsStored: whatever of it is longer than an item.
func TestAMessageOfAnySizeIsStored(t *testing.T) {
	for typ := range whole {
		for name, body := range grown(t, wholeMessage(typ), "漢") {
			r := newRig(t)
			if err := r.handle(update(whatsapp.KindMessage, body)); err != nil {
				t.Errorf("%s, %s: %v", typ, name, err)
			} else if len(r.messages()) != 1 && len(r.kept("RAW#")) != 1 {
				t.Errorf("%s, %s: it is nowhere", typ, name)
			}
		}
	}
}

// TestWhatIsSaidOfAMessageFitsOnIt: the longest message takes everything that can be said of it, as often as anybody
// likes, and every word is stored.
func TestWhatIsSaidOfAMessageFitsOnIt(t *testing.T) {
	long := strings.Repeat("漢", 200<<10/3)
	room := strings.Repeat("漢", 60<<10/3) // what is kept of a text and of a content, almost
	longest := `{"id":"wamid.t","from":"34600111222","timestamp":"1772452800","type":"order","order":{"text":"` + room + `"}}`
	r := newRig(t)
	r.message(longest)
	n := 0
	say := func(typ, content string) {
		t.Helper()
		n++
		r.message(fmt.Sprintf(`{"id":"wamid.%d","from":"34600111222","timestamp":"%d","type":%q,%q:%s}`, n, 1772452800+n, typ, typ, content))
	}
	for range 200 { // in a group chat everybody may
		by := chat.Message{ID: "w", At: noon, Conversation: chat.Group("100", "g"), Contact: chat.ContactID(fmt.Sprint("01ID", n)), Kind: chat.KindReaction,
			ReplyTo: "wamid.t", Text: reaction(t, long)}
		if _, found, err := r.store.Amend(t.Context(), by); err != nil || !found {
			t.Fatalf("reaction %d: %v (%v)", n, found, err)
		}
		n++
	}
	n = 0
	for range 22 {
		say("edit", `{"original_message_id":"wamid.t","message":{"type":"text","text":{"body":"`+long+`"}}}`)
		say("reaction", `{"message_id":"wamid.t","emoji":"`+long+`"}`)
		r.takeAll("automatic_events", fmt.Sprintf(`{`+metadata+`,"automatic_events":[{"id":"wamid.t","event_name":"Purchase %d %s","timestamp":1772452900}]}`, n, long))
	}
	r.takeAll("message_echoes", fmt.Sprintf(`{`+metadata+`,"message_echoes":[{"id":"wamid.o","from":%q,"to":"34600111222",`+at+`,"type":"reaction","reaction":{"message_id":"wamid.t","emoji":"`+long+`"}}]}`, display))
	say("revoke", `{"original_message_id":"wamid.t"}`)
	m := r.lookup("wamid.t")
	if len(m.Edits) != 20 || len(m.Signals) != 20 || m.Revoked == nil || len(m.Reactions) < 200 {
		t.Errorf("%d edits, %d signals, %d reactions, revoked %v", len(m.Edits), len(m.Signals), len(m.Reactions), m.Revoked)
	}
	if all := r.messages(); len(all) != n+2 {
		t.Errorf("%d messages are stored, want %d", len(all), n+2)
	}
}

// reaction is what is kept of an emoji.
func reaction(t *testing.T, emoji string) string {
	t.Helper()
	u := update(whatsapp.KindMessage, `{"id":"w","type":"reaction","reaction":{"message_id":"wamid.t","emoji":"`+emoji+`"}}`)
	w, err := whatsapp.ParseMessage(u)
	if err != nil {
		t.Fatal(err)
	}
	return message(u, w).Text
}

// TestAReceiptOfAnySizeIsApplied: however much Meta says of a price or a failure.
func TestAReceiptOfAnySizeIsApplied(t *testing.T) {
	const body = `{"id":"wamid.o","status":"failed","timestamp":"1772452800","recipient_id":"34600111222",
		"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"},
		"conversation":{"id":"c","origin":{"type":"o"},"expiration_timestamp":"1772539200"},
		"errors":[{"code":131026,"title":"t","message":"m","error_data":{"details":"d"},"href":"u"}]}`
	for name, body := range grown(t, body, "漢") {
		r := newRig(t)
		if _, err := r.store.Accept(t.Context(), r.asked("m_1"), "wamid.o"); err != nil {
			t.Fatal(err)
		}
		r.take(update(whatsapp.KindStatus, body))
		if m := r.lookup("m_1"); m.Status != chat.Failed && len(r.kept("RAW#")) != 1 {
			t.Errorf("%s: it is %s", name, m.Status)
		}
	}
}

package meta

import (
	"encoding/json"
	"strings"
	"testing"
)

// must returns what a call made.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The webhook has what Meta's reference says, for each thing that a customer can send.
func TestWhatACustomerSends(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	own := must[string](t)(r.WriteText(c.ID, "First"))
	theirs := r.mustSend(text(c, "Hello"))
	r.eventually("delivered", func() bool { return len(r.receipts(theirs)) == 2 })
	for name, x := range map[string]struct {
		draft Draft
		keys  []any
		want  any
	}{
		"quoted reply":         {Draft{Text: "x", ReplyTo: theirs}, []any{"context", "from"}, "15550100001"},
		"quoted own message":   {Draft{Text: "x", ReplyTo: own}, []any{"context", "from"}, c.Phone},
		"quoted, never seen":   {Draft{Text: "x", ReplyTo: "wamid.old"}, []any{"context", "id"}, "wamid.old"},
		"forwarded":            {Draft{Forward: theirs}, []any{"context", "forwarded"}, true},
		"forwarded text":       {Draft{Forward: theirs}, []any{"text", "body"}, "Hello"},
		"chain letter":         {Draft{Text: "x", Forwarded: "often"}, []any{"context", "frequently_forwarded"}, true},
		"about a product":      {Draft{Text: "x", Product: &Item{Catalog: "1", Product: "p"}}, []any{"context", "referred_product", "product_retailer_id"}, "p"},
		"from an ad":           {Draft{Text: "x", Ad: &Ad{SourceType: "ad", ClickID: "click"}}, []any{"referral", "ctwa_clid"}, "click"},
		"contact card":         {Draft{Cards: []Card{{Name: "Ann Example", Phone: "+1 202 555 0150"}}}, []any{"contacts", 0, "phones", 0, "wa_id"}, "12025550150"},
		"contact's first name": {Draft{Cards: []Card{{Name: "Ann Example"}}}, []any{"contacts", 0, "name", "first_name"}, "Ann"},
		"order":                {Draft{Order: &Order{Items: []Item{{Product: "p", Quantity: 2, Price: 3}}}}, []any{"order", "product_items", 0, "item_price"}, 3.0},
		"poll":                 {Draft{Unsupported: "poll_creation"}, []any{"unsupported", "type"}, "poll_creation"},
		"poll's error":         {Draft{Unsupported: "poll_creation"}, []any{"errors", 0, "code"}, 131051.0},
		"lost":                 {Draft{Unsupported: "unavailable"}, []any{"errors", 0, "code"}, 131060.0},
	} {
		m := r.last(must[string](t)(r.Write(c.ID, x.draft)))
		if got := path(m, x.keys...); got != x.want {
			t.Errorf("%s: %v is %v, want %v", name, x.keys, got, x.want)
		}
	}
}

func TestVCard(t *testing.T) {
	t.Parallel()
	card := Card{Name: "Ann; Example", Phone: "+1 202 555 0150", Company: "Sun, Moon"}.vCard()
	for _, line := range []string{"BEGIN:VCARD\r\n", "\r\nFN:Ann\\; Example\r\n", "\r\nORG:Sun\\, Moon\r\n", "waid=12025550150:", "\r\nEND:VCARD\r\n"} {
		if !strings.Contains(card, line) {
			t.Errorf("%q is not in %q", line, card)
		}
	}
	if _, ok := (Card{Name: "x", Plain: true}).wire()["vcard"]; ok {
		t.Error("a plain card has a vCard")
	}
}

// A form comes back with the token of the message that offered it; what is no object comes back as it is.
func TestFormsAreAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	ask := func(action object) string {
		id := r.mustSend(object{"to": "+" + c.Phone, "type": "interactive", "interactive": action})
		r.eventually("delivered", func() bool { return len(r.receipts(id)) == 2 })
		return id
	}
	flow := func() string {
		return ask(object{"type": "flow", "body": object{"text": "?"}, "action": object{"name": "flow", "parameters": object{
			"flow_message_version": "3", "flow_id": "1", "flow_cta": "Open", "flow_token": "secret"}}})
	}
	m := r.last(must[string](t)(r.Write(c.ID, Draft{ReplyTo: flow(), Fields: json.RawMessage(`{"size":"L"}`)})))
	if got := path(m, "interactive", "nfm_reply", "response_json"); got != `{"flow_token":"secret","size":"L"}` {
		t.Errorf("response = %v", got)
	}
	m = r.last(must[string](t)(r.Write(c.ID, Draft{ReplyTo: flow(), Fields: json.RawMessage(`"yes"`)})))
	if got := path(m, "interactive", "nfm_reply", "response_json"); got != `"yes"` {
		t.Errorf("response = %v", got)
	}
	permission := ask(object{"type": "call_permission_request", "action": object{"name": "call_permission_request"}})
	m = r.last(must[string](t)(r.Write(c.ID, Draft{ReplyTo: permission, Permission: "accept"})))
	if got := path(m, "interactive", "call_permission_reply"); path(got, "response") != "accept" || path(got, "expiration_timestamp") == nil {
		t.Errorf("permission = %v", got)
	}
	if _, err := r.Write(c.ID, Draft{ReplyTo: permission, Fields: json.RawMessage(`{}`)}); err == nil {
		t.Error("a question without a form is answered with one")
	}
}

func TestReactionsOfCustomers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	id := r.mustSend(text(c, "Hello"))
	r.eventually("delivered", func() bool { return len(r.receipts(id)) == 2 })
	m := r.last(must[string](t)(r.React(c.ID, id, "👍")))
	if path(m, "reaction", "emoji") != "👍" || path(m, "reaction", "message_id") != id {
		t.Errorf("reaction = %v", m)
	}
	m = r.last(must[string](t)(r.React(c.ID, id, "")))
	if _, has := path(m, "reaction").(map[string]any)["emoji"]; has {
		t.Error("a removal has an emoji")
	}
	if _, err := r.React(c.ID, r.Messages(c.ID)[0].ID, "👍"); err == nil {
		t.Error("a customer reacts to their own message")
	}
}

func TestEditsAndRevokes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.Customers()[0]
	first := must[string](t)(r.WriteText(c.ID, "Frist"))
	m := r.last(must[string](t)(r.Edit(c.ID, first, "First")))
	if m["type"] != "edit" || path(m, "edit", "original_message_id") != first || path(m, "edit", "message", "text", "body") != "First" {
		t.Errorf("edit = %v", m)
	}
	photo := must[string](t)(r.WriteFile(c.ID, "a.png", "image/png", []byte("png")))
	m = r.last(must[string](t)(r.Edit(c.ID, photo, "A caption")))
	if path(m, "edit", "message", "image", "caption") != "A caption" {
		t.Errorf("edit of a caption = %v", m)
	}
	m = r.last(must[string](t)(r.Revoke(c.ID, first)))
	if m["type"] != "revoke" || path(m, "revoke", "original_message_id") != first {
		t.Errorf("revoke = %v", m)
	}
	shown := r.Messages(c.ID)
	if !shown[0].Deleted || shown[0].Text != "" || !shown[1].Edited || len(shown) != 2 {
		t.Errorf("on the phone: %+v", shown)
	}
	r.pass(editableFor + 1)
	if _, err := r.Edit(c.ID, photo, "Late"); err == nil {
		t.Error("a message is edited after 15 minutes")
	}
}

// Without the Business app, an edit cannot be read and a deletion is not told.
func TestEditsWithoutTheBusinessApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.HappenToAccount(AccountEvent{Kind: "app", Value: "off"}); err != nil {
		t.Fatal(err)
	}
	c := r.Customers()[0]
	first := must[string](t)(r.WriteText(c.ID, "Frist"))
	m := r.last(must[string](t)(r.Edit(c.ID, first, "First")))
	if m["type"] != "unsupported" || path(m, "unsupported", "type") != "edit" || m["edit"] != nil {
		t.Errorf("edit = %v", m)
	}
	if id := must[string](t)(r.Revoke(c.ID, first)); id != "" {
		t.Error("a deletion is told")
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.Customers()[0]
	id := must[string](t)(r.PlaceCall(c.ID, Calling{}))
	if err := r.EndCall(id, "missed", 0); err != nil {
		t.Fatal(err)
	}
	r.mustSend(text(c, "You called?")) // a call opens the window
	must[string](t)(r.PlaceCall(c.ID, Calling{End: "completed", Seconds: 42}))
	must[string](t)(r.PlaceCall(c.ID, Calling{Out: true, End: "rejected"}))
	var events, words []string
	r.eventually("all events", func() bool {
		events, words = nil, nil
		for _, value := range r.told("calls", 1) {
			for _, call := range list(value["calls"]) {
				events = append(events, call["direction"].(string)[:4]+" "+call["event"].(string))
				if call["status"] == "COMPLETED" && (call["duration"] != 42.0 || call["start_time"] == nil) {
					t.Errorf("call = %v", call)
				}
			}
			for _, status := range list(value["statuses"]) {
				words = append(words, status["status"].(string))
			}
		}
		return len(events) == 6 && len(words) == 2
	})
	if strings.Join(events, ",") != "USER connect,USER terminate,USER connect,USER terminate,BUSI connect,BUSI terminate" ||
		strings.Join(words, ",") != "RINGING,REJECTED" {
		t.Errorf("events %v, statuses %v", events, words)
	}
	if err := r.EndCall(id, "missed", 0); err == nil {
		t.Error("a call ends twice")
	}
}

// list is a JSON array of objects.
func list(v any) []map[string]any {
	var out []map[string]any
	items, _ := v.([]any)
	for _, item := range items {
		out = append(out, item.(map[string]any))
	}
	return out
}

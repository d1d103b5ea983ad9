package meta

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReceiptsRiseAndReadWaitsForTheCustomer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	body := text(c, "Good morning é😀 a/b")
	body["biz_opaque_callback_data"] = "m_1"
	id := r.mustSend(body)
	r.eventually("delivered", func() bool { return slices.Equal(r.receipts(id), []string{"sent", "delivered"}) })

	r.See(c.ID, DefaultNumber)
	r.eventually("read", func() bool { return slices.Equal(r.receipts(id), []string{"sent", "delivered", "read"}) })

	_, statuses := r.received()
	for _, s := range statuses {
		if s["biz_opaque_callback_data"] != "m_1" || s["recipient_id"] != c.Phone || s["recipient_user_id"] != c.BSUID {
			t.Errorf("receipt = %v", s)
		}
	}
	if last := r.Messages(c.ID)[1]; last.Text != "Good morning é😀 a/b" || last.Status != "read" {
		t.Errorf("on the phone: %+v", last)
	}
}

func TestReadComesByItselfWhenToldTo(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Delays.Read = time.Millisecond })
	id := r.mustSend(text(r.hello(), "Hi"))
	r.eventually("read", func() bool { return slices.Contains(r.receipts(id), "read") })
}

func TestCustomerWithoutPhoneIsKnownByBSUIDOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.Customers()[1]
	if _, err := r.WriteText(c.ID, "Hello"); err != nil {
		t.Fatal(err)
	}
	_, out := r.send(text(c, "Hi"))
	contact := out["contacts"].([]any)[0].(map[string]any)
	if contact["user_id"] != c.BSUID || contact["wa_id"] != nil {
		t.Errorf("answer names %v", contact)
	}
	r.eventually("delivered", func() bool { _, s := r.received(); return len(s) == 2 })
	inbound, statuses := r.received()
	for _, o := range append(inbound, statuses...) {
		if o["from"] != nil || o["recipient_id"] != nil {
			t.Errorf("a hidden phone number is shown: %v", o)
		}
	}
	if inbound[0]["from_user_id"] != c.BSUID || statuses[0]["recipient_user_id"] != c.BSUID {
		t.Errorf("BSUID missing: %v %v", inbound, statuses)
	}
}

func TestBSUIDInToIsAcceptedAndLost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	lost := r.mustSend(object{"to": c.BSUID, "text": object{"body": "Lost"}})
	kept := r.mustSend(text(c, "Kept"))
	r.eventually("the other is delivered", func() bool { return len(r.receipts(kept)) == 2 })
	if got := r.receipts(lost); got != nil {
		t.Errorf("receipts = %v, want none", got)
	}
}

func TestServiceWindow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	r.pass(24*time.Hour - time.Second)
	r.mustSend(text(c, "In time"))
	r.pass(time.Second)
	if status, code := r.refused(r.send(text(c, "Late"))); status != 400 || code != 131047 {
		t.Errorf("after 24 hours: %d %d, want 400 131047", status, code)
	}
	r.mustSend(object{"to": "+" + c.Phone, "type": "template", "template": object{"name": "hello_world", "language": object{"code": "en_US"}}})

	if err := r.SetFaults(Faults{Window: "late"}); err != nil {
		t.Fatal(err)
	}
	id := r.mustSend(text(c, "Late"))
	r.eventually("failed", func() bool { return slices.Equal(r.receipts(id), []string{"failed"}) })
	_, statuses := r.received()
	failed := statuses[slices.IndexFunc(statuses, func(s map[string]any) bool { return s["status"] == "failed" })]
	if e := failed["errors"].([]any)[0].(map[string]any); e["code"] != 131047.0 {
		t.Errorf("error = %v", e)
	}
	if failed["recipient_user_id"] != nil {
		t.Error("a failed receipt of a message sent to a phone has no recipient_user_id")
	}
}

func TestStrangerCanBeAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.mustSend(object{"to": "+34600111222", "text": object{"body": "Hi"}})
	r.eventually("delivered", func() bool { return len(r.receipts(id)) == 2 })
	if c := r.Customers()[2]; c.Phone != "34600111222" || !c.Unseen {
		t.Errorf("customer = %+v", c)
	}
	r.mustSend(object{"to": "600111222", "text": object{"body": "Hi"}})
	if c := r.Customers()[3]; c.Phone != "1600111222" {
		t.Errorf("without a plus the business' country code goes in front, got %s", c.Phone)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	to := "+" + r.hello().Phone
	message := func(kind string, content any) object { return object{"to": to, "type": kind, kind: content} }
	button := func(id, title string) object {
		return object{"type": "reply", "reply": object{"id": id, "title": title}}
	}
	buttons := func(list ...object) object {
		return message("interactive", object{"type": "button", "body": object{"text": "?"}, "action": object{"buttons": list}})
	}
	var rows []object
	for i := range 11 {
		rows = append(rows, object{"id": string(rune('a' + i)), "title": "x"})
	}
	list := message("interactive", object{"type": "list", "body": object{"text": "?"},
		"action": object{"button": "Open", "sections": []object{{"rows": rows}}}})
	long := strings.Repeat("é", 4097)
	for name, c := range map[string]struct {
		body object
		code int
	}{
		"no product":             {object{"messaging_product": "", "to": to, "text": object{"body": "x"}}, 100},
		"nobody to send to":      {object{"text": object{"body": "x"}}, 100},
		"not a BSUID":            {object{"recipient": "12025550101", "text": object{"body": "x"}}, 131009},
		"not a phone number":     {object{"to": "+abc", "text": object{"body": "x"}}, 131009},
		"to itself":              {object{"to": "+15550100001", "text": object{"body": "x"}}, 131021},
		"group":                  {object{"to": "g", "recipient_type": "group", "text": object{"body": "x"}}, 131020},
		"unknown type":           {message("poll", object{}), 100},
		"type without object":    {object{"to": to, "type": "image"}, 131008},
		"empty text":             {message("text", object{"body": ""}), 131008},
		"long text":              {message("text", object{"body": long}), 131009},
		"long callback":          {object{"to": to, "biz_opaque_callback_data": strings.Repeat("x", 513), "text": object{"body": "x"}}, 100},
		"unknown media":          {message("image", object{"id": "1"}), 100},
		"id and link":            {message("image", object{"id": "1", "link": "https://example.com/a.jpg"}), 100},
		"audio with caption":     {message("audio", object{"id": "1", "caption": "x"}), 100},
		"long caption":           {message("image", object{"id": "1", "caption": strings.Repeat("x", 1025)}), 131009},
		"no coordinates":         {message("location", object{"name": "x"}), 131008},
		"half a name":            {message("contacts", []object{{"name": object{"formatted_name": "x"}}}), 131009},
		"no buttons":             {buttons(), 131009},
		"four buttons":           {buttons(button("1", "1"), button("2", "2"), button("3", "3"), button("4", "4")), 131009},
		"same title":             {buttons(button("1", "x"), button("2", "x")), 131009},
		"long title":             {buttons(button("1", strings.Repeat("x", 21))), 131009},
		"eleven rows":            {list, 131009},
		"unknown template":       {message("template", object{"name": "nope", "language": object{"code": "en_US"}}), 132001},
		"template, other tongue": {message("template", object{"name": "hello_world", "language": object{"code": "de"}}), 132001},
		"too few parameters":     {message("template", object{"name": "order_update", "language": object{"code": "es"}}), 132000},
		"quoted reaction":        {object{"to": to, "type": "reaction", "context": object{"message_id": "x"}, "reaction": object{"message_id": "x", "emoji": "x"}}, 100},
		"read of the unknown":    {object{"status": "read", "message_id": "wamid.x"}, 131009},
	} {
		status, code := r.refused(r.send(c.body))
		if want := refusals[c.code].status; code != c.code || status != want {
			t.Errorf("%s: %d, code %d, want %d, code %d", name, status, code, want, c.code)
		}
	}
	if got := len(r.Messages(r.Customers()[0].ID)); got != 1 {
		t.Errorf("%d messages in the chat, want the customer's only", got)
	}
}

func TestOneTimeCodesNeedThePhoneNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	login := object{"name": "login_code", "language": object{"code": "en_US"},
		"components": []object{{"type": "body", "parameters": []object{{"type": "text", "text": "123456"}}}}}
	_, code := r.refused(r.send(object{"recipient": r.Customers()[0].BSUID, "type": "template", "template": login}))
	if code != 131062 {
		t.Errorf("code %d, want 131062", code)
	}
	r.mustSend(object{"to": "+12025550101", "type": "template", "template": login})
}

func TestMarkReadTurnsTicksBlue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	second, err := r.WriteText(c.ID, "Anybody?")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteText(c.ID, "Hm"); err != nil {
		t.Fatal(err)
	}
	r.eventually("accepted", func() bool { in, _ := r.received(); return len(in) == 3 })
	status, out := r.send(object{"status": "read", "message_id": second, "typing_indicator": object{"type": "text"}})
	if status != 200 || out["success"] != true {
		t.Fatalf("%d %v", status, out)
	}
	r.eventually("ticks", func() bool {
		var ticks []string
		for _, m := range r.Messages(c.ID) {
			ticks = append(ticks, m.Status)
		}
		return slices.Equal(ticks, []string{"read", "read", "delivered"})
	})
}

func TestReactionHasOneReceipt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	target := r.Messages(c.ID)[0].ID
	id := r.mustSend(object{"to": "+" + c.Phone, "type": "reaction", "reaction": object{"message_id": target, "emoji": "👍"}})
	after := r.mustSend(text(c, "x"))
	r.eventually("a later message is delivered", func() bool { return len(r.receipts(after)) == 2 })
	if got := r.receipts(id); !slices.Equal(got, []string{"sent"}) {
		t.Errorf("receipts = %v, want sent only", got)
	}
	if list := r.Messages(c.ID); len(list) != 2 || list[0].Reaction != "👍" {
		t.Errorf("chat = %+v", list)
	}
}

func TestLinksAreFetched(t *testing.T) {
	t.Parallel()
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/a.png" {
			http.NotFound(w, q)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		w.Write([]byte("png"))
	}))
	defer files.Close()
	r := newRig(t)
	c := r.hello()
	good := r.mustSend(object{"to": "+" + c.Phone, "type": "image", "image": object{"link": files.URL + "/a.png"}})
	bad := r.mustSend(object{"to": "+" + c.Phone, "type": "image", "image": object{"link": files.URL + "/b.png"}})
	r.eventually("delivered", func() bool { return slices.Equal(r.receipts(good), []string{"sent", "delivered"}) })
	r.eventually("failed", func() bool { return slices.Equal(r.receipts(bad), []string{"failed"}) })
	if m := r.Messages(c.ID)[1]; m.Media.MIME != "image/png" || m.Media.Size != 3 {
		t.Errorf("media = %+v", m.Media)
	}
}

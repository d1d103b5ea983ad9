package meta

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// interactiveTo is an interactive message to the first customer.
func interactiveTo(kind string, parts object) object {
	in := object{"type": kind}
	if kind != "product" && kind != "call_permission_request" {
		in["body"] = object{"text": "?"}
	}
	for name, part := range parts {
		in[name] = part
	}
	return object{"to": "+12025550101", "type": "interactive", "interactive": in}
}

// act is an action with these parameters.
func act(name string, parameters object) object {
	a := object{"name": name}
	if parameters != nil {
		a["parameters"] = parameters
	}
	return object{"action": a}
}

func card(i int, link string) object {
	return object{"card_index": i, "type": "cta_url", "header": object{"type": "image", "image": object{"link": link}},
		"body": object{"text": "A card"}, "action": object{"name": "cta_url", "parameters": object{"display_text": "Look", "url": "https://example.com"}}}
}

func TestWhatTheBusinessCanSend(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.hello()
	products := []object{{"product_retailer_id": "p1"}}
	for name, c := range map[string]struct {
		body  object
		shows func(Message) bool
	}{
		"flow": {interactiveTo("flow", act("flow", object{"flow_message_version": "3", "flow_name": "x", "flow_cta": "Open", "flow_action": "navigate"})),
			func(m Message) bool { return m.Options[0].Title == "Open" && m.Options[0].Kind == "flow" }},
		"product": {interactiveTo("product", object{"action": object{"catalog_id": "1", "product_retailer_id": "p1"}}),
			func(m Message) bool { return m.Items[0].Product == "p1" }},
		"products": {interactiveTo("product_list", object{"header": object{"type": "text", "text": "H"}, "action": object{"catalog_id": "1",
			"sections": []object{{"title": "A", "product_items": products}, {"title": "B", "product_items": products}}}}),
			func(m Message) bool { return len(m.Items) == 2 && m.Items[1].Section == "B" && m.Header == "H" }},
		"catalogue": {interactiveTo("catalog_message", act("catalog_message", object{"thumbnail_product_retailer_id": "p1"})),
			func(m Message) bool { return m.Options[0].Kind == "order" }},
		"carousel": {interactiveTo("carousel", object{"action": object{"cards": []object{card(0, "https://example.com/a.png"), card(1, "https://example.com/b.png")}}}),
			func(m Message) bool { return len(m.Items) == 2 && m.Items[1].URLText == "Look" }},
		"call button":     {interactiveTo("voice_call", act("voice_call", object{"display_text": "Call us", "ttl_minutes": 60})), func(m Message) bool { return m.Options[0].Kind == "call" }},
		"call permission": {interactiveTo("call_permission_request", act("call_permission_request", nil)), func(m Message) bool { return m.Options[0].Kind == "permission" }},
		"contact info":    {interactiveTo("request_contact_info", act("request_contact_info", nil)), func(m Message) bool { return m.Options[0].Kind == "contact" }},
		"address":         {interactiveTo("address_message", act("address_message", object{"country": "IN"})), func(m Message) bool { return m.Options[0].Kind == "address" }},
		"bill": {interactiveTo("order_details", act("review_and_pay", object{"reference_id": "r", "currency": "INR", "total_amount": object{"value": 12345, "offset": 100}, "order": object{"status": "pending"}})),
			func(m Message) bool { return m.Notice == "To pay: 123.45 INR" }},
		"contact card": {object{"to": "+12025550101", "type": "contacts", "contacts": []object{{"name": object{"formatted_name": "A B", "first_name": "A"}, "phones": []object{{"phone": "+1202"}}}}},
			func(m Message) bool { return m.Cards[0].Name == "A B" && m.Cards[0].Phone == "+1202" }},
		"header and link": {templateTo("delivery_slot", parts("header", "1042"), parts("body", "9", "11"), object{"type": "button", "sub_type": "url", "index": "0", "parameters": []object{{"type": "text", "text": "A17"}}}),
			func(m Message) bool {
				return m.Header == "Order 1042" && m.Text == "Your parcel comes between 9 and 11." && m.URL == "https://example.com/parcels/A17"
			}},
		"place in a header": {templateTo("our_shop", object{"type": "header", "parameters": []object{{"type": "location", "location": object{"latitude": 1, "longitude": 2}}}}),
			func(m Message) bool { return m.Place.Longitude == 2 }},
		"form of a template": {templateTo("feedback", parts("body", "you"), object{"type": "button", "sub_type": "flow", "index": 0, "parameters": []object{{"type": "action", "action": object{"flow_token": "t"}}}}),
			func(m Message) bool { return m.Token == "t" && m.Options[0].Kind == "flow" }},
		"cards of a template": {templateTo("two_chairs", parts("body", "you"), object{"type": "carousel", "cards": []object{templateCardFor(0), templateCardFor(1)}}),
			func(m Message) bool {
				return m.Items[1].Title == "The oak one, x" && m.Options[1].Description == "PICK"
			}},
	} {
		status, out := r.send(c.body)
		if status != 200 {
			t.Errorf("%s: %d %v", name, status, out)
			continue
		}
		id := path(out, "messages", 0, "id").(string)
		r.eventually(name+" delivered", func() bool { return slices.Contains(r.receipts(id), "delivered") })
		all := r.Messages("c1")
		if m := all[slices.IndexFunc(all, func(m Message) bool { return m.ID == id })]; !c.shows(m) {
			t.Errorf("%s: on the phone: %+v", name, m)
		}
	}
}

func templateTo(name string, components ...object) object {
	return object{"to": "+12025550101", "type": "template", "template": object{"name": name, "language": object{"code": "en_US"}, "components": components}}
}

func parts(kind string, values ...string) object {
	var list []object
	for _, v := range values {
		list = append(list, object{"type": "text", "text": v})
	}
	return object{"type": kind, "parameters": list}
}

func templateCardFor(i int) object {
	return object{"card_index": i, "components": []object{parts("body", "x"),
		{"type": "header", "parameters": []object{{"type": "image", "image": object{"link": "https://example.com/a.png"}}}},
		{"type": "button", "sub_type": "quick_reply", "index": 0, "parameters": []object{{"type": "payload", "payload": "PICK"}}}}}
}

func TestWhatMetaRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.hello()
	many := slices.Repeat([]object{{"product_retailer_id": "p"}}, 31)
	header := object{"type": "text", "text": "H"}
	for name, c := range map[string]struct {
		body object
		code int
	}{
		"wrong name of an action":   {interactiveTo("location_request_message", act("nope", nil)), 131009},
		"old flow":                  {interactiveTo("flow", act("flow", object{"flow_message_version": "2", "flow_id": "1", "flow_cta": "x"})), 131009},
		"flow with both":            {interactiveTo("flow", act("flow", object{"flow_message_version": "3", "flow_id": "1", "flow_name": "x", "flow_cta": "x"})), 131009},
		"long button of a flow":     {interactiveTo("flow", act("flow", object{"flow_message_version": "3", "flow_id": "1", "flow_cta": strings.Repeat("x", 31)})), 131009},
		"products without a header": {interactiveTo("product_list", object{"action": object{"catalog_id": "1", "sections": []object{{"title": "A", "product_items": many[:1]}}}}), 131008},
		"too many products":         {interactiveTo("product_list", object{"header": header, "action": object{"catalog_id": "1", "sections": []object{{"title": "A", "product_items": many}}}}), 131009},
		"product with a header":     {interactiveTo("product", object{"header": header, "action": object{"catalog_id": "1", "product_retailer_id": "p"}}), 131009},
		"no catalogue":              {interactiveTo("product", object{"action": object{"product_retailer_id": "p"}}), 131008},
		"one card":                  {interactiveTo("carousel", object{"action": object{"cards": []object{card(0, "https://example.com/a.png")}}}), 131009},
		"cards out of order":        {interactiveTo("carousel", object{"action": object{"cards": []object{card(1, "https://example.com/a.png"), card(0, "https://example.com/a.png")}}}), 131009},
		"carousel with a footer":    {interactiveTo("carousel", object{"footer": object{"text": "x"}, "action": object{"cards": []object{card(0, "https://example.com/a.png"), card(1, "https://example.com/a.png")}}}), 131009},
		"address elsewhere":         {interactiveTo("address_message", act("address_message", object{"country": "ES"})), 131009},
		"bill without a sum":        {interactiveTo("order_details", act("review_and_pay", object{"reference_id": "r", "order": object{}})), 131008},
		"unknown interactive":       {interactiveTo("poll", act("poll", nil)), 131009},
		"no text":                   {object{"to": "+12025550101", "type": "interactive", "interactive": object{"type": "button", "action": object{"buttons": []object{}}}}, 131008},
		"header parameter missing":  {templateTo("delivery_slot", parts("body", "9", "11"), object{"type": "button", "sub_type": "url", "index": 0, "parameters": []object{{"type": "text", "text": "A"}}}), 132000},
		"link parameter missing":    {templateTo("delivery_slot", parts("header", "1"), parts("body", "9", "11")), 131008},
		"wrong kind of button":      {templateTo("delivery_slot", parts("header", "1"), parts("body", "9", "11"), object{"type": "button", "sub_type": "quick_reply", "index": 0}), 132012},
		"button that is not there":  {templateTo("coupon", object{"type": "button", "sub_type": "copy_code", "index": 3}), 132012},
		"code missing":              {templateTo("coupon"), 131008},
		"line break":                {templateTo("feedback", parts("body", "a\nb")), 132018},
		"five spaces":               {templateTo("feedback", parts("body", "a     b")), 132018},
		"too long":                  {templateTo("feedback", parts("body", strings.Repeat("x", 1024))), 132005},
		"picture for a document":    {templateTo("invoice", parts("body", "1"), object{"type": "header", "parameters": []object{{"type": "image", "image": object{"id": "1"}}}}), 132012},
		"number for a name":         {templateTo("appointment_reminder", parts("body", "Monday", "10:30")), 132012},
		"cards missing":             {templateTo("two_chairs", parts("body", "you")), 132000},
		"pin outside a group":       {object{"to": "+12025550101", "type": "pin", "pin": object{"type": "pin", "message_id": "x", "expiration_days": 7}}, 131009},
		"no such group":             {object{"to": "nobody", "recipient_type": "group", "text": object{"body": "x"}}, 131020},
		"neither one nor a group":   {object{"to": "+1202", "recipient_type": "crowd", "text": object{"body": "x"}}, 100},
	} {
		if status, code := r.refused(r.send(c.body)); code != c.code || status != refusals[c.code].status {
			t.Errorf("%s: %d, code %d, want code %d", name, status, code, c.code)
		}
	}
}

func TestMarketingHasAnEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	post := func(body object) int {
		body["messaging_product"] = "whatsapp"
		_, code := r.refused(r.call("POST", "/v26.0/"+DefaultNumber+"/marketing_messages", "application/json", jsonBody(body)))
		return code
	}
	if code := post(templateTo("catalogue")); code != 0 {
		t.Errorf("a marketing template: code %d", code)
	}
	for name, body := range map[string]object{"text": text(r.Customers()[0], "x"), "utility template": templateTo("hello_world")} {
		if code := post(body); code != 131055 {
			t.Errorf("%s: code %d, want 131055", name, code)
		}
	}
}

func TestVoiceMessagesAreOgg(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	for mimeType, want := range map[string]int{"audio/ogg; codecs=opus": 0, "audio/mpeg": 131053} {
		_, out := r.upload("a", mimeType, []byte("sound"))
		_, code := r.refused(r.send(object{"to": "+" + c.Phone, "type": "audio", "audio": object{"id": out["id"], "voice": true}}))
		if code != want {
			t.Errorf("%s: code %d, want %d", mimeType, code, want)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	if err := r.SetFaults(Faults{Rates: "pair"}); err != nil {
		t.Fatal(err)
	}
	r.mustSend(text(c, "1"))
	if _, code := r.refused(r.send(text(c, "2"))); code != 131056 {
		t.Errorf("code %d, want 131056", code)
	}
	r.pass(pairEvery)
	r.mustSend(text(c, "3"))
	if err := r.SetFaults(Faults{Rates: "throughput", PerSecond: 2}); err != nil {
		t.Fatal(err)
	}
	r.mustSend(text(c, "4"))
	r.mustSend(text(c, "5"))
	if _, code := r.refused(r.send(text(c, "6"))); code != 130429 {
		t.Errorf("code %d, want 130429", code)
	}
	r.pass(time.Second)
	r.mustSend(text(c, "7"))
}

func TestTypingLasts25Seconds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	typing := object{"status": "read", "message_id": r.Messages(c.ID)[0].ID, "typing_indicator": object{"type": "text"}}
	if status, out := r.send(typing); status != 200 {
		t.Fatalf("%d %v", status, out)
	}
	if got := r.Customers()[0].Typing; !got.Equal(r.clock().Add(25 * time.Second)) {
		t.Errorf("typing until %v", got)
	}
	r.mustSend(text(c, "Here"))
	if got := r.Customers()[0].Typing; !got.IsZero() {
		t.Errorf("typing until %v although the answer is there", got)
	}
}

// Updates of several customers arrive in one POST.
func TestUpdatesAreBatched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.SetFaults(Faults{Webhooks: "batched"}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		for _, c := range r.Customers() {
			must[string](t)(r.WriteText(c.ID, "x"))
		}
	}
	r.eventually("all", func() bool { in, _ := r.received(); return len(in) == 20 })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bodies) > 2 { // two if the writing fell across the end of an interval
		t.Errorf("%d POSTs for 20 messages", len(r.bodies))
	}
}

// Bodies that others send are taken, unless they name a file or a template that is not here, or are no real example.
func TestBodiesOfOthers(t *testing.T) {
	t.Parallel()
	folder := sharedFolder(t, "payloads", "outbound")
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	unreal := map[string]string{ // the end of a name → what makes it none
		"send_multi_product_message":             "the header's type is left open",
		"send_reply_to_list_message":             "the type is missing",
		"send_order_status_message":              "the reference is longer than allowed",
		"send_sample_issue_resolution_template":  "true stands where a text belongs",
		"send_typing_indicator_and_read_receipt": "it names a message that is not here",
	}
	link := regexp.MustCompile(`"link": *"[^"]*"`)
	r := newRig(t)
	r.hello()
	for _, name := range files {
		_, short, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".json"), "__")
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var body object
		if err := json.Unmarshal(link.ReplaceAll(raw, []byte(`"link": "https://example.com/file"`)), &body); err != nil {
			t.Fatal(err)
		}
		body["to"] = "+12025550101"
		status, out := r.send(body)
		details, _ := path(out, "error", "error_data", "details").(string)
		absent := strings.Contains(details, "media attachment ID") || strings.Contains(details, "template name")
		if (status != 200 && !absent) != (unreal[short] != "") {
			t.Errorf("%s: %d %s", short, status, details)
		}
	}
}

// sharedFolder finds reference material that is not part of the repository, or skips the test.
func sharedFolder(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("THREADLINE_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for dir != filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(filepath.Dir(dir), "shared")
	}
	folder := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", folder)
		}
		t.Skipf("%s is missing", folder)
	}
	return folder
}

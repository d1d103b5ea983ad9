package meta

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// page makes a request as the page does.
func (r *rig) page(method, path, body string, header ...string) (int, http.Header, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.server.URL+"/phone/"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

// The policy forbids inline code and other hosts, so the page must not need any.
func TestPageKeepsItsOwnPolicy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, header, html := r.page("GET", "", "")
	if status != 200 || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%d %v", status, header)
	}
	for _, forbidden := range []string{`\son[a-z]+=`, `style=`, `<script>`, `<style`, `https?://`} {
		if found := regexp.MustCompile(forbidden).FindString(html); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	files := regexp.MustCompile(`(?:src|href)="([^#"]+)"`).FindAllStringSubmatch(html, -1)
	for _, m := range files {
		_, _, script := r.page("GET", m[1], "")
		files = append(files, regexp.MustCompile(`from "\./(.+)"`).FindAllStringSubmatch(script, -1)...)
	}
	for _, m := range files {
		if status, _, _ := r.page("GET", m[1], ""); status != 200 {
			t.Errorf("%s: %d", m[1], status)
		}
	}
	if len(files) < 4 {
		t.Errorf("only %d files found", len(files))
	}
}

func TestOtherSitesCannotPlayTheCustomer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, _, _ := r.page("POST", "api/customers/c1/messages", `{"text":"x"}`, "Sec-Fetch-Site", "cross-site")
	if status != http.StatusForbidden || len(r.Messages("c1")) != 0 {
		t.Errorf("status %d, want 403", status)
	}
}

func TestPageStreamsWhatHappens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	resp, err := http.Get(r.server.URL + "/phone/api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func(v any) string {
		var event string
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), v); err != nil {
					t.Fatal(err)
				}
				return event
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
	var all struct{ Customers []Customer }
	if event := next(&all); event != "everything" || len(all.Customers) != 2 {
		t.Fatalf("%s with %d customers", event, len(all.Customers))
	}
	if status, _, body := r.page("POST", "api/customers/c1/messages", `{"text":"Hi"}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	var m Message
	if event := next(&m); event != "message" || m.Text != "Hi" || m.Status != "accepted" {
		t.Errorf("%s %+v", event, m)
	}
	for m.Status != "delivered" {
		next(&m)
	}
}

func TestPageActions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct {
		path, body string
		status     int
		answer     string
	}{
		{"api/customers", `{"name":"Customer 3","phone":"+1 (202) 555-0103"}`, 200, `"id":"c3"`},
		{"api/customers", `{"name":"Customer 4","username":"@customer.4"}`, 200, `"id":"c4"`},
		{"api/customers", `{"name":"Customer 5"}`, 400, "needs a username"},
		{"api/customers", `{"name":"Customer 5","phone":"12025550103"}`, 400, "another customer"},
		{"api/customers", `{"name":"Customer 5","phone":"12"}`, 400, "7 to 15 digits"},
		{"api/customers/c3/messages", `{"text":"  "}`, 400, "nothing to send"},
		{"api/customers/c9/messages", `{"text":"x"}`, 400, "no such customer"},
		{"api/customers/c3/messages", `{"place":{"latitude":91,"longitude":0}}`, 400, "latitude"},
		{"api/customers/c3/messages", `{"place":{"latitude":40.4,"longitude":-3.7,"name":"Town hall"}}`, 200, `"id":"wamid.`},
		{"api/customers/c3/sample", `{"kind":"photo","caption":"Look"}`, 200, `"id":"wamid.`},
		{"api/customers/c3/sample", `{"kind":"film"}`, 400, "no kind of sample"},
	} {
		status, _, body := r.page("POST", c.path, c.body)
		if status != c.status || !strings.Contains(body, c.answer) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, body)
		}
	}
	list := r.Messages("c3")
	if len(list) != 2 || list[0].Place.Name != "Town hall" || list[1].Text != "Look" {
		t.Errorf("chat = %+v", list)
	}
	if status, _, _ := r.page("PUT", "api/faults", `{"webhooks":"held"}`); status != 204 || r.Faults().Webhooks != "held" {
		t.Errorf("faults: %d %+v", status, r.Faults())
	}
}

// What a test or the page asks for by HTTP; the ids come from the calls before.
func TestCallsOfThePage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	question := r.mustSend(object{"to": "+" + c.Phone, "type": "interactive", "interactive": object{"type": "flow", "body": object{"text": "?"},
		"action": object{"name": "flow", "parameters": object{"flow_message_version": "3", "flow_id": "1", "flow_cta": "Open", "flow_token": "t"}}}})
	r.eventually("delivered", func() bool { return len(r.receipts(question)) == 2 })
	names := []string{"QUESTION", question}
	for i, x := range []struct {
		name, method, path, body, answer string // name: how the id of the answer is called from here on
	}{
		{"", "GET", "api/customers", "", `"phone":"12025550101"`},
		{"", "GET", "api/chats/c1/messages", "", `"text":"Hello"`},
		{"", "GET", "api/company", "", `"quality":"GREEN"`},
		{"", "GET", "api/faults", "", `"send":""`},
		{"TEXT", "POST", "api/customers/c1/messages", `{"text":"Hi","forwarded":"once","ad":{"source_type":"ad"}}`, `"id"`},
		{"", "POST", "api/customers/c1/messages", `{"cards":[{"name":"Ann Example","phone":"+12025550150"}]}`, `"id"`},
		{"", "POST", "api/customers/c1/messages", `{"order":{"items":[{"product":"p","quantity":1}]}}`, `"id"`},
		{"", "POST", "api/customers/c1/messages", `{"fields":{"size":"L"},"reply_to":"QUESTION"}`, `"id"`},
		{"", "POST", "api/customers/c1/messages", `{"unsupported":"poll_creation"}`, `"id"`},
		{"", "POST", "api/customers/c1/sample", `{"kind":"sticker"}`, `"id"`},
		{"", "POST", "api/customers/c1/reactions", `{"message":"QUESTION","emoji":"👍"}`, `"id"`},
		{"", "POST", "api/customers/c1/edits", `{"message":"TEXT","text":"Hello there"}`, `"id"`},
		{"", "POST", "api/customers/c1/revokes", `{"message":"TEXT"}`, `"id"`},
		{"CALL", "POST", "api/customers/c1/calls", `{}`, `"id":"wacid.`},
		{"", "POST", "api/calls/CALL/end", `{"end":"completed","seconds":5}`, ""},
		{"", "POST", "api/customers/c1/calls", `{"out":true,"end":"missed"}`, `"id"`},
		{"", "POST", "api/customers/c1/preference", `{"value":"stop"}`, ""},
		{"", "POST", "api/customers/c1/identity", `{"change":"hide"}`, `"hidden":true`},
		{"", "POST", "api/customers/c1/seen", `{}`, ""},
		{"GROUP", "POST", "api/groups", `{"name":"Neighbours","members":["c1"]}`, `"id"`},
		{"", "POST", "api/groups/GROUP/members", `{"customer":"c2"}`, ""},
		{"", "POST", "api/customers/c2/messages", `{"group":"GROUP","text":"Hi"}`, `"id"`},
		{"ECHO", "POST", "api/company/echoes", `{"customer":"c1","text":"From the shop"}`, `"id"`},
		{"", "POST", "api/company/echoes", `{"customer":"c1","edit":"ECHO","text":"From our shop"}`, `"id"`},
		{"", "POST", "api/company/contacts", `{"contacts":[{"phone":"12025550101","name":"Mr Miller"}]}`, ""},
		{"", "POST", "api/company/history", `{"threads":2,"messages":3,"chunk":2,"media":3}`, `"messages":6,"media":2,"posts":5`},
		{"", "POST", "api/company/agent", `{"on":true}`, ""},
		{"", "POST", "api/company/handover", `{"customer":"c1","to":"escalation"}`, ""},
		{"", "POST", "api/company/events", `{"kind":"quality","value":"YELLOW"}`, ""},
		{"", "POST", "api/company/webhook", `{"field":"flows","value":{"event":"FLOW_STATUS_CHANGE"}}`, ""},
	} {
		ids := strings.NewReplacer(names...)
		status, _, body := r.page(x.method, ids.Replace(x.path), ids.Replace(x.body), "Content-Type", "application/json")
		want := http.StatusOK
		if x.answer == "" {
			want = http.StatusNoContent
		}
		if status != want || !strings.Contains(body, x.answer) {
			t.Errorf("%d: %s %s %s: %d %s", i, x.method, x.path, x.body, status, body)
		}
		var made struct{ ID string }
		if x.name != "" && json.Unmarshal([]byte(body), &made) == nil {
			names = append(names, x.name, made.ID)
		}
	}
	if status, _, body := r.page("POST", "api/company/events", `{"kind":"nonsense","value":"x"}`); status != 400 || !strings.Contains(body, "no kind of event") {
		t.Errorf("%d %s", status, body)
	}
}

func TestUploadedPagesAreNotRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, _, body := r.page("POST", "api/customers/c1/files?name=evil.html", "<script>alert(1)</script>", "Content-Type", "text/html")
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	m := r.Messages("c1")[0]
	if m.Type != "document" {
		t.Errorf("type %s", m.Type)
	}
	_, header, _ := r.page("GET", "api/media/"+m.Media.ID, "")
	if !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("header = %v", header)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	to := "+" + c.Phone
	ask := func(kind string, content object) string {
		id := r.mustSend(object{"to": to, "type": kind, kind: content})
		r.eventually("delivered", func() bool { return len(r.receipts(id)) == 2 })
		return id
	}
	buttons := ask("interactive", object{"type": "button", "body": object{"text": "?"}, "action": object{"buttons": []object{
		{"type": "reply", "reply": object{"id": "yes", "title": "Yes"}}}}})
	list := ask("interactive", object{"type": "list", "body": object{"text": "?"}, "action": object{"button": "Open", "sections": []object{
		{"rows": []object{{"id": "r1", "title": "Row", "description": "First"}}}}}})
	template := ask("template", object{"name": "order_update", "language": object{"code": "en_US"}, "components": []object{
		{"type": "body", "parameters": []object{{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "text", "text": "c"}}},
		{"type": "button", "sub_type": "quick_reply", "index": "1", "parameters": []object{{"type": "payload", "payload": "THANKS"}}}}})
	place := ask("interactive", object{"type": "location_request_message", "body": object{"text": "Where?"}, "action": object{"name": "send_location"}})

	for i, c := range []struct {
		draft Draft
		want  string
	}{
		{Draft{ReplyTo: buttons, Option: "yes"}, `{"button_reply":{"id":"yes","title":"Yes"},"type":"button_reply"}`},
		{Draft{ReplyTo: list, Option: "r1"}, `{"list_reply":{"description":"First","id":"r1","title":"Row"},"type":"list_reply"}`},
		{Draft{ReplyTo: template, Option: "1"}, `{"payload":"THANKS","text":"Thank you"}`},
		{Draft{ReplyTo: place, Place: &Place{Latitude: 1, Longitude: 2}}, `{"latitude":1,"longitude":2}`},
	} {
		if _, err := r.Write("c1", c.draft); err != nil {
			t.Fatal(err)
		}
		r.eventually("arrived", func() bool { in, _ := r.received(); return len(in) == i+2 })
		in, _ := r.received()
		got, err := json.Marshal(in[i+1][in[i+1]["type"].(string)])
		if err != nil || string(got) != c.want {
			t.Errorf("answer = %s (%v), want %s", got, err, c.want)
		}
		if quote := in[i+1]["context"].(map[string]any); quote["id"] != c.draft.ReplyTo {
			t.Errorf("context = %v", quote)
		}
	}
	if _, err := r.Write("c1", Draft{ReplyTo: buttons, Option: "no"}); err == nil {
		t.Error("an answer that was not offered is taken")
	}
	if m := r.Messages("c1")[3]; m.Text != "Hi a, your order b is on its way. It should arrive c." || m.Answered != "1" {
		t.Errorf("template on the phone: %+v", m)
	}
}

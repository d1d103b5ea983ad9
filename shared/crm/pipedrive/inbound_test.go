package pipedrive_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
)

// asked returns what the webhooks that arrived ask for.
func (a *account) asked(c crm.Receiver) []crm.Request {
	a.t.Helper()
	a.sim.Flush()
	var all []crm.Request
	for _, call := range a.hooks.take() {
		in, err := c.ParseInbound(a.t.Context(), call)
		if err != nil {
			a.t.Fatalf("parse webhook: %v", err)
		}
		all = append(all, in.Requests...)
	}
	return all
}

// write types an answer in.
func (a *account) write(on crm.ContactRef, text string) {
	a.t.Helper()
	if err := a.sim.Write(string(on), text); err != nil {
		a.t.Fatal(err)
	}
}

// webhook types an answer in and returns the call that it makes.
func (a *account) webhook(on crm.ContactRef, text string) crm.Call {
	a.t.Helper()
	a.write(on, text)
	a.sim.Flush()
	return a.hooks.take()[0]
}

// TestAnswerByNote proves the whole way of an answer: a note, its webhook, its question, and what is told on the note.
func TestAnswerByNote(t *testing.T) {
	a, c, on := acquainted(t)
	_, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	a.clock.Advance(time.Minute)
	a.write(on, "See you at 5 & bring <both> keys\nbye")
	got := a.asked(c)
	if len(got) != 1 {
		t.Fatalf("%d requests, want 1", len(got))
	}
	r := got[0]
	if r.Contact != on || r.Text != "See you at 5 & bring <both> keys\nbye" || r.ID == "" || r.Entry == "" || r.At.IsZero() {
		t.Errorf("request %+v", r)
	}
	asked, cursor, err := c.FetchOutbound(t.Context(), cursor)
	if err != nil || len(asked) != 1 || asked[0].ID != r.ID || asked[0].Entry != r.Entry || asked[0].Text != r.Text || asked[0].Actor != "Sales" {
		t.Errorf("asked for: %+v, %v; want the same request", asked, err)
	}

	for range 2 { // it is idempotent
		if err := c.Report(t.Context(), r, crm.Outcome{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Report(t.Context(), r, crm.Outcome{Problem: "May have been delivered: the answer was lost.", Unknown: true}); err != nil {
		t.Fatal(err)
	}
	if doubt := a.Entries(string(on))[0].Text; !strings.Contains(doubt, "WhatsApp: May have been delivered: the answer was lost.") || strings.Contains(strings.ToLower(doubt), "sent") {
		t.Errorf("of a doubt the note says %q", doubt)
	}
	if err := c.Report(t.Context(), r, crm.Outcome{Problem: "Not sent: the window of 24 hours is <closed>"}); err != nil {
		t.Fatal(err)
	}
	text := a.Entries(string(on))[0].Text
	if !strings.HasPrefix(text, "/wa See you") || !strings.Contains(text, "Not sent: the window of 24 hours is <closed>") || strings.Contains(text, "Sent.") || strings.Contains(text, "May have") {
		t.Errorf("the note is %q", text)
	}
	// What we write ourselves asks for nothing, by webhook or by question.
	if more := a.asked(c); len(more) != 0 {
		t.Errorf("our own change asks for %+v", more)
	}
	if more, _, err := c.FetchOutbound(t.Context(), cursor); err != nil || len(more) != 0 {
		t.Errorf("a note that has been dealt with asks for %+v, %v", more, err)
	}
}

// TestCommands proves which notes are answers, and what they say.
func TestCommands(t *testing.T) {
	for content, want := range map[string]string{
		"<p>/wa hello</p>":                                "hello",
		"/wa hello":                                       "hello",
		"<div>/WA&nbsp;hello</div>":                       "hello",
		"<p>/wa</p><p>two<br>lines &lt;3</p>":             "two\nlines <3",
		"<p>/wa list:</p><ul><li>one</li><li>b</li></ul>": "list:\n- one\n- b",
		"<p>hello</p>":                                    "",
		"<p>/wait for me</p>":                             "",
		"<p>/wa</p>":                                      "",
		"<p>/wa &nbsp;</p>":                               "",
		"<p>say /wa hello</p>":                            "",
		// A copy of a note with what became of the first one.
		"<p>/wa hello again</p><p>WhatsApp: Sent. Ref. tl0123456789abcdef</p>": "hello again",
	} {
		a, c, on := acquainted(t)
		if _, err := a.sim.AddNote(string(on), content); err != nil {
			t.Fatal(err)
		}
		got := a.asked(c)
		if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || got[0].Text != want) {
			t.Errorf("%s: %+v, want %q", content, got, want)
		}
	}
}

// TestAboveAnEntry proves that the customer's own words aren't sent back by somebody who writes an answer above them: in the entry
// that shows them, or in a copy of it.
func TestAboveAnEntry(t *testing.T) {
	a, c, on := acquainted(t)
	_, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	ref := a.put(c, on)
	answer := "<p>/wa thank you</p>" + a.sim.Timeline(string(on))[0].HTML
	if err := a.sim.EditNote(string(ref), answer); err != nil {
		t.Fatal(err)
	}
	if _, err := a.sim.AddNote(string(on), answer); err != nil {
		t.Fatal(err)
	}
	asked, _, err := c.FetchOutbound(t.Context(), cursor)
	if got := append(asked, a.asked(c)...); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v; want nothing", got, err)
	}
}

// TestLinks proves that an address isn't lost behind the words of a link, and that Pipedrive's own stay inside.
func TestLinks(t *testing.T) {
	a, c, on := acquainted(t)
	call := a.webhook(on, "hello")
	for content, want := range map[string]string{
		`see <a href="https://example.com/a?b=1&amp;c=2" target="_blank"><b>our</b> offer</a>.`: "see our offer (https://example.com/a?b=1&c=2).",
		`see <a href="https://example.com/">example.com</a>`:                                    "see example.com",
		`see <a href="https://example.com/a">https://example.com/a</a>`:                         "see https://example.com/a",
		`ask <a href="https://acme.pipedrive.com/users/3">@Sales</a>`:                           "ask @Sales",
		`<a href="mailto:a@example.com">a@example.com</a>`:                                      "a@example.com",
	} {
		body, err := json.Marshal(map[string]any{
			"meta": map[string]any{"entity": "note", "action": "create", "change_source": "app", "entity_id": "9"},
			"data": map[string]any{"content": "<p>/wa " + content + "</p>", "person_id": 7},
		})
		if err != nil {
			t.Fatal(err)
		}
		call.Body = body
		in, err := c.ParseInbound(t.Context(), call)
		if err != nil || len(in.Requests) != 1 || in.Requests[0].Text != want {
			t.Errorf("%s: %+v, %v; want %q", content, in, err, want)
		}
	}
}

// TestEditedNote proves that a note is one request, however often it is edited, and that an edit can make it one.
func TestEditedNote(t *testing.T) {
	a, c, on := acquainted(t)
	id, err := a.sim.AddNote(string(on), "<p>call her</p>")
	if err != nil {
		t.Fatal(err)
	}
	if got := a.asked(c); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	seen := map[string]bool{}
	for _, content := range []string{"<p>/wa call me</p>", "<p>/wa call me, please</p>"} {
		if err := a.sim.EditNote(id, content); err != nil {
			t.Fatal(err)
		}
		for _, r := range a.asked(c) {
			seen[r.ID] = true
		}
	}
	if len(seen) != 1 {
		t.Errorf("%d requests, want 1", len(seen))
	}
}

// TestForged proves that nothing gets in without the password.
func TestForged(t *testing.T) {
	a, c, on := acquainted(t)
	call := a.webhook(on, "hello")
	for name, auth := range map[string]string{
		"none": "", "wrong": "Basic dGhyZWFkbGluZTp3cm9uZw==", "no password": "Basic dGhyZWFkbGluZTo=", "not basic": "Bearer " + password,
	} {
		forged := call
		forged.Header = call.Header.Clone()
		forged.Header.Set("Authorization", auth)
		if _, err := c.ParseInbound(t.Context(), forged); !errors.Is(err, crm.ErrForged) {
			t.Errorf("%s: %v, want ErrForged", name, err)
		}
	}
	for _, body := range []string{"", "["} {
		broken := call
		broken.Body = []byte(body)
		_, err := c.ParseInbound(t.Context(), broken)
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Refused {
			t.Errorf("%q: %v, want Refused", body, err)
		}
	}
}

// TestUnreadNote proves that a call which doesn't tell the note is taken, and the note asked for: ten calls that are refused
// would end the others.
func TestUnreadNote(t *testing.T) {
	a, c, on := acquainted(t)
	call := a.webhook(on, "hello")
	for _, body := range []string{
		`{"meta":{"entity":"note","action":"create","change_source":"app","entity_id":"9"},"data":null}`,
		`{"meta":{"entity":"note","action":"change","change_source":"app","entity_id":"9"},"data":{"content":""}}`,
		`{"meta":{"entity":"note","action":"create","change_source":"app"},"data":{"content":"/wa hi"}}`,
	} {
		call.Body = []byte(body)
		if in, err := c.ParseInbound(t.Context(), call); err != nil || !in.Fetch || len(in.Requests) != 0 {
			t.Errorf("%s: %+v, %v; want to ask", body, in, err)
		}
	}
}

// TestForms proves that ids and times are read in the forms that Pipedrive's pages and users show.
func TestForms(t *testing.T) {
	a, c, on := acquainted(t)
	call := a.webhook(on, "hello")
	for person, want := range map[string]crm.ContactRef{`7`: "7", `"7"`: "7", `null`: "", `{"value":7}`: ""} {
		call.Body = []byte(`{"meta":{"entity":"note","action":"change","change_source":"app","user_id":12,"entity_id":9},
			"data":{"id":"9","user":3,"content":"/wa hi","person_id":` + person + `,"add_time":"2026-11-02 09:00:00"}}`)
		in, err := c.ParseInbound(t.Context(), call)
		if err != nil || len(in.Requests) != 1 || in.Requests[0].Contact != want || in.Requests[0].At.Hour() != 9 {
			t.Errorf("person_id %s: %+v, %v", person, in, err)
		}
	}
}

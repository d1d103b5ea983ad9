package handler

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
)

// button is one that an interactive message can have.
const button = `{"type":"reply","reply":{"id":"y","title":"Yes"}}`

// again sends a request under the key of an earlier one that had this answer.
func (r *rig) again(first answer, body string) {
	r.Helper()
	a := r.post(body, "Idempotency-Key", "k")
	if a.status != first.status || !bytes.Equal(a.body, first.body) {
		r.Errorf("%d %s in place of %d %s", a.status, a.body, first.status, first.body)
	}
}

func TestSameKeySameRequest(t *testing.T) {
	const interactive = `{"to":"+34600111222","interactive":{"type":"button","body":{"text":"a/b"},"action":{"buttons":[` + button + `]},"n":1}}`
	const tmpl = `{"to":"+34600111222","template":{"name":"a","language":"es","components":[{"type":"body","parameters":[]}]},"category":"utility"}`
	for _, c := range []struct{ name, first, second string }{
		{"text", text, text},
		{"spaces and order", text, " {\n\t\"text\" : \"hello\" ,\"to\":\"+34600111222\"}\n"},
		{"what is so anyway", text, `{"to":"+34600111222","text":"hello","origin":"agent"}`},
		{"phone as digits", text, `{"to":"34600111222","text":"hello"}`},
		{"escapes", text, `{"to":"+34600111222","text":"h\u0065llo"}`},
		{"interactive", interactive, `{"interactive":{"n":1, "body":{"text":"a\/b"}, "action":{"buttons":[` + button + `]}, "type":"button"},"to":"+34600111222"}`},
		{"location", `{"to":"+34600111222","location":{"latitude":41,"longitude":2.5}}`,
			`{"to":"+34600111222","location":{"longitude":25e-1,"latitude":41.0,"name":""}}`},
		{"contacts", `{"to":"+34600111222","contacts":[{"name":{"formatted_name":"Bo","first_name":"Bo"}}]}`,
			`{"to":"+34600111222","contacts":[{"phones":[],"name":{"first_name":"Bo","formatted_name":"Bo"}}]}`},
		{"reaction", `{"to":"+34600111222","reaction":{"message_id":"wamid.1","emoji":"👍"}}`,
			`{"to":"+34600111222","reaction":{"emoji":"\ud83d\udc4d","message_id":"wamid.1"}}`},
		{"template", tmpl, `{"category":"UTILITY","template":{"components":[{"parameters":[],"type":"body"}],"language":"es","name":"a"},"to":"+34600111222"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			first := r.post(c.first, "Idempotency-Key", "k")
			id := first.sent()
			r.now = r.now.Add(time.Hour)
			r.again(first, c.second)
			if len(r.queue.entries) != 1 {
				t.Errorf("%d entries", len(r.queue.entries))
			}
			if _, err := r.store.Accept(t.Context(), r.last(), "wamid.1"); err != nil {
				t.Fatal(err)
			}
			r.again(first, c.second) // whatever became of the message
			if m, err := r.store.Lookup(t.Context(), id); err != nil || m.Status != chat.Accepted {
				t.Error(m.Status, err)
			}
		})
	}
}

func TestSameKeyOtherRequest(t *testing.T) {
	const buttons = `"interactive":{"type":"button","body":{"text":"?"},"action":{"buttons":[` + button + `]},"n":`
	const base = `{"to":"+34600111222",` + buttons + `1}}`
	for _, other := range []string{
		`{"to":"+34600111223",` + buttons + `1}}`,
		`{"to":{"bsuid":"ES.1"},` + buttons + `1}}`,
		`{"to":"+34600111222",` + buttons + `2}}`,
		`{"to":"+34600111222",` + buttons + `"1"}}`,
		`{"to":"+34600111222",` + buttons + `1},"number":"100"}`,
		`{"to":"+34600111222",` + buttons + `1},"reply_to":"wamid.1"}`,
		`{"to":"+34600111222",` + buttons + `1},"category":"marketing"}`,
		`{"to":"+34600111222",` + buttons + `1},"origin":"crm"}`,
		`{"to":"+34600111222","reaction":{"message_id":"wamid.1","emoji":""}}`,
		`{"to":"+34600111222","location":{"latitude":1,"longitude":2}}`,
		text,
	} {
		r := newRig(t)
		first := r.post(base, "Idempotency-Key", "k")
		first.sent()
		r.post(other, "Idempotency-Key", "k").refused(http.StatusConflict, "conflict", "use a new key")
		if len(r.queue.entries) != 1 {
			t.Errorf("%s: %d entries", other, len(r.queue.entries))
		}
		r.again(first, base)
	}
}

// What is compared outlives a new version: a request must not be another one after it.
func TestWhatARequestIsComparedBy(t *testing.T) {
	for body, want := range map[string]string{
		text: `{"to":{"phone":"34600111222"},"text":"hello"}`,
		`{"to":"+34600111222","text":"hello","preview_url":false}`:               `{"to":{"phone":"34600111222"},"text":"hello"}`,
		`{"to":"+34600111222","text":"hello","preview_url":true}`:                `{"to":{"phone":"34600111222"},"text":"hello","preview_url":true}`,
		`{"to":"+34600111222","template":{"name":"a","language":"es"}}`:          `{"to":{"phone":"34600111222"},"template":{"name":"a","language":"es"}}`,
		`{"to":"+34600111222","location":{"latitude":1,"longitude":2}}`:          `{"to":{"phone":"34600111222"},"location":{"latitude":1,"longitude":2}}`,
		`{"to":"+34600111222","interactive":{"type":"hologram"},"number":"100"}`: `{"to":{"phone":"34600111222"},"number":"100","interactive":{"type":"hologram"}}`,
	} {
		r := newRig(t)
		r.post(body).sent()
		if got := r.last().Send.Request; got != store.Hash([]byte(want)) {
			t.Errorf("%s isn't compared by %s", body, want)
		}
	}
}

func TestNoKeyTwoMessages(t *testing.T) {
	r := newRig(t)
	if a, b := r.post(text).sent(), r.post(text).sent(); a == b || len(r.queued()) != 2 {
		t.Errorf("%s and %s, %d entries", a, b, len(r.queue.entries))
	}
	var list struct{ Messages []messageView }
	r.get("/api/v1/conversations/"+string(r.last().Conversation)+"/messages").want(http.StatusOK, &list)
	if len(list.Messages) != 2 {
		t.Errorf("%d messages", len(list.Messages))
	}
}

func TestKeysWithCommas(t *testing.T) {
	r := newRig(t)
	a, b := r.post(text, "Idempotency-Key", "order 7,1").sent(), r.post(text, "Idempotency-Key", "order 7,2").sent()
	if a == b {
		t.Error("two keys, one message")
	}
}

// The first request is in the queue and not yet on the table.
func TestKeyRepeatedBeforeTheFirstIsStored(t *testing.T) {
	r := newRig(t)
	r.receive("w1", chat.Seen{Phone: ana}, nil)
	r.db.writes = errors.New("no connection")
	first := r.post(text, "Idempotency-Key", "k")
	id := first.sent()
	r.now = r.now.Add(time.Minute)
	r.again(first, text)
	r.db.writes = nil
	r.now = r.now.Add(time.Minute)
	r.again(first, text)
	for _, m := range r.queued() { // SQS would have kept one of them; the table keeps one in any case
		if stored, _, err := r.store.Queue(t.Context(), m); err != nil || stored.ID != id {
			t.Errorf("%s, %v", stored.ID, err)
		}
	}
	var list struct{ Messages []messageView }
	r.get("/api/v1/conversations/"+string(r.last().Conversation)+"/messages").want(http.StatusOK, &list)
	if len(list.Messages) != 2 || list.Messages[1].ID != id {
		t.Errorf("%+v", list.Messages)
	}
}

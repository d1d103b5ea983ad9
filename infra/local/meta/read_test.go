package meta

import (
	"encoding/json"
	"strings"
	"testing"
)

// refusal makes a call and returns what it is refused with.
func (r *rig) refusal(path, body string) string {
	r.t.Helper()
	status, _, answer := r.page("POST", "api/"+path, body)
	var said struct{ Error string }
	if err := json.Unmarshal([]byte(answer), &said); err != nil || status != 400 || said.Error == "" {
		r.t.Errorf("%s %s: %d %s, want a refusal", path, body, status, answer)
	}
	return said.Error
}

// Whoever writes a test of their own against these calls has nothing else to learn from.
func TestWhatIsWrongWithABodyIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct{ path, body, said string }{
		{"customers/c1/messages", `{"order":[{"product":"sku1"}]}`, "order: expected an object, got array"},
		{"customers/c1/messages", `{"order":{"items":[{"product":"sku1","quantity":"2"}]}}`, "order.items.quantity: expected a whole number, got string"},
		{"customers/c1/messages", `{"place":{"latitude":"1"}}`, "place.latitude: expected a number, got string"},
		{"customers/c1/messages", `{"cards":{"name":"Workshop"}}`, "cards: expected a list, got object"},
		{"customers/c1/messages", `{"text":1}`, "text: expected a string, got number"},
		{"customers/c1/messages", `"Hi"`, "the body: expected an object, got string"},
		{"customers/c1/messages", `text=Hi`, "the body has to be a JSON object"},
		{"customers/c1/messages", ``, "the body has to be a JSON object"},
		{"customers/c1/sample", `{"kind":1}`, "kind: expected a string, got number"},
		{"customers/c1/sample", `{"kind":"photo","reply_to":1}`, "reply_to: expected a string, got number"},
		{"company/agent", `{"on":"yes"}`, "on: expected true or false, got string"},
		{"company/webhook", `{"field":"x","value":"y"}`, "value: expected an object, got string"},
	} {
		if said := r.refusal(c.path, c.body); !strings.Contains(said, c.said) {
			t.Errorf("%s %s: %q, want %q", c.path, c.body, said, c.said)
		}
	}
	if n := len(r.Messages("c1")); n != 0 {
		t.Errorf("%d messages came of it", n)
	}
}

// A kind that doesn't exist is answered with those that do, each of which does.
func TestKnownKindsAreListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct {
		path, body string
		known      []string
	}{
		{"company/events", `{"kind":"bogus"}`, []string{"restriction", "token", "template_status"}},
		{"company/events", `{"kind":"bogus","value":"x"}`, eventKinds()},
		{"customers/c1/sample", `{"kind":"bogus"}`, sampleKinds},
		{"company/echoes", `{"customer":"c1","sample":"bogus"}`, sampleKinds},
		{"customers/c1/identity", `{"change":"bogus"}`, identityChanges},
	} {
		said := r.refusal(c.path, c.body)
		for _, word := range append(c.known, "bogus") {
			if !strings.Contains(said, `"`+word+`"`) {
				t.Errorf("%s %s: %q doesn't name %s", c.path, c.body, said, word)
			}
		}
	}
	for _, kind := range sampleKinds {
		if _, err := sample(kind, r.clock()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, change := range identityChanges {
		if _, err := r.ChangeIdentity("c1", IdentityChange{Change: change}); err != nil && strings.Contains(err.Error(), "no change of an identity") {
			t.Errorf("%s: %v", change, err)
		}
	}
}

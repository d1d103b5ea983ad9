package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

// fields are those of which webhooks come, one that nobody knows among them.
var fields = []string{
	"messages", "standby", "smb_message_echoes", "message_echoes", "smb_app_state_sync", "calls", "user_preferences",
	"messaging_handovers", "automatic_events", "history", "group_participants_update", "account_update",
	"phone_number_quality_update", "message_template_status_update", "template_category_update", "security", "brand_new_field",
}

// oddValues are what no field's value looks like; %s stands for the names of its lists.
var oddValues = []string{
	`null`, `7`, `"text"`, `[]`, `[[[[[]]]]]`, `{}`, `{"metadata":7}`,
	`{"metadata":{"phone_number_id":` + Number + `},"errors":[7,null,{"code":"x"},{"code":1e300}]}`,
}

// oddElements are what a list holds that no update looks like. None of them names anybody.
var oddElements = []string{
	`null`, `7`, `"text"`, `[]`, `{}`, `{"id":5}`, `{"id":{"a":[]},"timestamp":"soon","type":7}`,
	`{"id":"wamid.odd","from":{"a":1},"timestamp":-1,"type":"text","text":7}`,
	`{"id":"wamid.odd","timestamp":99999999999999999999,"type":"image","image":[]}`,
	`{"id":"wamid.odd","status":"` + strings.Repeat("x", 3000) + `","timestamp":"1772442000"}`,
	`{"threads":[7,{"id":7},{"id":"","messages":[7,{}]}],"metadata":"x"}`,
}

// lists are the names of all lists of updates.
var lists = []string{
	"messages", "statuses", "message_echoes", "state_sync", "calls", "user_preferences", "messaging_handovers",
	"automatic_events", "history", "groups", "contacts",
}

// oddChanges are n changes of a field of which nothing can be made.
func oddChanges(rng *rand.Rand, field string, n int) (changes []any) {
	for range n {
		value := oddValues[rng.IntN(len(oddValues))]
		if rng.IntN(2) == 0 {
			value = fmt.Sprintf(`{"metadata":{"phone_number_id":%q},%q:[%s]}`, Number, lists[rng.IntN(len(lists))], oddElements[rng.IntN(len(oddElements))])
		}
		changes = append(changes, map[string]any{"field": field, "value": json.RawMessage(value)})
	}
	return changes
}

// changesOf takes a webhook apart.
func changesOf(t *testing.T, body []byte) []any {
	t.Helper()
	var post struct{ Entry []struct{ Changes []any } }
	if err := json.Unmarshal(body, &post); err != nil || len(post.Entry) != 1 {
		t.Fatalf("%s (%v)", body, err)
	}
	return post.Entry[0].Changes
}

// together is a webhook with all these changes.
func together(t *testing.T, changes []any) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{
		map[string]any{"id": whatsapptest.WABA, "time": Start.Unix(), "changes": changes},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestOddUpdatesCostTheirSiblingsNothing: one POST holds all that can be told and, for each field, ten updates that nobody
// can make anything of. All of the former become what they always do, and all of the latter are kept.
func TestOddUpdatesCostTheirSiblingsNothing(t *testing.T) {
	var good []any
	alone := New(t, Options{})
	for _, body := range everything(alone) {
		good = append(good, changesOf(t, body)...)
	}
	if len(good) < 50 {
		t.Fatalf("%d good updates", len(good))
	}
	run := func(s *Sim, changes []any) string {
		t.Helper()
		if status := s.Post(together(t, changes)); status != 200 {
			t.Fatalf("status %d", status)
		}
		s.Quiet()
		return s.State(Arrivals, Records)
	}
	kept := func(line string) bool {
		return strings.Contains(line, `"PK":"RAW#`) || strings.Contains(line, `"SK":"EVT#`)
	}
	want := run(alone, good)
	for i, field := range fields {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(*seed, uint64(i)))
			s := New(t, Options{})
			everything(s) // for its files
			odd := oddChanges(rng, field, 10)
			all := append(slices.Clone(good), odd...)
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			got := run(s, all)
			var lost, kind []string
			for _, l := range strings.Split(Diff(want, got), "\n") {
				switch {
				case l == "":
				case strings.HasPrefix(l, "+1") && kept(l):
					kind = append(kind, l)
				default:
					lost = append(lost, l)
				}
			}
			if len(lost) > 0 {
				t.Errorf("beside odd updates it ends otherwise:\n%s", strings.Join(lost, "\n"))
			}
			if n := distinct(t, together(t, odd)); len(kind) != n {
				t.Errorf("%d of %d odd updates are kept", len(kind), n)
			}
		})
	}
}

// distinct is how many different updates there are in a webhook.
func distinct(t *testing.T, body []byte) int {
	t.Helper()
	updates, err := whatsapp.Split(body)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, u := range updates {
		raw, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		seen[string(raw)] = true
	}
	return len(seen)
}

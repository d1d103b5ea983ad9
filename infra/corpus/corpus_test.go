// Package corpus posts every webhook body that public sources show to the whole pipeline. The bodies themselves are not
// part of this repository: THREADLINE_SHARED, or ../shared, says where they are.
package corpus

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"threadline/infra/sim"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// whatsApp are the prefixes of the bodies that are WhatsApp's, and not Messenger's or Instagram's.
var whatsApp = []string{"metadocs__", "metaopenapi__", "courier__wac_", "agentes__", "chatwoot__", "synthetic__"}

type file struct {
	name string
	body []byte
}

// files reads the corpus.
func files(t testing.TB) []file {
	t.Helper()
	shared := cmp.Or(os.Getenv("THREADLINE_SHARED"), filepath.Join("..", "..", "..", "shared"))
	paths, err := filepath.Glob(filepath.Join(shared, "payloads", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out []file
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".json")
		if !slices.ContainsFunc(whatsApp, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		body, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file{name, body})
	}
	if len(out) == 0 && os.Getenv("CI") == "true" {
		t.Fatalf("no webhook bodies in %s", shared)
	}
	if len(out) == 0 {
		t.Skipf("no webhook bodies in %s", shared)
	}
	return out
}

// identifying are the keys whose values name a message, a person, a number or an account.
var identifying = regexp.MustCompile(`^(id|from|to|wa_id|customer|new_wa_id|message_id|original_message_id|group_id|phone_number_id|recipient_id|recipient_participant_id|(.*_)?user_id|display_phone_number)$`)

var digits = regexp.MustCompile(`^[0-9]{5,}$`)

// own gives a file ids of its own: everywhere in it the same id becomes the same other id. What isn't shaped like an id
// (a test of exactly that) stays as it is.
func (f file) own(t testing.TB, n int) []byte {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(f.body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", f.name, err)
	}
	out, err := json.Marshal(renamed(v, "", n))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func renamed(v any, key string, n int) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = renamed(e, k, n)
		}
	case []any:
		for i, e := range v {
			v[i] = renamed(e, key, n)
		}
	case string:
		switch {
		case !identifying.MatchString(key):
		case whatsapp.IsBSUID(v):
			return fmt.Sprintf("%sx%d", v, n)
		case digits.MatchString(v):
			return fmt.Sprintf("%s%03d", v, n)
		case strings.HasPrefix(v, "wamid.") || v == "external_id":
			return fmt.Sprintf("%s%03d", v, n)
		}
	}
	return v
}

// became lists what the table holds: one word or two for every update, and for what it says of numbers and accounts.
func became(t testing.TB, s *sim.Sim) []string {
	t.Helper()
	var out []string
	for k, av := range s.Table.Items() {
		var it map[string]any
		if err := attributevalue.UnmarshalMap(av, &it); err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(k[1], "#")
		switch {
		case kind == "MSG":
			out = append(out, fmt.Sprint("message ", it["raw_type"]))
		case kind == "RECEIPT":
			out = append(out, fmt.Sprint("receipt ", it["status"]))
		case kind == "AMEND" && it["signal"] != nil:
			out = append(out, "early signal")
		case kind == "AMEND":
			out = append(out, fmt.Sprint("early ", it["kind"]))
		case kind == "EVT":
			out = append(out, fmt.Sprint("account ", it["field"]))
		case kind == "NUMBER" && k[0] != "NUMBERS", kind == "ACCOUNT":
			out = append(out, facts(it)...)
		case kind == "CONTACT":
			out = append(out, person(it)...)
		case kind == "TEMPLATES":
			out = append(out, "templates expire")
		case strings.HasPrefix(k[0], "RAW#"):
			out = append(out, fmt.Sprintf("raw %v: %v", it["field"], it["reason"]))
		}
	}
	return tally(out)
}

// facts are what is known of a number or an account since.
func facts(it map[string]any) []string {
	var out []string
	all, _ := it["facts"].(map[string]any)
	for name, fact := range all {
		if _, its, ofNumber := strings.Cut(name, "/"); ofNumber {
			name = its
		}
		out = append(out, fmt.Sprintf("%s %v", name, fact.(map[string]any)["value"]))
	}
	return out
}

// person is what updates say of a contact beside messages.
func person(it map[string]any) []string {
	var out []string
	if it["saved"] != nil {
		out = append(out, "saved name")
	}
	all, _ := it["consent"].(map[string]any)
	for category, said := range all {
		out = append(out, fmt.Sprintf("%s wanted: %v", category, said.(map[string]any)["given"]))
	}
	return out
}

// tally turns repetitions into "3 × message text".
func tally(words []string) []string {
	count := map[string]int{}
	for _, w := range words {
		count[w]++
	}
	var out []string
	for w, n := range count {
		if n > 1 {
			w = fmt.Sprintf("%d × %s", n, w)
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}

func TestEachFileBecomesWhatTheTableSays(t *testing.T) {
	for n, f := range files(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := sim.New(t, sim.Options{})
			if got := s.Post(f.own(t, n)); got != 200 {
				t.Fatalf("answered %d", got)
			}
			s.Quiet()
			got := strings.Join(became(t, s), ", ")
			if want, ok := expected[f.name]; !ok || got != want {
				t.Errorf("%q: %q,", f.name, got)
			}
			if dead := s.InboundDLQ.Len() + s.BulkDLQ.Len() + s.MediaDLQ.Len() + s.CRMDLQ.Len(); dead > 0 {
				t.Errorf("%d entries are dead", dead)
			}
		})
	}
}

// TestUnchangedBodiesLoseNothing posts the bodies as they are, ids shared between files: each update must be stored,
// or kept raw because its id was given to other content before.
func TestUnchangedBodiesLoseNothing(t *testing.T) {
	s := sim.New(t, sim.Options{})
	all := files(t)
	for _, f := range all {
		if got := s.Post(f.body); got != 200 {
			t.Fatalf("%s: answered %d", f.name, got)
		}
	}
	s.Quiet()
	kept := map[string]bool{}
	for _, key := range s.Bucket.Keys() {
		kept[filepath.Base(key)] = true
	}
	var table strings.Builder
	for _, av := range s.Table.Items() {
		var it map[string]any
		if err := attributevalue.UnmarshalMap(av, &it); err != nil {
			t.Fatal(err)
		}
		body, _ := it["body"].([]byte)
		kept[store.Hash(body)] = true
		fmt.Fprintln(&table, it)
	}
	updates := 0
	for _, f := range all {
		us, err := whatsapp.Split(f.body)
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		for _, u := range us {
			updates++
			for id, body := range parts(t, queued(t, u)) {
				// What the company wrote is told in several ways: one of them is kept.
				again := (u.Kind == whatsapp.KindEcho || u.Kind == whatsapp.KindHistory) && strings.Contains(table.String(), "WAMID#"+u.Number+"#"+id)
				if hash := store.Hash(body); !again && !kept[hash] && !strings.Contains(table.String(), hash) {
					t.Errorf("%s: a %s of %s is lost: %.200s", f.name, u.Kind, u.Field, u.Body)
				}
			}
		}
	}
	t.Logf("%d updates of %d files", updates, len(all))
}

// parts are the messages of an update, by id: those of a history, or the only one.
func parts(t testing.TB, u whatsapp.Update) map[string][]byte {
	t.Helper()
	if u.Kind != whatsapp.KindHistory {
		var named struct{ ID string }
		_ = json.Unmarshal(u.Body, &named) // not everything has an id
		return map[string][]byte{named.ID: u.Body}
	}
	h, err := whatsapp.ParseHistory(u)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, m := range h.Messages {
		all[m.ID] = m.Raw
	}
	return all
}

// ofErrors is when the errors were learnt of that Meta puts beside messages: they have no time, so that it is the queue's.
var ofErrors = regexp.MustCompile(`("(?:alert:\d+|token)":\{"stamp":\{"at":)"[^"]*"`)

// ofPeople is what became known of somebody after their last message: their record has it with the next one.
var ofPeople = regexp.MustCompile(` threadline_username:[^ \]]*`)

func timeless(state string) string {
	return ofPeople.ReplaceAllString(ofErrors.ReplaceAllString(state, "$1"), "")
}

// TestOrderAndRepetitionDontMatter posts everything three times, shuffled, and compares with one pass in order.
func TestOrderAndRepetitionDontMatter(t *testing.T) {
	all := files(t)
	run := func(seed uint64, times int) string {
		s := sim.New(t, sim.Options{Seed: seed})
		var posts [][]byte
		for range times {
			for n, f := range all {
				posts = append(posts, singles(t, f.own(t, n))...)
			}
		}
		if seed > 0 {
			r := rand.New(rand.NewPCG(seed, 1))
			r.Shuffle(len(posts), func(i, j int) { posts[i], posts[j] = posts[j], posts[i] })
		}
		for i, p := range posts {
			if got := s.Post(p); got != 200 {
				t.Fatalf("answered %d", got)
			}
			if i%50 == 0 {
				s.Run(10 * time.Minute) // beyond the queue's five minutes of deduplication
			}
		}
		s.Quiet()
		return s.State(sim.Arrivals)
	}
	want := timeless(run(0, 1))
	for _, seed := range []uint64{1, 2} {
		if diff := sim.Diff(want, timeless(run(seed, 3))); diff != "" {
			t.Errorf("seed %d:\n%.4000s", seed, diff)
		}
	}
}

// queued is the update as it comes out of the queue.
func queued(t testing.TB, u whatsapp.Update) (out whatsapp.Update) {
	t.Helper()
	b, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(whatsapp.ASCII(b), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// singles takes a body apart into one POST for each message and status, so that they can be shuffled: statuses before
// their messages. A body that holds anything else stays whole.
func singles(t testing.TB, body []byte) [][]byte {
	t.Helper()
	us, err := whatsapp.Split(body)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, u := range us {
		kind := map[whatsapp.UpdateKind]string{whatsapp.KindMessage: "messages", whatsapp.KindStatus: "statuses"}[u.Kind]
		if kind == "" {
			return [][]byte{body}
		}
		value := map[string]any{
			kind:       []json.RawMessage{u.Body},
			"metadata": map[string]string{"phone_number_id": u.Number, "display_phone_number": u.Display},
		}
		if u.Contact != nil {
			value["contacts"] = []json.RawMessage{u.Contact}
		}
		post, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{
			"id": u.WABA, "changes": []any{map[string]any{"field": u.Field, "value": value}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, post)
	}
	return out
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

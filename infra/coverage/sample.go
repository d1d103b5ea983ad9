package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"threadline/infra/sim"
	"threadline/shared/whatsapp/whatsapptest"
)

// sample is a webhook that stands for all of its kind: a type of message, a state, an event. Each of its fields is a row.
type sample struct {
	name    string            // what the table calls it
	field   string            // of the webhook; "messages" if empty
	rows    string            // which part of the value holds its own fields; empty: all of it
	skip    string            // and which part of that is another sample's
	value   string            // JSON
	before  string            // JSON of a value that comes first
	earlier string            // the field of that; "messages" if empty
	ours    bool              // $wamid is a message of the company's
	signs   map[string]string // by path: what shows a field whose value isn't likely to be found as it is, "|" between
}

// at is when a sample says that it happened.
const at = "1772442061" // 2 March 2026 09:01:01 UTC

// customer is who wrote.
const customer = `"contacts":[{"profile":{"name":"Known Customer"},"wa_id":"34600111222"}]`

// message is the value of a webhook with one message; more is what it has beside its content.
func message(kind, content string, more ...string) string {
	return fmt.Sprintf(`{%s,"messages":[{"from":"34600111222","id":"wamid.sample","timestamp":"%s","type":"%s","%s":%s%s]}`,
		customer, at, kind, kind, content, strings.Join(append([]string{""}, more...), ",")+"}")
}

// hello is a message that samples are about.
var hello = strings.Replace(message("text", `{"body":"Hello"}`), "wamid.sample", "wamid.target", 1)

// fileBytes is what every file holds; their ids begin with fileID.
const (
	fileBytes = "some bytes"
	fileID    = "91000"
)

func fileHash() string {
	sum := sha256.Sum256([]byte(fileBytes))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// run posts the sample into a world of its own and returns what it added there. gone are fields that it shall lack.
func (s sample) run(t testing.TB, gone func(path string) bool) (in place, understood bool, added view) {
	w := newWorld(t)
	for _, id := range regexp.MustCompile(fileID+`\d+`).FindAllString(s.value, -1) {
		w.sim.AddFile(id, "text/plain", []byte(fileBytes)) // what it is really, nobody can tell from these bytes
	}
	if s.before != "" {
		w.post(orMessages(s.earlier), s.before)
	}
	value := strings.ReplaceAll(s.value, "$hash", fileHash())
	if s.ours {
		id := w.sim.Reply("coverage", "34600111222", "Ours")
		w.sim.Quiet()
		value = strings.NewReplacer("$wamid", w.sim.Delivered()[0].WAMID, "$ours", string(id)).Replace(value)
	}
	was := w.look()
	v, err := decode([]byte(value))
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	pruned, err := json.Marshal(without("", v, gone))
	if err != nil {
		t.Fatal(err)
	}
	in, understood = parsed(t, w.post(orMessages(s.field), string(pruned)))
	return in, understood, w.look().minus(was)
}

func orMessages(field string) string { return cmp.Or(field, "messages") }

// accountWide are the fields whose values name no number in a "metadata".
var accountWide = regexp.MustCompile(`^(account_|business_|phone_number_|message_template_|template_|security|flows|payment_|partner_|messaging_handovers)`)

// post sends one webhook and returns its body.
func (w *world) post(field, value string) []byte {
	entry := fmt.Sprintf(`"id":"%s"`, whatsapptest.WABA)
	if accountWide.MatchString(field) {
		entry += fmt.Sprintf(`,"time":%d`, sim.Start.Add(time.Minute).Unix())
	} else {
		value = fmt.Sprintf(`{"messaging_product":"whatsapp","metadata":{"display_phone_number":"%s","phone_number_id":"%s"},%s`,
			whatsapptest.Display, sim.Number, strings.TrimPrefix(value, "{"))
	}
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{%s,"changes":[{"field":"%s","value":%s}]}]}`, entry, field, value)
	if status := w.sim.Post(body); status != 200 {
		w.t.Fatalf("%s: answered %d", field, status)
	}
	return body
}

// fields are the sample's rows. A type that the sample is called after needs none.
func (s sample) fields(t testing.TB) []leaf {
	v, err := decode([]byte(strings.ReplaceAll(s.value, "$hash", fileHash())))
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	var all []leaf
	seen := map[string]bool{}
	for _, l := range leaves("", v) {
		if l.key() == "type" && strings.HasSuffix(s.name, l.value) || seen[l.path] || !under(l.path, s.rows) || s.skip != "" && under(l.path, s.skip) {
			continue
		}
		seen[l.path] = true
		if signs, ok := s.signs[s.shown(l.path)]; ok {
			l.signs = strings.Split(signs, "|")
		}
		all = append(all, l)
	}
	return all
}

func under(path, part string) bool {
	return part == "" || path == part || strings.HasPrefix(path, part+".")
}

// shown is how the table writes a path: without the array that holds everything.
func (s sample) shown(path string) string {
	if s.rows == "" {
		return path
	}
	array, _, _ := strings.Cut(s.rows, ".")
	return strings.TrimPrefix(path, array+".")
}

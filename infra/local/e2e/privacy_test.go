package e2e

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"threadline/infra/local/meta"
)

// corpus posts the webhook bodies that public sources show, as they are, and answers some of the people in them. They
// are not part of this repository: THREADLINE_SHARED, or ../shared, says where they are.
func corpus(t *testing.T, w *world) {
	shared := cmp.Or(os.Getenv("THREADLINE_SHARED"), filepath.Join("..", "..", "..", "..", "shared"))
	posted, people := 0, map[string]bool{}
	for _, source := range []string{"metadocs__", "metaopenapi__", "courier__wac_", "agentes__", "chatwoot__", "synthetic__"} {
		files, err := filepath.Glob(filepath.Join(shared, "payloads", source+"*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if status := w.post(t, body); status != http.StatusOK {
				t.Errorf("%s: status %d", filepath.Base(file), status)
			}
			w.secret(w.personalIn(t, body)...)
			for _, from := range sender.FindAllSubmatch(body, -1) {
				people[string(from[1])] = true
			}
			posted++
		}
	}
	switch {
	case posted == 0 && os.Getenv("CI") == "true":
		t.Fatalf("no webhook bodies in %s", shared)
	case posted == 0:
		t.Skipf("no webhook bodies in %s", shared)
	}
	answered := 0
	for phone := range people {
		if answered++; answered <= 5 {
			w.secret("a word to people in samples")
			w.reaches(t, w.ask(t, "", object{"to": "+" + phone, "number": number, "text": "a word to people in samples"}), "delivered")
		}
	}
	eventually(t, patience, func() error {
		n, err := w.waiting(t, "InboundQueueUrl")
		if err == nil && n > 2 { // poison, and what stands behind it
			err = fmt.Errorf("%d updates wait", n)
		}
		return err
	})
}

// sender finds who wrote.
var sender = regexp.MustCompile(`"from": ?"([1-9][0-9]{9,14})"`)

// plain are the keys whose values name no person: kinds, states, times, and ids of the company's own things.
var plain = regexp.MustCompile(`^(object|field|messaging_product|type|status|mime_type|timestamp|time|phone_number_id|sha256|currency|category|pricing_model|event|language|conversation_type|code)$`)

// personalIn lists what no log may hold of a body: every text, number and id in it that isn't one of Meta's own words.
// It notes the company's numbers, whose ids a log may hold.
func (w *world) personalIn(t *testing.T, body []byte) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var found []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(k, e)
			}
		case []any:
			for _, e := range v {
				walk(key, e)
			}
		case string:
			if !plain.MatchString(key) {
				found = append(found, v)
			} else if key == "phone_number_id" {
				w.ours = append(w.ours, v, "")
			}
		}
	}
	walk("", v)
	return found
}

// speaking counts log lines around a few messages: silence would hide everything from the search below.
func speaking(t *testing.T, w *world) {
	const photos, replies = 3, 2
	before := map[string]int{}
	for _, f := range functions {
		before[f] = strings.Count(w.log(t, f), "\n")
	}
	ida := w.customer(t, "Ida Observed", "34600555060")
	for i := range photos {
		ida.writes(t, meta.Draft{File: &meta.Upload{Name: "c.jpg", MIME: "image/jpeg", Body: bytes.NewReader(randomFile(900 + i))}})
		eventually(t, patience, func() error { return ida.delivered(i + 1) }) // one POST each
	}
	ida.known(t)
	for i := range replies {
		text := fmt.Sprintf("nobody reads this, %d", i)
		w.secret(text)
		w.reaches(t, w.ask(t, "", object{"to": object{"contact": ida.contact}, "text": text}), "delivered")
	}
	ida.hasEntries(t)
	for f, want := range map[string]int{
		"webhook": photos, "router": photos, "media": photos, "crmsync": photos + replies, "sender": replies, "api": replies,
	} {
		eventually(t, patience, func() error {
			if n := strings.Count(w.log(t, f), "\n") - before[f]; n < want {
				return fmt.Errorf("%s wrote %d lines about %d messages", f, n, want)
			}
			return nil
		})
	}
}

// delivered wants the webhook to have taken n messages of the person.
func (p *person) delivered(n int) error {
	for _, m := range p.w.Meta().Messages(p.ID) {
		if !m.Business && m.Status == "delivered" {
			n--
		}
	}
	if n != 0 {
		return fmt.Errorf("%d messages not delivered", n)
	}
	return nil
}

// discreet searches every log of the run at level DEBUG, standard error and the emulator's included, for what it must
// not hold, also as base64 and URL-encoded; and table and environments for keys and tokens.
func discreet(t *testing.T, w *world) {
	logs, err := filepath.Glob(filepath.Join(w.dir, "*.log"))
	if err != nil || len(logs) < len(functions)+2 { // setup and the emulator
		t.Fatalf("logs %v (%v)", logs, err)
	}
	said := map[string]string{"the runner": w.runner.String()}
	for _, file := range logs {
		name := strings.TrimSuffix(filepath.Base(file), ".log")
		said[name] = w.log(t, name)
	}
	ours := strings.NewReplacer(w.ours...)
	search := newSearch(w.personal)
	for name, text := range said {
		for _, line := range search.lines(ours.Replace(text)) {
			t.Errorf("%s says %s", name, line)
		}
	}
	t.Logf("searched for %d things", len(search.known))
	tokens := newSearch([]string{appSecret, verifyToken, apiKey, accessToken, hubSpotToken})
	for _, line := range tokens.lines(w.dump(t)) {
		t.Errorf("a table or an environment holds %s", line)
	}
}

// dump is everything that the stack's tables and its functions' configurations hold, as text.
func (w *world) dump(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	table := w.Output("TableName")
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(w.Config()), &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all.Write(encoded(t, page.Items))
	}
	for _, f := range w.functions(t) {
		all.Write(encoded(t, f.Environment))
	}
	if all.Len() < 100_000 {
		t.Fatalf("the table holds only %d bytes", all.Len())
	}
	return all.String()
}

// encoded is JSON.
func encoded(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// search finds any of many texts, in any of their spellings, in one pass.
type search struct {
	known  map[string]bool
	starts map[string][]string // spellings by their first bytes
}

const (
	// Shorter texts stand in logs for other reasons; shorter pieces of base64 prove nothing.
	shortest       = 5
	shortestBase64 = 9
)

// everyday are texts of published samples that are words of our logs as well.
var everyday = []string{"image", "WARNING"}

func newSearch(secrets []string) search {
	s := search{map[string]bool{}, map[string][]string{}}
	for _, secret := range secrets {
		if len(secret) < shortest || s.known[secret] || slices.Contains(everyday, secret) {
			continue
		}
		s.known[secret] = true
		for _, spelling := range spellings(secret) {
			if at := spelling[:shortest]; !slices.Contains(s.starts[at], spelling) {
				s.starts[at] = append(s.starts[at], spelling)
			}
		}
	}
	return s
}

// spellings are a text and what encodings make of it. Base64 has three ways to spell what stands inside of something
// longer; the characters at the ends that depend on the neighbours are left out.
func spellings(text string) []string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string is always JSON
	}
	all := []string{text, url.QueryEscape(text), url.PathEscape(text), strings.Trim(string(quoted), `"`)}
	if len(text) < shortestBase64 {
		return all
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), text...)
		whole := len(padded) / 3 * 3
		first := (shift + 2) / 3 * 4
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			all = append(all, encoding.EncodeToString(padded[:whole])[first:])
		}
	}
	return all
}

// lines returns a line for each spelling that is found, shortened.
func (s search) lines(text string) (found []string) {
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		for i := 0; i+shortest <= len(line); i++ {
			for _, spelling := range s.starts[line[i:i+shortest]] {
				if !seen[spelling] && strings.HasPrefix(line[i:], spelling) {
					seen[spelling] = true
					found = append(found, fmt.Sprintf("%.40q in %.400s", spelling, line))
				}
			}
		}
	}
	return found
}

// Ensure that the search finds what it is for.
func TestSearchFindsEverySpelling(t *testing.T) {
	s := newSearch([]string{"34600111222", "a text & more"})
	for _, text := range []string{
		"x34600111222y", "?q=a+text+%26+more", "a%20text%20&%20more", `{"t":"a text \u0026 more"}`,
		base64.StdEncoding.EncodeToString([]byte("34600111222")),
		base64.StdEncoding.EncodeToString([]byte("to 34600111222.")),
		base64.URLEncoding.EncodeToString([]byte("to:34600111222,")),
	} {
		if len(s.lines(text)) == 0 {
			t.Errorf("not found in %q", text)
		}
	}
	if got := s.lines("34600111223 and another text"); len(got) != 0 {
		t.Errorf("found %q", got)
	}
}

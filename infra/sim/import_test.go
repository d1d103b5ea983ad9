package sim

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/whatsapp/whatsapptest"
)

// note is a message of a chat from before the number was connected.
type note struct {
	id, thread, text string
	at               time.Time
	ours, photo      bool
}

// past is a number's history, and what customers write while it is imported.
type past struct {
	rng   *rand.Rand
	notes []note               // by thread and time
	wrote map[string]time.Time // live texts, and when they were written
}

// newPast makes up a history: one long thread, and others of a hundred messages. Every fortieth message is a photo.
func newPast(messages, longest int) *past {
	p := &past{rng: rand.New(rand.NewPCG(*seed, 1)), wrote: map[string]time.Time{}}
	thread, place, length := 0, 0, longest
	for i := range messages {
		if place == length {
			thread, place, length = thread+1, 0, 100
		}
		p.notes = append(p.notes, note{
			id: fmt.Sprintf("wamid.old.%d", i), thread: fmt.Sprintf("34700%06d", thread), text: fmt.Sprintf("old %d", i),
			at: Start.Add(-180 * day).Add(time.Duration(place) * 37 * time.Minute), ours: i%3 == 1, photo: i%40 == 0,
		})
		place++
	}
	return p
}

// posts are the webhooks that bring the history: chunks of a thousand messages, half of them of a few threads each and
// half of many, and each photo's file in a webhook of its own. Any may come twice.
func (p *past) posts(s *Sim) (posts [][]byte) {
	half := len(p.notes) / 2
	jumble := slices.Clone(p.notes[half:])
	p.rng.Shuffle(len(jumble), func(i, j int) { jumble[i], jumble[j] = jumble[j], jumble[i] })
	for chunk := range slices.Chunk(slices.Concat(p.notes[:half], jumble), 1000) {
		posts = append(posts, chunkOf(len(posts)+1, chunk))
	}
	for _, n := range p.notes {
		if n.photo {
			file := "file." + n.id
			sum := s.AddFile(file, "image/jpeg", []byte(n.text))
			posts = append(posts, whatsapptest.HistoryMedia(Number, n.thread, whatsapptest.Old{
				ID: n.id, FromBusiness: n.ours, Type: "image", At: n.at,
				Content: map[string]any{"id": file, "mime_type": "image/jpeg", "sha256": sum, "caption": n.text},
			}))
		}
	}
	for _, body := range slices.Clone(posts) {
		if p.rng.IntN(6) == 0 {
			posts = append(posts, body)
		}
	}
	p.rng.Shuffle(len(posts), func(i, j int) { posts[i], posts[j] = posts[j], posts[i] })
	return posts
}

// chunkOf is a webhook with messages of any threads.
func chunkOf(order int, notes []note) []byte {
	threads := map[string][]any{}
	for _, n := range notes {
		m := map[string]any{
			"id": n.id, "timestamp": fmt.Sprint(n.at.Unix()), "from": n.thread, "type": "text",
			"text": map[string]any{"body": n.text}, "history_context": map[string]any{"status": "READ"},
		}
		if n.ours {
			m["from"], m["to"] = whatsapptest.Display, n.thread
		}
		if n.photo {
			m["type"] = "media_placeholder"
			delete(m, "text")
		}
		threads[n.thread] = append(threads[n.thread], m)
	}
	var list []any
	for thread, messages := range threads {
		list = append(list, map[string]any{"id": thread, "messages": messages})
	}
	return whatsapptest.Field("history", Number, map[string]any{"history": []any{map[string]any{
		"metadata": map[string]any{"phase": order % 3, "chunk_order": order, "progress": order},
		"threads":  list,
	}}})
}

// live has somebody write again and again until the whole history is on the record: in turn somebody new, and somebody
// whose history it is.
func (p *past) live(s *Sim, every time.Duration) {
	if s.posted() >= len(p.notes)+len(p.wrote) {
		return
	}
	n := len(p.wrote)
	from, text := fmt.Sprintf("34600%06d", n), fmt.Sprintf("live %d", n)
	if n%2 == 0 {
		from = p.notes[p.rng.IntN(len(p.notes))].thread
	}
	p.wrote[text] = s.Now()
	s.Deliver(from, whatsapptest.Text(Number, from, fmt.Sprintf("wamid.live.%d", n), text, s.Now()))
	s.After(every, func() { p.live(s, every) })
}

// newAccount is how long calls take as measured in docs/measurements.md, with as many functions at once as a new AWS
// account runs.
var newAccount = &Pace{
	Takes: map[string]time.Duration{
		"dynamodb": 8 * time.Millisecond, "sqs": 10 * time.Millisecond, "s3": 30 * time.Millisecond,
		"graph": 150 * time.Millisecond, "hubspot": 180 * time.Millisecond, "crm": 180 * time.Millisecond,
	},
	AtOnce: map[string]int{"Bulk": 4},
	Total:  10,
}

// hubSpotFree is the lowest limit of HubSpot's plans.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
var hubSpotFree = Limit{Calls: 100, Per: 10 * time.Second}

// TestImport: fifty thousand messages of six months come within minutes, and reach a CRM with HubSpot's lowest limit.
func TestImport(t *testing.T) {
	t.Parallel()
	ledger := NewLedger()
	p := newPast(50_000, 5_000)
	s := New(t, Options{Ledger: ledger, CRMLimit: hubSpotFree, Pace: newAccount})
	p.arrive(t, s, 5*time.Second)
	byKey := 0
	for _, e := range s.Postings() {
		_, files := ledger.Entry(e.Key)
		byKey += len(files)
	}
	if want := len(p.notes) / 40; byKey != want {
		t.Errorf("%d files are on the record, want %d", byKey, want)
	}
}

// TestImportIntoHubSpot: a smaller one, where a double would show.
func TestImportIntoHubSpot(t *testing.T) {
	t.Parallel()
	p := newPast(3_000, 300)
	s := New(t, Options{CRMLimit: hubSpotFree, Pace: newAccount, SearchLag: 5 * time.Second})
	p.arrive(t, s, 5*time.Second)
	entries, files := 0, 0
	for _, c := range s.HubSpot.Contacts() {
		for _, e := range s.HubSpot.Timeline(c.ID) {
			entries++
			files += len(e.Files)
		}
	}
	if want := len(p.notes) + len(p.wrote); entries != want || files != len(p.notes)/40 {
		t.Errorf("HubSpot has %d entries with %d files, want %d with %d", entries, files, want, len(p.notes)/40)
	}
}

// arrive imports the history and checks what the API and the CRM show of it.
func (p *past) arrive(t *testing.T, s *Sim, every time.Duration) {
	began := time.Now()
	for i, body := range p.posts(s) {
		lane := fmt.Sprint("import ", i%4) // Meta has several calls under way
		s.After(time.Duration(p.rng.Int64N(int64(5*time.Minute))), func() { s.Deliver(lane, body) })
	}
	s.After(time.Second, func() { p.live(s, every) })
	s.Quiet()
	t.Logf("%d messages in %v, of virtual time %v", len(p.notes), time.Since(began).Round(time.Second), s.Now().Sub(Start).Round(time.Minute))
	p.complete(t, s)
	p.inTheCRM(t, s)
	if n := len(s.Delivered()) + s.Runs()["sender"]; n != 0 {
		t.Errorf("something was sent")
	}
	for name, q := range s.queues() {
		if q.Len() > 0 {
			t.Errorf("%d entries are left in %s", q.Len(), name)
		}
	}
	for _, f := range s.functions {
		if f.longest > 10*time.Second { // the router's time-out is 15 s
			t.Errorf("a run of %s for %s takes %v", f.name, f.queue, f.longest)
		}
	}
}

// complete checks that the API shows every message once, in order.
func (p *past) complete(t *testing.T, s *Sim) {
	t.Helper()
	want := map[string]note{}
	for _, n := range p.notes {
		want[n.id] = n
	}
	live := 0
	for _, conv := range s.conversations() {
		messages := s.messages(conv)
		if !slices.IsSortedFunc(messages, func(a, b shownMessage) int { return a.At.Compare(b.At) }) {
			t.Errorf("a conversation of %d messages isn't in order", len(messages))
		}
		for _, m := range messages {
			n, old := want[m.ProviderID]
			switch {
			case !old && p.wrote[m.Text].IsZero():
				t.Fatalf("%s shows twice, or nobody wrote it: %q", m.ProviderID, m.Text)
			case !old:
				live++
			case m.Text != n.text || !m.At.Equal(n.at) || (m.Direction == "out") != n.ours || n.photo != (m.Attachment.State == "stored"):
				t.Errorf("%+v shows as %+v", n, m)
			}
			delete(want, m.ProviderID)
		}
	}
	if len(want) != 0 || live != len(p.wrote) {
		t.Errorf("%d old messages are missing, and %d of %d live ones", len(want), len(p.wrote)-live, len(p.wrote))
	}
}

// inTheCRM checks that every message is on the record, that imported ones were put there in order, and how soon live ones
// were.
func (p *past) inTheCRM(t *testing.T, s *Sim) {
	t.Helper()
	last := map[string]time.Time{}
	var waits []time.Duration
	old := 0
	for _, e := range s.Postings() {
		if at, live := p.wrote[e.Messages[0].Text]; live {
			waits = append(waits, e.Made.Sub(at))
			continue
		}
		old++
		if e.At.Before(last[string(e.On)]) {
			t.Errorf("an entry of %v was made after one of %v", e.At, last[string(e.On)])
		}
		last[string(e.On)] = e.At
	}
	if old != len(p.notes) || len(waits) != len(p.wrote) {
		t.Fatalf("the CRM has %d old messages and %d live ones, want %d and %d", old, len(waits), len(p.notes), len(p.wrote))
	}
	slices.Sort(waits)
	p95 := waits[len(waits)*95/100]
	t.Logf("%d live messages were in the CRM after %v (p50), %v (p95), %v (all)", len(waits), waits[len(waits)/2], p95, waits[len(waits)-1])
	if p95 > 5*time.Second {
		t.Errorf("live messages waited for %v (p95)", p95)
	}
}

// shownMessage is a message as the API shows it.
type shownMessage struct {
	ID         string
	ProviderID string `json:"provider_id"`
	Direction  string
	Kind       string
	Status     string
	Text       string
	At         time.Time
	Attachment struct{ State string }
}

// conversations are the ids of all that there are.
func (s *Sim) conversations() (ids []string) {
	for cursor := "first"; cursor != ""; {
		var page struct {
			Conversations []struct{ ID string }
			Next          string `json:"next_cursor"`
		}
		s.Get("conversations?limit=100&cursor="+url.QueryEscape(strings.TrimPrefix(cursor, "first")), &page)
		for _, c := range page.Conversations {
			ids = append(ids, c.ID)
		}
		cursor = page.Next
	}
	return ids
}

// messages are those of a conversation, page by page, the oldest first.
func (s *Sim) messages(conversation string) (all []shownMessage) {
	for cursor := "first"; cursor != ""; {
		var page struct {
			Messages []shownMessage
			Next     string `json:"next_cursor"`
		}
		s.Get("conversations/"+conversation+"/messages?limit=100&cursor="+url.QueryEscape(strings.TrimPrefix(cursor, "first")), &page)
		all = append(page.Messages, all...)
		cursor = page.Next
	}
	return all
}

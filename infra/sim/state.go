package sim

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"threadline/shared/chat"
	"threadline/shared/queue/queuetest"
)

// Ignore is a part of the state that runs need not share.
type Ignore string

// Arrivals are the counters that break ties within a second: of two updates of the same second, whichever comes first
// is first.
const Arrivals Ignore = "arrivals"

// Records are which of a CRM's contacts an entry is on, and under which name its author goes: who is found to be the same
// person after both have a record keeps both, and an entry shows the name that was known when it was made.
const Records Ignore = "records"

type record = map[string]any

// State is what a run has come to: the table, the bucket, the CRM, the phones and the queues, one fact a line, sorted.
// Runs that ended alike have equal states. What is minted stands for what it names; what only tells how a run got there
// is left out (see settle).
func (s *Sim) State(ignore ...Ignore) string {
	s.t.Helper()
	s.Clock.Advance(s.o.SearchLag) // files are listed by a search
	items := map[[2]string]record{}
	for k, av := range s.Table.Items() {
		var it record
		if err := attributevalue.UnmarshalMap(av, &it); err != nil {
			s.t.Fatal(err)
		}
		items[k] = it
	}
	people := people(items)
	var lines []string
	for _, it := range s.settle(items, people, ignore) {
		lines = append(lines, "table "+text(it))
	}
	for _, key := range s.Bucket.Keys() {
		r, info, err := s.Bucket.Get(s.t.Context(), key)
		if err != nil {
			s.t.Fatal(err)
		}
		h := sha256.New()
		_, _ = io.Copy(h, r)
		lines = append(lines, fmt.Sprintf("bucket %s %s %x", key, info.ContentType, h.Sum(nil)))
	}
	lines = append(lines, s.crmState(slices.Contains(ignore, Records))...)
	for _, d := range s.Delivered() {
		lines = append(lines, fmt.Sprintf("phone %s got %s %q of %s", d.To, d.Type, d.Text, d.Callback))
	}
	for name, q := range s.queues() {
		lines = append(lines, fmt.Sprintf("queue %s has %d", name, q.Len()))
	}
	named := strings.NewReplacer(pairs(people)...)
	for i, l := range lines {
		lines[i] = named.Replace(l)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// named tells whether there is a message for what is parked under its name: it has taken all of that over.
func named(items map[[2]string]record, pk string) bool { return items[[2]string{pk, "REF"}] != nil }

// byTheClock tells whether an item only says when something was asked for or came, or how an import got where it is.
func byTheClock(k [2]string) bool {
	return strings.HasPrefix(k[0], "LIMIT#") || strings.HasPrefix(k[0], "RECON") || k[1] == "IMPORT" || k[1] == "JOB#import" || strings.HasPrefix(k[1], "TEMPLATE")
}

func (s *Sim) queues() map[string]*queuetest.Queue {
	return map[string]*queuetest.Queue{
		"Inbound": s.Inbound, "Inbound-dead": s.InboundDLQ, "Bulk": s.Bulk, "Bulk-dead": s.BulkDLQ, "Media": s.Media, "Media-dead": s.MediaDLQ,
		"CRM": s.CRM, "CRM-dead": s.CRMDLQ, "Outbound": s.Outbound, "Outbound-dead": s.SendDLQ,
	}
}

// Diff returns the lines that only one of two states has, marked - and +.
func Diff(want, got string) string {
	count := map[string]int{}
	for _, l := range strings.Split(want, "\n") {
		count[l]--
	}
	for _, l := range strings.Split(got, "\n") {
		count[l]++
	}
	var out []string
	for l, n := range count {
		if n != 0 {
			out = append(out, fmt.Sprintf("%+d %s", n, l))
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(a[3:], b[3:]), cmp.Compare(a, b)) })
	return strings.Join(out, "\n")
}

// people names every contact by the least of the identities that it and those joined with it are known by.
func people(items map[[2]string]record) map[string]string {
	boss := map[string]string{}
	var find func(string) string
	find = func(id string) string {
		if up := boss[id]; up != "" && up != id {
			return find(up)
		}
		return id
	}
	for k, it := range items {
		if joined, _ := it["joined"].(string); k[1] == "CONTACT" && joined != "" {
			boss[find(text(it["id"]))] = find(joined)
		}
	}
	least := map[string]string{}
	for k, it := range items {
		holders, _ := it["holders"].([]any)
		for _, h := range holders {
			id := find(text(h.(record)["contact"]))
			if name := strings.TrimPrefix(k[0], "ALIAS#"); least[id] == "" || name < least[id] {
				least[id] = name
			}
		}
	}
	names := map[string]string{}
	for k, it := range items {
		if id := text(it["id"]); k[1] == "CONTACT" && least[find(id)] != "" {
			names[id] = "person:" + least[find(id)]
		}
	}
	return names
}

func pairs(names map[string]string) (list []string) {
	for id, name := range names {
		list = append(list, id, name)
	}
	return list
}

// shard is where an index spreads its items: it depends on minted ids.
var shard = regexp.MustCompile(`^((?:INBOX#.*|DONE)#)\d$`)

// settle returns the items without what tells only how a run got there:
//   - rev, token and ttl count and date writes, and a conversation is marked with the hour in which something came;
//   - the steps that the sender takes itself (queued, sending, unknown, accepted), the number of attempts, until when the
//     last could take, since when the outcome was unknown and which receipt settled it: an answer that was lost leaves
//     one way in, its receipt another; so does the lease of an attempt that died, which says nothing once the
//     outcome is known;
//   - the time of a receipt that is the one Meta stamped: Meta stamps after it has accepted, which faults delay;
//   - a parked receipt or amendment that its message has taken over: it stays until its ttl;
//   - which job an import ended with, which slots it had and when it was last heard of;
//   - which came first of a placeholder and its file;
//   - what was remembered of Meta's templates;
//   - what the CRM's own ids are in, "shown" being a hash over one, CRMREF the inverse of a contact's link.
func (s *Sim) settle(items map[[2]string]record, people map[string]string, ignore []Ignore) []record {
	stamps := map[string]map[string]time.Time{}
	for _, d := range s.Delivered() {
		stamps[d.WAMID] = d.Stamps
	}
	refs := s.crmNames(slices.Contains(ignore, Records))
	merged := map[[2]string]record{}
	personal := strings.NewReplacer(pairs(people)...)
	for k, it := range items {
		if strings.HasPrefix(k[1], "RECEIPT#") && takenOver(items, k[0], it) || strings.HasPrefix(k[1], "AMEND#") && named(items, k[0]) || byTheClock(k) || strings.HasPrefix(k[0], "CRMREF#") {
			continue
		}
		if k[1] == "CONTACT" && text(it["joined"]) != "" {
			continue // who speaks for it knows all that it knew
		}
		for _, name := range []string{"rev", "token", "ttl", "settled", "shown", "marked"} {
			delete(it, name)
		}
		if slices.Contains(ignore, Arrivals) {
			delete(it, "arrival")
			delete(it, "arrivals")
		}
		if k[1] == "REF" && fromThePast(items, it) {
			delete(it, "hash")
		}
		if at := shard.FindStringSubmatch(text(it["GSI1PK"])); at != nil {
			it["GSI1PK"] = at[1]
		}
		if send, ok := it["send"].(record); ok {
			delete(send, "attempt")
			delete(send, "lease_until")
			if chat.Status(text(it["status"])).Outranks(chat.Unknown) {
				delete(send, "lease")
			}
			delete(send, "unknown_since")
			settleSteps(it, stamps[text(it["provider_id"])])
		}
		for _, name := range []string{"ref", "contact", "file"} {
			if ref, ok := refs[text(it[name])]; ok && strings.HasPrefix(k[1], "CRM#") {
				it[name] = ref
			}
		}
		var clean record
		if err := json.Unmarshal([]byte(personal.Replace(text(it))), &clean); err != nil {
			s.t.Fatal(err)
		}
		at := [2]string{text(clean["PK"]), text(clean["SK"])}
		merged[at] = merge(merged[at], clean)
	}
	var list []record
	for _, it := range merged {
		list = append(list, it)
	}
	return list
}

// fromThePast tells whether what a name stands for was imported.
func fromThePast(items map[[2]string]record, ref record) bool {
	m := items[[2]string{"CONV#" + text(ref["conversation"]), text(ref["sort"])}]
	return m["imported"] == true
}

// takenOver tells whether a parked receipt's message says what the receipt says.
func takenOver(items map[[2]string]record, pk string, receipt record) bool {
	ref := items[[2]string{pk, "REF"}]
	m := items[[2]string{"CONV#" + text(ref["conversation"]), text(ref["sort"])}]
	steps, _ := m["steps"].(record)
	_, told := steps[text(receipt["status"])]
	return told || m["direction"] == "in"
}

func settleSteps(m record, stamped map[string]time.Time) {
	steps, _ := m["steps"].(record)
	for name, step := range steps {
		switch name {
		case "queued", "sending", "unknown", "accepted":
			delete(steps, name)
			continue
		}
		at, _ := time.Parse(time.RFC3339, text(step.(record)["at"]))
		if want, ok := stamped[name]; ok && want.Equal(at) {
			step.(record)["at"] = "as Meta stamped it"
		}
	}
}

// merge makes one item of those of contacts that were joined. One that speaks for others counts with them.
func merge(a, b record) record {
	for _, name := range []string{"absorbed", "joined", "linked", "own"} {
		delete(b, name)
	}
	if a == nil {
		return b
	}
	if text(b["last_inbound"]) > text(a["last_inbound"]) {
		a["last_from"] = b["last_from"]
	}
	for name, v := range b {
		switch w := a[name]; {
		case name == "last_from":
		case w == nil:
			a[name] = v
		case name == "arrivals":
			a[name] = w.(float64) + v.(float64)
		case text(v) > text(w): // times and the index sort by time, and names have no better rule here
			a[name] = v
		}
	}
	return a
}

// text is a string as it is, anything else as JSON.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, _ := json.Marshal(v)
	return string(b)
}

package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"threadline/shared/chat"
)

// What was found in the comparison of an hour, where not everything was there at the first look.

// Verdict says how things stand with a conversation's messages of an hour in a CRM.
type Verdict string

// The verdicts.
const (
	Missing  Verdict = "missing"  // something should be there and isn't; it is asked for again
	Waiting  Verdict = "waiting"  // nothing is missing, but something isn't due yet, or waits for the CRM
	Refused  Verdict = "refused"  // the CRM refused something for good; the rest is there
	Repaired Verdict = "repaired" // all is there now, and wasn't before
	Complete Verdict = "complete" // all is there now that it is due
)

// Finding is how things stand with a conversation's messages of an hour in a CRM.
type Finding struct {
	Connector    string              `json:"connector"`
	Conversation chat.ConversationID `json:"conversation"`
	Hour         time.Time           `json:"hour"`
	Verdict      Verdict             `json:"verdict"`
	Tally
	Repaired int       `json:"repaired,omitempty"` // how many were missing and are there now
	Since    time.Time `json:"since"`              // when something was first found to lack, or to be missing
	Checked  time.Time `json:"checked"`            // when it was last looked at
	Attempts int       `json:"attempts,omitempty"` // how often what is missing was asked for
	LastAsk  time.Time `json:"last_ask,omitzero"`  // when it was last
}

// Open tells whether it has to be looked at again.
func (f Finding) Open() bool { return f.Missing > 0 || f.Waiting > 0 }

// Due tells whether what is missing may be asked for again: each time after twice as long, because what isn't lost stands
// in a queue already. first is how long that is after the first time.
func (f Finding) Due(now time.Time, first time.Duration) bool {
	return f.Attempts == 0 || now.Sub(f.LastAsk) >= first<<min(f.Attempts-1, 12)
}

// overdue is how long something may be missing before a person should look.
const overdue = time.Hour

// Overdue tells whether something has been missing for too long, although it was asked for more than once.
func (f Finding) Overdue() bool {
	return f.Missing > 0 && f.Attempts > 1 && f.Checked.Sub(f.Since) > overdue
}

// Take notes what another look found.
func (f *Finding) Take(t Tally, now time.Time) {
	if f.Missing == 0 && t.Missing > 0 {
		f.Since, f.Attempts, f.LastAsk = now.UTC(), 0, time.Time{}
	}
	if f.Since.IsZero() {
		f.Since = now.UTC()
	}
	if t.Asked {
		f.Attempts, f.LastAsk = f.Attempts+1, now.UTC()
	}
	f.Repaired += max(0, f.Missing-t.Missing-max(0, t.Refused-f.Refused)-max(0, t.Waiting-f.Waiting))
	f.Tally, f.Checked = t, now.UTC()
	switch {
	case t.Missing > 0:
		f.Verdict = Missing
	case t.Waiting > 0:
		f.Verdict = Waiting
	case t.Refused > 0:
		f.Verdict = Refused
	case f.Repaired > 0:
		f.Verdict = Repaired
	default:
		f.Verdict = Complete
	}
}

// findings is the partition of all of them, by hour.
const findings = "RECONCILED"

func findingKey(hour time.Time, conv chat.ConversationID, connector string) key {
	return key{"RECONCILED", findingPrefix(hour, shardOf(string(conv))) + string(conv) + "#" + connector}
}

func findingPrefix(hour time.Time, shard int) string {
	return fmt.Sprintf("%s#%d#", hourText(hour), shard)
}

// Findings returns what is known of conversations in an hour, by conversation and connector. Of most there is nothing.
func (s *Store) Findings(ctx context.Context, hour time.Time, convs []chat.ConversationID, connectors []string) (map[chat.ConversationID]map[string]Finding, error) {
	var keys []key
	for _, conv := range convs {
		for _, c := range connectors {
			keys = append(keys, findingKey(hour, conv, c))
		}
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := map[chat.ConversationID]map[string]Finding{}
	for k, it := range items {
		d, err := decode[Finding](k, it)
		if err != nil {
			return nil, err
		}
		if out[d.val.Conversation] == nil {
			out[d.val.Conversation] = map[string]Finding{}
		}
		out[d.val.Conversation][d.val.Connector] = d.val
	}
	return out, nil
}

// Find changes what is known of a conversation in an hour, and returns that as it was and as it is.
func (s *Store) Find(ctx context.Context, hour time.Time, conv chat.ConversationID, connector string, change func(*Finding)) (before, now Finding, err error) {
	now, err = edit(ctx, s, findingKey(hour, conv, connector), func(d *doc[Finding]) (bool, error) {
		before = d.val
		if d.rev == 0 {
			d.val = Finding{Connector: connector, Conversation: conv, Hour: hour.UTC()}
			d.ttl = s.now().Add(reconciledFor)
		}
		change(&d.val)
		return d.val != before, nil
	})
	return before, now, err
}

// Lacking returns the conversations of an hour's shard of which something has to be looked at again, as Marked does.
func (s *Store) Lacking(ctx context.Context, hour time.Time, shard int, after chat.ConversationID, limit int) ([]Marked, error) {
	const stride = 100
	prefix := findingPrefix(hour, shard)
	for {
		from := prefix
		if after != "" {
			from = prefix + string(after) + "#" + newestFirst // behind what is known of it
		}
		items, err := s.query(ctx, span{pk: findings, from: from, to: prefix + newestFirst, limit: stride})
		if err != nil {
			return nil, err
		}
		var convs []chat.ConversationID
		for _, it := range items {
			d, err := decode[Finding](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			conv := d.val.Conversation
			if open := d.val.Open(); open && !slices.Contains(convs, conv) {
				if len(convs) == limit {
					break
				}
				convs = append(convs, conv)
			}
			after = conv
		}
		marks, err := s.marks(ctx, hour, convs)
		if err != nil || len(marks) > 0 || len(items) < stride && len(convs) < limit {
			return marks, err
		}
	}
}

// FindingFilter selects findings; its zero value selects all of them.
type FindingFilter struct {
	Connector string
	Verdict   Verdict
	Day       time.Time // zero: every day
}

func (f FindingFilter) matches(v Finding) bool {
	return (f.Connector == "" || f.Connector == v.Connector) && (f.Verdict == "" || f.Verdict == v.Verdict)
}

// mostFindings is how many findings a page looks at.
const mostFindings = 1000

// findingShape is what a cursor of findings is made of.
var findingShape = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d#\d#.+#.+$`)

// AllFindings returns a page of findings, the latest hour first, and the cursor of the next page, empty on the last one. A
// page may be empty and still have a next one.
func (s *Store) AllFindings(ctx context.Context, f FindingFilter, cursor string, limit int) ([]Finding, string, error) {
	q := span{pk: findings, from: "0", to: newestFirst, newest: true}
	if !f.Day.IsZero() {
		day := f.Day.UTC().Format(time.DateOnly)
		q.from, q.to = day, day+newestFirst
	}
	before := ""
	if cursor != "" {
		var err error
		if before, err = decodeShape(cursor, findingShape); err != nil {
			return nil, "", err
		}
		q.to = min(q.to, before)
	}
	if q.from > q.to {
		return []Finding{}, "", nil // the cursor is another day's
	}
	limit = max(limit, 1)
	q.limit = limit + 1 // the one at the cursor
	page := []Finding{}
	for looked := 0; ; {
		items, err := s.query(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for i, it := range items {
			at := keyOf(it).sk
			if at == before {
				continue
			}
			d, err := decode[Finding](keyOf(it), it)
			if err != nil {
				return nil, "", err
			}
			if f.matches(d.val) {
				page = append(page, d.val)
			}
			if more := i < len(items)-1 || len(items) == q.limit; len(page) == limit && more {
				return page, encodeCursor(at), nil
			}
			before = at
		}
		looked += len(items)
		switch {
		case len(items) < q.limit:
			return page, "", nil
		case looked >= mostFindings:
			return page, encodeCursor(before), nil
		}
		q.to = before
	}
}

package store

import (
	"context"
	"fmt"
	"time"

	"threadline/shared/chat"
)

// What came in an hour is found again without looking at what came in others: the transaction that stores the first
// message of a conversation in an hour lists the conversation under that hour. The conversation remembers that it is
// listed, so that a second message costs nothing more.

// reconciledFor is how long it is known what came in an hour, and what was missing of it: longer than anybody looks after it.
const reconciledFor = 35 * 24 * time.Hour

// Shards is how many lists an hour has.
const Shards = shards

// hourForm is how an hour is written in keys: the later is the greater text.
const hourForm = "2006-01-02T15"

func hourText(hour time.Time) string { return hour.UTC().Format(hourForm) }

func markKey(hour time.Time, conv chat.ConversationID) key {
	return key{markPartition(hour, shardOf(string(conv))), string(conv)}
}

func markPartition(hour time.Time, shard int) string {
	return fmt.Sprintf("RECON#%s#%d", hourText(hour), shard)
}

func comparisonKey(hour time.Time, shard int) key {
	return key{"RECON#" + hourText(hour), fmt.Sprintf("JOB#%d", shard)}
}

func reconciliationKey() key { return key{"RECON", "PROGRESS"} }

// Marked is a conversation in which something came in an hour that belongs into a CRM.
type Marked struct {
	Conversation chat.ConversationID `json:"conversation"`
	chat.Mark
}

// mark lists the conversation of a message that is stored now under the present hour, if it has to be. The condition of
// the conversation's own write, in the same transaction, protects the list: no other of its messages comes in between.
func (s *Store) mark(c *chat.Conversation, m chat.Message) ([]op, error) {
	if !causesEntry(m) || !c.Mark(m, s.now()) {
		return nil, nil
	}
	d := doc[Marked]{key: markKey(c.Marked.Hour, c.ID), val: Marked{c.ID, *c.Marked}, ttl: c.Marked.Hour.Add(reconciledFor)}
	o, err := d.overwrite()
	return []op{o}, err
}

func causesEntry(m chat.Message) bool {
	for _, e := range m.Effects {
		if e.Kind == chat.EffectCRM {
			return true
		}
	}
	return false
}

// Marked returns the conversations of a shard in which something came in an hour, at most limit of them, in order, behind
// a given one (empty: from the first one on).
func (s *Store) Marked(ctx context.Context, hour time.Time, shard int, after chat.ConversationID, limit int) ([]Marked, error) {
	from := max(string(after), "0")
	items, err := s.query(ctx, span{pk: markPartition(hour, shard), from: from, to: newestFirst, limit: limit + 1}) // one more, for the one at from
	if err != nil {
		return nil, err
	}
	var out []Marked
	for _, it := range items {
		d, err := decode[Marked](keyOf(it), it)
		if err != nil {
			return nil, err
		}
		if d.val.Conversation != after && len(out) < limit {
			out = append(out, d.val)
		}
	}
	return out, nil
}

// marks returns what is known of conversations in an hour. Those of which nothing is known any more are missing.
func (s *Store) marks(ctx context.Context, hour time.Time, convs []chat.ConversationID) ([]Marked, error) {
	var keys []key
	for _, conv := range convs {
		keys = append(keys, markKey(hour, conv))
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var out []Marked
	for _, k := range keys {
		d, err := read[Marked](items, k)
		if err != nil {
			return nil, err
		}
		if d.rev > 0 {
			out = append(out, d.val)
		}
	}
	return out, nil
}

// Reconciliation is how far the hours have been compared.
type Reconciliation struct {
	Begun    time.Time `json:"begun,omitzero"`    // the last hour that was begun, with all before it
	Compared time.Time `json:"compared,omitzero"` // the last hour that was compared, with all before it
}

// Through is the moment up to which everything that came was compared; zero: nothing was.
func (r Reconciliation) Through() time.Time {
	if r.Compared.IsZero() {
		return time.Time{}
	}
	return r.Compared.Add(time.Hour)
}

// Reconciliation returns how far the hours have been compared.
func (s *Store) Reconciliation(ctx context.Context) (Reconciliation, error) {
	return readOne[Reconciliation](ctx, s, reconciliationKey())
}

// SaveReconciliation notes it. It never takes it back, whoever of two that do the same is the slower.
func (s *Store) SaveReconciliation(ctx context.Context, r Reconciliation) (Reconciliation, error) {
	return edit(ctx, s, reconciliationKey(), func(d *doc[Reconciliation]) (changed bool, err error) {
		if r.Begun.After(d.val.Begun) {
			d.val.Begun, changed = r.Begun.UTC(), true
		}
		if r.Compared.After(d.val.Compared) {
			d.val.Compared, changed = r.Compared.UTC(), true
		}
		return changed, nil
	})
}

// readOne reads one item; its zero value if there is none.
func readOne[T any](ctx context.Context, s *Store, k key) (T, error) {
	items, err := s.get(ctx, k)
	if err != nil {
		var none T
		return none, err
	}
	d, err := read[T](items, k)
	return d.val, err
}

// Tally counts a conversation's messages of an hour that belong into a CRM.
type Tally struct {
	Stored  int    `json:"stored"`
	Synced  int    `json:"synced"`            // complete in the CRM
	Missing int    `json:"missing,omitempty"` // should be there and isn't
	Waiting int    `json:"waiting,omitempty"` // isn't due yet
	Refused int    `json:"refused,omitempty"` // by the CRM, for good
	Reason  string `json:"reason,omitempty"`  // of the last refusal
	Asked   bool   `json:"asked,omitempty"`   // what is missing was asked for again
}

// Comparison is how far the messages of an hour, in one shard, are compared. It is looked at again as long as something
// lacks.
type Comparison struct {
	ID     string              `json:"id"` // of what began it
	Begun  time.Time           `json:"begun"`
	Look   int                 `json:"look"`             // how many are over
	Next   time.Time           `json:"next,omitzero"`    // when this one may begin
	Passed chat.ConversationID `json:"passed,omitempty"` // the last conversation that is done in this look
	Within *Within             `json:"within,omitempty"` // the one after that, if it is too long for one run
	Open   bool                `json:"open,omitempty"`   // something lacks so far in this look
	Done   bool                `json:"done,omitempty"`
}

// Within is how far a conversation is compared.
type Within struct {
	Conversation chat.ConversationID `json:"conversation"`
	After        string              `json:"after"` // SortKey of the last message
	Tallies      map[string]Tally    `json:"tallies"`
}

// behind tells whether another state of the same comparison is at least as far.
func (c Comparison) behind(other Comparison) bool {
	switch {
	case c.Done || other.Done:
		return other.Done
	case c.Look != other.Look:
		return c.Look < other.Look
	case c.Passed != other.Passed:
		return c.Passed < other.Passed
	case c.Within == nil || other.Within == nil:
		return c.Within == nil
	case c.Within.Conversation != other.Within.Conversation:
		return c.Within.Conversation > other.Within.Conversation // one more was listed before it
	}
	return c.Within.After <= other.Within.After
}

// BeginComparison begins the comparison of an hour's shard anew. Of several the one begun last counts; beginning the present
// one again changes nothing.
func (s *Store) BeginComparison(ctx context.Context, hour time.Time, shard int, id string) error {
	_, err := s.editComparison(ctx, hour, shard, func(c *Comparison) bool {
		if c.ID == id {
			return false
		}
		*c = Comparison{ID: id, Begun: s.now().UTC()}
		return true
	})
	return err
}

// Comparison returns how far an hour's shard is, one without an id if it was never begun.
func (s *Store) Comparison(ctx context.Context, hour time.Time, shard int) (Comparison, error) {
	return readOne[Comparison](ctx, s, comparisonKey(hour, shard))
}

// SaveComparison notes how far a comparison is. current is false, and nothing is noted, if another was begun meanwhile or
// somebody who does the same is further.
func (s *Store) SaveComparison(ctx context.Context, hour time.Time, shard int, c Comparison) (current bool, err error) {
	_, err = s.editComparison(ctx, hour, shard, func(stored *Comparison) bool {
		if current = stored.ID == c.ID && stored.behind(c); current {
			*stored = c
		}
		return current
	})
	return current && err == nil, err
}

func (s *Store) editComparison(ctx context.Context, hour time.Time, shard int, change func(*Comparison) bool) (Comparison, error) {
	return edit(ctx, s, comparisonKey(hour, shard), func(d *doc[Comparison]) (bool, error) {
		d.ttl = s.now().Add(reconciledFor)
		return change(&d.val), nil
	})
}

// Compared tells whether every shard of an hour that was begun has been looked at once.
func (s *Store) Compared(ctx context.Context, hour time.Time) (bool, error) {
	var keys []key
	for shard := range shards {
		keys = append(keys, comparisonKey(hour, shard))
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		d, err := read[Comparison](items, k)
		if err != nil {
			return false, err
		}
		if d.rev > 0 && d.val.Look == 0 && !d.val.Done {
			return false, nil
		}
	}
	return true, nil
}

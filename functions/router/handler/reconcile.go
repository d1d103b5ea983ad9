package handler

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/store"
)

// What came in an hour is compared with what the CRMs have, when the hour is over. What lacks is asked for again, and
// looked after until it is there: first soon, then ever more rarely.

// kindReconcile is the entry of the job that compares an hour's messages, in one shard.
const kindReconcile = "reconcile"

const (
	firstWait = 5 * time.Minute // before the second look
	longWait  = 6 * time.Hour   // between later ones
	// lookAfter is how long a comparison is looked after. A queue keeps an entry for two weeks.
	lookAfter = 13 * 24 * time.Hour
	// unprobed is how long after its time nobody has tried whether a CRM works again: then nothing waits for it.
	unprobed = time.Hour

	mostRead = 400 // messages that one run compares, about
	mostSent = 50  // and asks for
	listed   = 25  // conversations at a time
	pageRead = 100 // messages at a time
)

// reconcileJob is that entry.
type reconcileJob struct {
	V     int       `json:"v"`
	Kind  string    `json:"kind"`
	Hour  time.Time `json:"hour"`
	Shard int       `json:"shard"`
	ID    string    `json:"id"` // of what began it
}

// reconcile looks at an hour's messages once, or goes on where an earlier run of the same look ended.
func (h *Handler) reconcile(ctx context.Context, m queue.Message, body []byte) error {
	var j reconcileJob
	if err := json.Unmarshal(body, &j); err != nil || j.Hour.IsZero() || j.ID == "" {
		return errNoJob
	}
	if m.Receives >= renewal {
		return h.queueJob(ctx, j)
	}
	c, err := h.Store.Comparison(ctx, j.Hour, j.Shard)
	if err != nil || c.ID != j.ID || c.Done {
		return err // a later one does all that this one would
	}
	if wait := c.Next.Sub(h.now()); wait > 0 {
		return queue.Later(wait, nil)
	}
	w := &walk{h: h, j: j, state: c, shut: map[string]bool{}, counts: map[counted]int{}}
	defer w.count(ctx)
	return w.run(ctx)
}

// walk is a run through an hour's conversations.
type walk struct {
	h          *Handler
	j          reconcileJob
	state      store.Comparison
	read, sent int
	shut       map[string]bool // whether a CRM is left alone because it is down
	counts     map[counted]int
}

// counted is what is told of a CRM.
type counted struct{ metric, connector string }

// count writes what was found, once for each CRM.
func (w *walk) count(ctx context.Context) {
	for what, n := range w.counts {
		if n > 0 {
			w.h.Metrics.Count(ctx, what.metric, n, "Connector", what.connector)
		}
	}
}

func (w *walk) run(ctx context.Context) error {
	for w.read < mostRead && w.sent < mostSent {
		marks, err := w.next(ctx)
		if err != nil {
			return err
		}
		if len(marks) == 0 {
			return w.finish(ctx)
		}
		if current, err := w.page(ctx, marks); err != nil {
			return err
		} else if !current {
			return queue.Later(0, nil)
		}
	}
	if w.sent == 0 {
		return queue.Later(0, nil)
	}
	gap, err := w.h.gap(ctx, w.h.Connectors, w.sent)
	if err != nil {
		return err
	}
	return queue.Later(gap, nil)
}

// next are the next conversations: at the first look all in which something came, later those where something lacks.
func (w *walk) next(ctx context.Context) ([]store.Marked, error) {
	if w.state.Look == 0 {
		return w.h.Store.Marked(ctx, w.j.Hour, w.j.Shard, w.state.Passed, listed)
	}
	return w.h.Store.Lacking(ctx, w.j.Hour, w.j.Shard, w.state.Passed, listed)
}

// page compares conversations, and notes how far it is. current is false if somebody else does the same and is further, or
// another comparison was begun: which of them, the next run finds out.
func (w *walk) page(ctx context.Context, marks []store.Marked) (current bool, err error) {
	var convs []chat.ConversationID
	for _, m := range marks {
		convs = append(convs, m.Conversation)
	}
	known, err := w.h.Store.Findings(ctx, w.j.Hour, convs, w.h.Connectors)
	if err != nil {
		return false, err
	}
	for i, m := range marks {
		if err := w.conversation(ctx, m, known[m.Conversation]); err != nil {
			return false, err
		}
		full := w.read >= mostRead || w.sent >= mostSent
		if !full && i < len(marks)-1 {
			continue
		}
		if current, err = w.h.Store.SaveComparison(ctx, w.j.Hour, w.j.Shard, w.state); full || err != nil || !current {
			return current, err
		}
	}
	return true, nil
}

// conversation compares one conversation, or the next part of a long one.
func (w *walk) conversation(ctx context.Context, m store.Marked, known map[string]store.Finding) error {
	at := store.Within{Conversation: m.Conversation, After: store.FromOn(m.From), Tallies: map[string]store.Tally{}}
	if in := w.state.Within; in != nil && in.Conversation == m.Conversation {
		at = *in
	}
	c := &comparing{walk: w, m: m, known: known, at: &at}
	done, err := c.run(ctx)
	if err != nil {
		return err
	}
	if !done {
		w.state.Within = &at
		return nil
	}
	w.state.Passed, w.state.Within = m.Conversation, nil
	for _, connector := range w.h.Connectors {
		if err := w.find(ctx, m.Conversation, connector, at.Tallies[connector], known[connector]); err != nil {
			return err
		}
	}
	return nil
}

// find notes what was found of a conversation in a CRM, if something lacks or did before.
func (w *walk) find(ctx context.Context, conv chat.ConversationID, connector string, t store.Tally, known store.Finding) error {
	if w.state.Look == 0 {
		w.counts[counted{metric.CRMChecked, connector}] += t.Stored
	}
	if t.Missing+t.Waiting+t.Refused == 0 && known.Since.IsZero() {
		return nil
	}
	now := w.h.now()
	before, f, err := w.h.Store.Find(ctx, w.j.Hour, conv, connector, func(f *store.Finding) { f.Take(t, now) })
	if err != nil {
		return err
	}
	w.state.Open = w.state.Open || f.Open()
	w.tell(ctx, before, f)
	return nil
}

// tell counts what is new, and says what somebody has to look at.
func (w *walk) tell(ctx context.Context, before, f store.Finding) {
	w.counts[counted{metric.CRMMissing, f.Connector}] += max(0, f.Missing-before.Missing)
	w.counts[counted{metric.CRMRepaired, f.Connector}] += f.Repaired - before.Repaired
	w.counts[counted{metric.CRMRefused, f.Connector}] += max(0, f.Refused-before.Refused)
	if f.Overdue() {
		w.counts[counted{metric.CRMOverdue, f.Connector}] += f.Missing
		slog.ErrorContext(ctx, "messages are missing in the CRM although they were asked for again: see the runbook, attention-needed",
			"connector", f.Connector, "conversation", f.Conversation, "hour", f.Hour, "missing", f.Missing, "since", f.Since)
	}
}

// finish ends a look. Either nothing lacks, or there is another one.
func (w *walk) finish(ctx context.Context) error {
	next := store.Comparison{ID: w.state.ID, Begun: w.state.Begun, Look: w.state.Look + 1}
	next.Next = w.h.now().Add(min(firstWait<<min(w.state.Look, 10), longWait)).UTC()
	next.Done = !w.state.Open || w.h.now().Sub(w.state.Begun) > lookAfter
	current, err := w.h.Store.SaveComparison(ctx, w.j.Hour, w.j.Shard, next)
	switch {
	case err != nil:
		return err
	case !current:
		return queue.Later(0, nil) // somebody else is further: look how far
	case next.Done:
		return nil
	}
	return queue.Later(next.Next.Sub(w.h.now()), nil)
}

// isShut tells whether a CRM is down as far as crmsync knows: then what lacks is in its queue, and tries by and by. The
// failure of a single entry counts too: where there is little to do nothing else tells, and whatever succeeds undoes it.
func (w *walk) isShut(ctx context.Context, connector string) (bool, error) {
	if shut, known := w.shut[connector]; known {
		return shut, nil
	}
	g, err := w.h.Store.Gate(ctx, connector)
	if err != nil {
		return false, err
	}
	w.shut[connector] = g.Failures > 0 && (g.Until.IsZero() || w.h.now().Sub(g.Until) < unprobed)
	return w.shut[connector], nil
}

package handler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

// An import brings thousands of messages within minutes, in any order, and a CRM that is connected later lacks all that
// was stored before. A job for each conversation feeds them to the CRM in the order of time, a few at a time and no faster
// than the CRM bears, so that what customers write meanwhile never waits behind them. It never sleeps: each look at a job
// ends with when to look again.

const (
	settled     = 2 * time.Minute // after a number's last chunk, before its conversations are fed
	feeders     = 4               // conversations that are fed at the same time
	mouthful    = 5               // messages of a conversation that are fed at once: its next live one stands behind them
	maxMouthful = 50
	patience    = 24 * time.Hour // with entries that don't come: a CRM that refuses says so on the entry
	feederLease = 30 * time.Minute
	feederName  = "import"

	// renewal is the receive at which a job is queued anew: each look is a receive, and the queue's own dead-letter rule
	// ends an entry at its thousandth, or after two weeks.
	renewal = 500
	// skips is how many mouthfuls one look may find done already: those that an earlier job of the conversation fed.
	skips = 50
)

func (h *Handler) pace() pace { return pace(cmp.Or(h.Settled, settled)) }

// The kinds of entries that feed a conversation to a CRM: what was imported to all of them, or everything to one.
const (
	kindImport = "import"
	kindFeed   = "feed"
)

// feedJob is the entry of a job that feeds a conversation.
type feedJob struct {
	V            int                 `json:"v"`
	Kind         string              `json:"kind"`
	Conversation chat.ConversationID `json:"conversation"`
	ID           string              `json:"id"` // of the update, or of the backfill, that made it due
	Connector    string              `json:"connector,omitempty"`
}

// name is what the job is called on the table.
func (j feedJob) name() string {
	if j.Kind == kindFeed {
		return store.BackfillJob(j.Connector)
	}
	return store.ImportJob
}

// holder is who holds a slot for the job.
func (j feedJob) holder() string {
	if j.Kind == kindFeed {
		return string(j.Conversation) + "#" + j.Connector
	}
	return string(j.Conversation)
}

// into are the CRMs that the job feeds.
func (h *Handler) into(j feedJob) []string {
	if j.Kind == kindFeed {
		return []string{j.Connector}
	}
	return h.Connectors
}

// beginImport queues the job of a conversation, which replaces an earlier one: more was imported, until a time.
func (h *Handler) beginImport(ctx context.Context, conv chat.ConversationID, id string, until time.Time) error {
	if len(h.Connectors) == 0 {
		return nil
	}
	if err := h.Store.SawImport(ctx, conv.Number()); err != nil {
		return err
	}
	if err := h.Store.BeginJob(ctx, conv, store.ImportJob, id, until); err != nil {
		return err
	}
	return h.queueJob(ctx, feedJob{V: 1, Kind: kindImport, Conversation: conv, ID: id})
}

// queueJob queues an entry of any kind of job.
func (h *Handler) queueJob(ctx context.Context, j any) error {
	body, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if err := h.Bulk.Send(ctx, queue.Entry{Body: body, Group: store.Hash(body)[:32]}); err != nil {
		return fmt.Errorf("queue a job: %w", err)
	}
	return nil
}

// errNoJob says that a job isn't one that this release writes.
var errNoJob = errors.New("read job: it isn't one that this release writes")

// feedJob looks at a job once and does what is next.
func (h *Handler) feedJob(ctx context.Context, m queue.Message, body []byte) error {
	var j feedJob
	if err := json.Unmarshal(body, &j); err != nil || j.Conversation == "" || j.ID == "" || (j.Kind == kindFeed) != (j.Connector != "") {
		return errNoJob
	}
	if m.Receives >= renewal {
		return h.queueJob(ctx, j)
	}
	stored, err := h.Store.Job(ctx, j.Conversation, j.name())
	if err != nil || stored.ID != j.ID {
		return err // a later job does all that this one would
	}
	if j.Kind == kindFeed {
		if err := h.Store.SeePart(ctx, j.Conversation, j.Connector, stored); err != nil {
			return err
		}
	}
	at := placeOf(stored.Cursor)
	if h.unconfigured(j) {
		return h.endFeeding(ctx, j, at)
	}
	quiet, err := h.quiet(ctx, j)
	if err != nil {
		return err
	}
	for range skips {
		l := look{done: stored.Done, quiet: quiet, fed: at.at}
		if l.page, l.lacks, err = h.page(ctx, j, at, stored.Until); err != nil {
			return err
		}
		switch what, wait := next(l, h.pace(), h.now()); what {
		case toEnd:
			return h.endFeeding(ctx, j, at)
		case toPass:
			h.givenUp(ctx, j, l.lacks)
			at = place{passed: store.Through(l.page)}
		case toWait:
			return queue.Later(wait, nil)
		case toFeed:
			return h.feed(ctx, j, at, stored.Fed, l, m.Receives)
		}
	}
	if _, err := h.Store.SaveJob(ctx, j.Conversation, j.name(), store.Job{ID: j.ID, Cursor: at.cursor()}); err != nil {
		return err
	}
	return queue.Later(0, nil)
}

// givenUp says what didn't come in a day: the next ones don't wait for it any longer.
func (h *Handler) givenUp(ctx context.Context, j feedJob, lacks []feeding) {
	for _, f := range lacks {
		h.Metrics.Count(ctx, metric.CRMOverdue, 1, "Connector", f.effect.Target)
		slog.ErrorContext(ctx, "an old message didn't come to the CRM in a day and is passed over: see the runbook, attention-needed",
			"connector", f.effect.Target, "conversation", j.Conversation, "job", j.name())
	}
}

// quiet is since when nothing has come that the job would have to wait for.
func (h *Handler) quiet(ctx context.Context, j feedJob) (time.Time, error) {
	if j.Kind == kindFeed {
		return time.Time{}, nil // all of it was there before
	}
	return h.Store.ImportQuiet(ctx, j.Conversation.Number())
}

// unconfigured tells whether a job is for a CRM that isn't used any more.
func (h *Handler) unconfigured(j feedJob) bool {
	return j.Kind == kindFeed && !slices.Contains(h.Connectors, j.Connector)
}

// feeding is a message's entry in one CRM.
type feeding struct {
	message chat.Message
	effect  chat.Effect
}

// page reads the messages that a job is at, and what of their entries is missing. What an import brought is until a time.
func (h *Handler) page(ctx context.Context, j feedJob, at place, until time.Time) (page []chat.Message, lacks []feeding, err error) {
	if j.Kind == kindFeed {
		page, err = h.Store.Following(ctx, j.Conversation, at.passed, h.pace().mouthful())
	} else {
		page, err = h.Store.Imported(ctx, j.Conversation, at.passed, until, h.pace().mouthful())
	}
	if err != nil {
		return nil, nil, err
	}
	if !at.at.IsZero() { // what has come between since is a later job's
		page = slices.DeleteFunc(page, func(m chat.Message) bool { return store.SortKey(m) > at.fed })
	}
	lacks, err = h.lacking(ctx, j, page)
	return page, lacks, err
}

// lacking returns the entries that messages should have and don't.
func (h *Handler) lacking(ctx context.Context, j feedJob, page []chat.Message) ([]feeding, error) {
	var ids []chat.MessageID
	for _, m := range page {
		ids = append(ids, m.ID)
	}
	entries := map[string]map[chat.MessageID]store.Entry{}
	for _, connector := range h.into(j) {
		known, err := h.Store.Entries(ctx, j.Conversation, connector, ids)
		if err != nil {
			return nil, err
		}
		entries[connector] = known
	}
	var lacks []feeding
	for _, m := range page {
		due, err := h.due(ctx, j, m)
		if err != nil {
			return nil, err
		}
		for _, e := range due {
			known, configured := entries[e.Target]
			if entry := known[m.ID]; configured && entry.Ref == "" && entry.Reason == "" {
				lacks = append(lacks, feeding{m, e})
			}
		}
	}
	return lacks, nil
}

// due returns the effects of a message that a job brings about.
func (h *Handler) due(ctx context.Context, j feedJob, m chat.Message) ([]chat.Effect, error) {
	if j.Kind == kindImport {
		return route.Due(m, route.Imported), nil
	}
	return h.adopt(ctx, m, j.Connector)
}

// feed queues what a page lacks, if fewer than so many conversations are being fed.
func (h *Handler) feed(ctx context.Context, j feedJob, at place, fed int, l look, receives int) error {
	taken, err := h.Store.TakeSlot(ctx, feederName, j.holder(), feeders, feederLease)
	if err != nil {
		return err
	}
	if !taken {
		return queue.Later(min(h.pace().firstTurn()*time.Duration(receives), h.pace().longTurn()), nil)
	}
	gap, err := h.gap(ctx, h.into(j), len(l.lacks))
	if err != nil {
		return err
	}
	cause := route.Imported
	if j.Kind == kindFeed {
		cause = route.Turn(j.ID)
	}
	for _, f := range l.lacks {
		if err := h.send(ctx, f.message, f.effect, cause); err != nil {
			return err
		}
	}
	at.fed, at.at = store.Through(l.page), h.now()
	so := store.Job{ID: j.ID, Cursor: at.cursor(), Fed: fed + len(l.lacks)}
	current, err := h.Store.SaveJob(ctx, j.Conversation, j.name(), so)
	if err != nil || !current {
		return err
	}
	slog.DebugContext(ctx, "fed a part of a conversation", "conversation", j.Conversation, "entries", len(l.lacks))
	return queue.Later(gap, nil)
}

// gap is how long to leave CRMs alone after so many entries, at the rate of the one that takes the fewest.
func (h *Handler) gap(ctx context.Context, connectors []string, entries int) (longest time.Duration, err error) {
	for _, c := range connectors {
		perSecond, err := h.Store.Rate(ctx, c, h.pace().growth())
		if err != nil {
			return 0, err
		}
		longest = max(longest, h.pace().gap(entries, perSecond))
	}
	return longest, nil
}

// endFeeding notes that a job is done and lets another conversation be fed.
func (h *Handler) endFeeding(ctx context.Context, j feedJob, at place) error {
	so := store.Job{ID: j.ID, Cursor: at.cursor(), Done: true}
	var err error
	if j.Kind == kindFeed {
		err = h.Store.FinishPart(ctx, j.Conversation, j.Connector, so)
	} else {
		_, err = h.Store.SaveJob(ctx, j.Conversation, j.name(), so)
	}
	if err != nil {
		return err
	}
	return h.Store.FreeSlot(ctx, feederName, j.holder())
}

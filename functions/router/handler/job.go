package handler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

// An import brings thousands of messages within minutes, in any order. A job for each conversation feeds them to the CRM
// in the order of time, a few at a time and no faster than the CRM bears, so that what customers write meanwhile never
// waits behind them. It never sleeps: each look at a job ends with when to look again.

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

// pace is how long a number's import must have been quiet. A job's other waits keep a proportion to it, and what is fed
// at once the inverse one, so that one setting makes all of an import quick where no CRM has to be spared.
type pace time.Duration

func (p pace) settled() time.Duration   { return time.Duration(p) }
func (p pace) firstLook() time.Duration { return time.Duration(p) / 24 } // after feeding: 5 s
func (p pace) longLook() time.Duration  { return time.Duration(p) * 5 / 2 }
func (p pace) firstTurn() time.Duration { return time.Duration(p) / 4 } // while all feeders are busy: 30 s
func (p pace) longTurn() time.Duration  { return time.Duration(p) * 2 }
func (p pace) growth() time.Duration    { return time.Duration(p) * 5 / 2 } // of the rate at which a CRM is fed: 5 min

// mouthful is how many messages of a conversation are fed at once.
func (p pace) mouthful() int {
	return min(max(mouthful, int(mouthful*settled/time.Duration(p))), maxMouthful)
}

// gap is how long one of the feeders leaves a CRM alone that takes so many entries a second of all of them.
func (p pace) gap(entries int, perSecond float64) time.Duration {
	seconds := float64(feeders*entries) / perSecond * time.Duration(p).Seconds() / settled.Seconds()
	return max(p.firstLook(), time.Duration(seconds*float64(time.Second)))
}

func (h *Handler) pace() pace { return pace(cmp.Or(h.Settled, settled)) }

// kindImport tells a job from an update on the same queue.
const kindImport = "import"

// importJob is the entry of a job.
type importJob struct {
	V            int                 `json:"v"`
	Kind         string              `json:"kind"`
	Conversation chat.ConversationID `json:"conversation"`
	ID           string              `json:"id"` // of the update that made it due
}

// beginImport queues the job of a conversation, which replaces an earlier one: more was imported.
func (h *Handler) beginImport(ctx context.Context, conv chat.ConversationID, id string) error {
	if len(h.Connectors) == 0 {
		return nil
	}
	if err := h.Store.SawImport(ctx, conv.Number()); err != nil {
		return err
	}
	if err := h.Store.BeginJob(ctx, conv, id); err != nil {
		return err
	}
	return h.queueJob(ctx, importJob{V: 1, Kind: kindImport, Conversation: conv, ID: id})
}

func (h *Handler) queueJob(ctx context.Context, j importJob) error {
	body, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if err := h.Bulk.Send(ctx, queue.Entry{Body: body, Group: store.Hash(body)[:32]}); err != nil {
		return fmt.Errorf("queue a job: %w", err)
	}
	return nil
}

// importJob looks at a job once and does what is next.
func (h *Handler) importJob(ctx context.Context, m queue.Message, body []byte) error {
	var j importJob
	if err := json.Unmarshal(body, &j); err != nil || j.Conversation == "" || j.ID == "" {
		return errors.New("read job: it isn't one that this release writes")
	}
	if m.Receives >= renewal {
		return h.queueJob(ctx, j)
	}
	stored, err := h.Store.Job(ctx, j.Conversation)
	if err != nil || stored.ID != j.ID {
		return err // a later job does all that this one would
	}
	quiet, err := h.Store.ImportQuiet(ctx, j.Conversation.Number())
	if err != nil {
		return err
	}
	at := placeOf(stored.Cursor)
	for range skips {
		l := look{done: stored.Done, quiet: quiet, fed: at.at}
		if l.page, l.lacks, err = h.page(ctx, j, at); err != nil {
			return err
		}
		switch what, wait := next(l, h.pace(), h.now()); what {
		case toEnd:
			return h.endImport(ctx, j, at)
		case toPass:
			at = place{passed: store.SortKey(l.page[len(l.page)-1])}
		case toWait:
			return queue.Later(wait, nil)
		case toFeed:
			return h.feed(ctx, j, at, l, m.Receives)
		}
	}
	if _, err := h.Store.SaveJob(ctx, j.Conversation, store.Job{ID: j.ID, Cursor: at.cursor()}); err != nil {
		return err
	}
	return queue.Later(0, nil)
}

// look is what a job sees.
type look struct {
	done  bool           // by an earlier look
	quiet time.Time      // since when no chunk has come
	page  []chat.Message // the next messages behind what is passed
	lacks []feeding      // what of their entries is missing
	fed   time.Time      // when those were fed; zero: not yet
}

// feeding is a message's entry in one CRM.
type feeding struct {
	message chat.Message
	effect  chat.Effect
}

// page reads the messages that a job is at, and what of their entries is missing.
func (h *Handler) page(ctx context.Context, j importJob, at place) ([]chat.Message, []feeding, error) {
	page, err := h.Store.Imported(ctx, j.Conversation, at.passed, h.pace().mouthful())
	if err != nil {
		return nil, nil, err
	}
	if !at.at.IsZero() { // what has come between since is a later job's
		page = slices.DeleteFunc(page, func(m chat.Message) bool { return store.SortKey(m) > at.fed })
	}
	lacks, err := h.lacking(ctx, j.Conversation, page)
	return page, lacks, err
}

// lacking returns the entries that messages should have and don't.
func (h *Handler) lacking(ctx context.Context, conv chat.ConversationID, page []chat.Message) ([]feeding, error) {
	var ids []chat.MessageID
	for _, m := range page {
		ids = append(ids, m.ID)
	}
	entries := map[string]map[chat.MessageID]store.Entry{}
	for _, connector := range h.Connectors {
		known, err := h.Store.Entries(ctx, conv, connector, ids)
		if err != nil {
			return nil, err
		}
		entries[connector] = known
	}
	var lacks []feeding
	for _, m := range page {
		for _, e := range route.Due(m, route.Imported) {
			known, configured := entries[e.Target]
			if entry := known[m.ID]; configured && entry.Ref == "" && entry.Reason == "" {
				lacks = append(lacks, feeding{m, e})
			}
		}
	}
	return lacks, nil
}

// step is what a job does next.
type step int

const (
	toEnd  step = iota // there is nothing more to feed
	toPass             // the page is done: on to the next
	toWait
	toFeed
)

// next decides what a job does next.
func next(l look, p pace, now time.Time) (what step, wait time.Duration) {
	switch quiet := now.Sub(l.quiet); {
	case l.done || len(l.page) == 0:
		return toEnd, 0
	case len(l.lacks) == 0:
		return toPass, 0
	case quiet < p.settled():
		return toWait, p.settled() - quiet
	case l.fed.IsZero():
		return toFeed, 0
	}
	waited := now.Sub(l.fed)
	if waited > patience {
		return toPass, 0
	}
	return toWait, min(max(waited/2, p.firstLook()), p.longLook())
}

// feed queues what a page lacks, if fewer than so many conversations are being fed.
func (h *Handler) feed(ctx context.Context, j importJob, at place, l look, receives int) error {
	taken, err := h.Store.TakeSlot(ctx, feederName, string(j.Conversation), feeders, feederLease)
	if err != nil {
		return err
	}
	if !taken {
		return queue.Later(min(h.pace().firstTurn()*time.Duration(receives), h.pace().longTurn()), nil)
	}
	gap, err := h.gap(ctx, len(l.lacks))
	if err != nil {
		return err
	}
	for _, f := range l.lacks {
		if err := h.send(ctx, f.message, f.effect, route.Imported); err != nil {
			return err
		}
	}
	at.fed, at.at = store.SortKey(l.page[len(l.page)-1]), h.now()
	current, err := h.Store.SaveJob(ctx, j.Conversation, store.Job{ID: j.ID, Cursor: at.cursor()})
	if err != nil || !current {
		return err
	}
	slog.DebugContext(ctx, "fed a part of the history", "conversation", j.Conversation, "entries", len(l.lacks))
	return queue.Later(gap, nil)
}

// gap is how long to leave the CRMs alone after so many entries, at the rate of the one that takes the fewest.
func (h *Handler) gap(ctx context.Context, entries int) (longest time.Duration, err error) {
	for _, c := range h.Connectors {
		perSecond, err := h.Store.Rate(ctx, c, h.pace().growth())
		if err != nil {
			return 0, err
		}
		longest = max(longest, h.pace().gap(entries, perSecond))
	}
	return longest, nil
}

// endImport notes that a job is done and lets another conversation be fed.
func (h *Handler) endImport(ctx context.Context, j importJob, at place) error {
	if _, err := h.Store.SaveJob(ctx, j.Conversation, store.Job{ID: j.ID, Cursor: at.cursor(), Done: true}); err != nil {
		return err
	}
	return h.Store.FreeSlot(ctx, feederName, string(j.Conversation))
}

// place is how far a job is: sort keys of messages. What was fed lies behind what is passed, and is looked after.
type place struct {
	passed, fed string
	at          time.Time // when it was fed; zero: nothing was
}

// trailer is the end of a cursor, of a fixed length: how long fed is, and when it was.
const trailer = len("\n0000000000000000")

// cursor writes a place so that a later one is the greater text, by which the store tells that a job goes on: in no sort
// key is a character below the line feed.
func (p place) cursor() string {
	var ms int64
	if !p.at.IsZero() {
		ms = p.at.UnixMilli()
	}
	return fmt.Sprintf("%s\n%s\n%03d%013d", p.passed, p.fed, len(p.fed), ms)
}

func placeOf(cursor string) place {
	end := len(cursor) - trailer
	if end < 1 {
		return place{}
	}
	n, _ := strconv.Atoi(cursor[end+1 : end+4])
	ms, err := strconv.ParseInt(cursor[end+4:], 10, 64)
	if err != nil || n >= end {
		return place{}
	}
	p := place{passed: cursor[:end-n-1], fed: cursor[end-n : end]}
	if ms > 0 {
		p.at = time.UnixMilli(ms).UTC()
	}
	return p
}

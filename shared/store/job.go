package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"threadline/shared/chat"
)

// An import brings thousands of old messages, and so does a CRM that is connected later. What is done with them is done
// conversation by conversation, by jobs.

// ImportJob is the name of the jobs that bring what was imported into the CRMs.
const ImportJob = "import"

func jobKey(conv chat.ConversationID, name string) key {
	return key{"CONV#" + string(conv), "JOB#" + name}
}

func importKey(n chat.NumberID) key { return key{"NUMBER#" + string(n), "IMPORT"} }

func slotKey(name string, i int) key { return key{"LIMIT#" + name, fmt.Sprintf("SLOT#%d", i)} }

// Imported returns the imported messages of a conversation behind a place in it (empty: the beginning) and up to a time,
// some limit of them, in the order in which people read them. A second is never divided, so that there may be more than
// limit. Those of joined contacts' conversations aren't among them. The next ones are behind Through.
func (s *Store) Imported(ctx context.Context, conv chat.ConversationID, after string, until time.Time, limit int) ([]chat.Message, error) {
	return s.following(ctx, conv, after, messageSort(until, newestFirst), limit, func(m chat.Message) bool { return m.Imported })
}

// Following returns any messages, whenever they were written, as Imported does.
func (s *Store) Following(ctx context.Context, conv chat.ConversationID, after string, limit int) ([]chat.Message, error) {
	return s.following(ctx, conv, after, "MSG#"+newestFirst, limit, func(chat.Message) bool { return true })
}

// FromOn is the place before all messages of a time, for Following.
func FromOn(at time.Time) string { return messageSort(at, "") }

// Through is the place behind a page of Imported or Following; empty if the page is.
func Through(page []chat.Message) (place string) {
	for _, m := range page {
		place = max(place, SortKey(m))
	}
	return place
}

func (s *Store) following(ctx context.Context, conv chat.ConversationID, after, to string, limit int, which func(chat.Message) bool) ([]chat.Message, error) {
	limit = max(limit, 1)
	var out []chat.Message
	from := max(after, "MSG#")
	for n := limit + 2; from < to; n = min(2*n, maxStride) { // two more than the page: the message at from, and one of another second
		items, err := s.query(ctx, span{pk: "CONV#" + string(conv), from: from, to: to, limit: n})
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if keyOf(it).sk == from {
				continue
			}
			d, err := decode[chat.Message](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			if len(out) >= limit && (!d.val.At.Equal(out[len(out)-1].At) || len(out) >= limit+maxStride) {
				slices.SortFunc(out, earlier)
				return out, nil
			}
			if which(d.val) {
				out = append(out, d.val)
			}
		}
		if len(items) < n {
			break
		}
		from = keyOf(items[n-1]).sk
	}
	slices.SortFunc(out, earlier)
	return out, nil
}

// maxStride is how many messages are read at once where few of them are wanted, and how many more than its limit a page
// may have of one second: messages whose time nobody knows are all of the same.
const maxStride = 500

// importGrain is how precise ImportQuiet is: an import is many updates a second, and its time one item.
const importGrain = 10 * time.Second

// seenImport is when an import last brought something.
type seenImport struct {
	At time.Time `json:"at"`
}

// SawImport notes that an import of a number's history brought something right now.
func (s *Store) SawImport(ctx context.Context, n chat.NumberID) error {
	_, err := edit(ctx, s, importKey(n), func(d *doc[seenImport]) (bool, error) {
		now := s.now()
		if now.Sub(d.val.At) < importGrain {
			return false, nil
		}
		d.val.At = now.UTC()
		return true, nil
	})
	return err
}

// ImportQuiet returns since when an import of a number's history has brought nothing, to ten seconds; zero if there never
// was one.
func (s *Store) ImportQuiet(ctx context.Context, n chat.NumberID) (since time.Time, err error) {
	items, err := s.get(ctx, importKey(n))
	if err != nil {
		return since, err
	}
	d, err := read[seenImport](items, importKey(n))
	return d.val.At, err
}

// Job is how far a conversation's messages are dealt with.
type Job struct {
	ID     string `json:"id"`
	Cursor string `json:"cursor,omitempty"` // Through what is; empty: nothing
	Fed    int    `json:"fed,omitempty"`    // how many were brought somewhere
	Done   bool   `json:"done,omitempty"`
	// Until is the time of the newest message that an import brought; behind it there may be years of a conversation.
	Until time.Time `json:"until,omitzero"`
	// Seen is when somebody looked at it, to partGrain; only a part of a backfill has it.
	Seen time.Time `json:"seen,omitzero"`
}

// BeginJob starts a conversation's job of a name anew, because there is more to do, of messages until a time: the one
// begun last is the conversation's, and earlier ones learn from SaveJob that they are not. Beginning the present one again
// changes nothing.
func (s *Store) BeginJob(ctx context.Context, conv chat.ConversationID, name, id string, until time.Time) error {
	_, err := s.editJob(ctx, conv, name, func(j *Job) bool {
		if j.ID == id {
			return false
		}
		if j.Until.After(until) {
			until = j.Until
		}
		*j = Job{ID: id, Until: until.UTC()}
		return true
	})
	return err
}

// Job returns a conversation's job of a name, one without an id if there never was any.
func (s *Store) Job(ctx context.Context, conv chat.ConversationID, name string) (Job, error) {
	return readOne[Job](ctx, s, jobKey(conv, name))
}

// SaveJob notes how far a job is. It never takes it back, whoever of two that do the same job is the slower. current is
// false, and nothing is noted, when another job has been begun meanwhile.
func (s *Store) SaveJob(ctx context.Context, conv chat.ConversationID, name string, j Job) (current bool, err error) {
	now, err := s.editJob(ctx, conv, name, func(stored *Job) bool {
		before := *stored
		return stored.ID == j.ID && stored.advance(j) != before
	})
	return err == nil && now.ID == j.ID && j.ID != "", err
}

// advance takes over what another state of the same job is further in.
func (j *Job) advance(other Job) Job {
	j.Cursor, j.Fed, j.Done = max(j.Cursor, other.Cursor), max(j.Fed, other.Fed), j.Done || other.Done
	return *j
}

// editJob replaces a job by what change makes of it, if change says that it did.
func (s *Store) editJob(ctx context.Context, conv chat.ConversationID, name string, change func(*Job) bool) (Job, error) {
	return edit(ctx, s, jobKey(conv, name), func(d *doc[Job]) (bool, error) {
		d.ttl = s.expiry()
		return change(&d.val), nil
	})
}

// slot is one of a few that may do something at the same time.
type slot struct {
	Holder string    `json:"holder"` // empty: it was given back
	Until  time.Time `json:"until"`
}

// TakeSlot takes, or keeps for longer, one of so many slots, and tells whether there was one. A slot that isn't kept or
// given back is free again when the lease is over.
func (s *Store) TakeSlot(ctx context.Context, name, holder string, slots int, lease time.Duration) (taken bool, err error) {
	keys := make([]key, slots)
	for i := range keys {
		// Everybody begins elsewhere, so that few meet; the same holder always begins at the same one.
		keys[i] = slotKey(name, (i+int(sha256.Sum256([]byte(holder))[0]))%slots)
	}
	err = s.contend(ctx, func() error {
		items, err := s.get(ctx, keys...)
		if err != nil {
			return err
		}
		now := s.now()
		var own, free *doc[slot]
		for _, k := range keys {
			d, err := read[slot](items, k)
			switch {
			case err != nil:
				return err
			case d.val.Holder == holder && own == nil:
				own = &d
			case free == nil && (d.val.Holder == "" || !now.Before(d.val.Until)):
				free = &d
			}
		}
		if own == nil {
			own = free
		}
		if taken = own != nil; !taken {
			return nil
		}
		own.val = slot{holder, now.Add(lease).UTC()}
		o, err := own.put() // protects: a slot has one holder
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
	return taken && err == nil, err
}

// FreeSlot gives back what TakeSlot gave.
func (s *Store) FreeSlot(ctx context.Context, name, holder string) error {
	return s.contend(ctx, func() error {
		items, err := s.query(ctx, prefix("LIMIT#"+name, "SLOT#"))
		if err != nil {
			return err
		}
		for _, it := range items {
			d, err := decode[slot](keyOf(it), it)
			if err != nil {
				return err
			}
			if d.val.Holder != holder {
				continue
			}
			d.val = slot{}
			o, err := d.put() // protects: a slot that somebody else has taken over stays theirs
			if err != nil {
				return err
			}
			if err := s.write(ctx, o); err != nil {
				return err
			}
		}
		return nil
	})
}

package store

import (
	"context"
	"strings"
	"time"

	"threadline/shared/chat"
)

// A part of a backfill is the job of one conversation. It ends when it is done, or when nobody has looked at it for long:
// then its entry is parked, or lost.

// BeginPart begins a conversation's job in a backfill, and counts it, once.
func (s *Store) BeginPart(ctx context.Context, conv chat.ConversationID, b Backfill) error {
	return s.editPart(ctx, conv, b.Connector, func(job *Job, whole *Backfill) bool {
		if whole.ID != b.ID || job.ID == b.ID {
			return false
		}
		*job = Job{ID: b.ID, Seen: s.now().UTC()}
		whole.Begun++
		whole.Found = max(whole.Found, whole.Begun)
		return true
	})
}

// FinishPart notes that a conversation's job in a backfill is done, and counts it, once.
func (s *Store) FinishPart(ctx context.Context, conv chat.ConversationID, connector string, j Job) error {
	return s.editPart(ctx, conv, connector, func(job *Job, whole *Backfill) bool {
		if job.ID != j.ID || job.Done {
			return false
		}
		job.advance(j)
		job.Done = true
		if whole.ID == j.ID {
			whole.Finished, whole.Fed = whole.Finished+1, whole.Fed+job.Fed
		}
		return true
	})
}

// partGrain is how precise Job.Seen is: a job is looked at every few minutes, and that isn't a write each time.
const partGrain = time.Hour

// SeePart notes that somebody looks at a conversation's job in a backfill, as it was read before.
func (s *Store) SeePart(ctx context.Context, conv chat.ConversationID, connector string, job Job) error {
	due := func(j Job) bool { return j.ID == job.ID && !j.Done && s.now().Sub(j.Seen) >= partGrain }
	if !due(job) {
		return nil
	}
	_, err := edit(ctx, s, jobKey(conv, BackfillJob(connector)), func(d *doc[Job]) (bool, error) {
		if !due(d.val) {
			return false, nil
		}
		d.val.Seen = s.now().UTC()
		d.ttl, d.index = s.expiry(), partIndex(conv, connector, d.val)
		return true, nil
	})
	return err
}

// StillParts returns conversations with a job in a backfill that hasn't ended and that nobody has looked at since a time,
// those left alone the longest first.
func (s *Store) StillParts(ctx context.Context, connector string, since time.Time, limit int) ([]chat.ConversationID, error) {
	items, err := s.query(ctx, span{index: true, pk: partsPartition(connector), from: "0", to: millis(since), limit: limit})
	if err != nil {
		return nil, err
	}
	var convs []chat.ConversationID
	for _, it := range items {
		convs = append(convs, chat.ConversationID(strings.TrimPrefix(keyOf(it).pk, "CONV#")))
	}
	return convs, nil
}

// GiveUpPart ends a conversation's job in a backfill if nobody has looked at it since a time, and counts it, once.
func (s *Store) GiveUpPart(ctx context.Context, conv chat.ConversationID, connector string, since time.Time) (given bool, err error) {
	err = s.editPart(ctx, conv, connector, func(job *Job, whole *Backfill) bool {
		if given = job.ID != "" && !job.Done && job.Seen.Before(since); !given {
			return false
		}
		job.Done = true
		if whole.ID == job.ID {
			whole.GivenUp++
		}
		return true
	})
	return given && err == nil, err
}

// partsPartition is the part of the index that holds the jobs of a CRM's backfills that haven't ended.
func partsPartition(connector string) string { return "PARTS#" + connector }

func partIndex(conv chat.ConversationID, connector string, j Job) *key {
	if j.Done {
		return nil
	}
	return &key{partsPartition(connector), millis(j.Seen) + "#" + string(conv)}
}

// editPart changes a conversation's job and the backfill that it is a part of.
// protects: what is begun or done is counted once, and nobody's count is lost.
func (s *Store) editPart(ctx context.Context, conv chat.ConversationID, connector string, change func(*Job, *Backfill) bool) error {
	of, all := jobKey(conv, BackfillJob(connector)), backfillKey(connector)
	return s.contend(ctx, func() error {
		items, err := s.get(ctx, of, all)
		if err != nil {
			return err
		}
		job, err := read[Job](items, of)
		if err != nil {
			return err
		}
		whole, err := read[Backfill](items, all)
		if err != nil || !change(&job.val, &whole.val) {
			return err
		}
		job.ttl, job.index = s.expiry(), partIndex(conv, connector, job.val)
		one, err := job.put()
		if err != nil {
			return err
		}
		count, err := whole.put()
		if err != nil {
			return err
		}
		return s.write(ctx, one, count)
	})
}

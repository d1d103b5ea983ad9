package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
)

// A CRM that is connected later gets what was stored before, conversation by conversation.

// BackfillJob is the name of the jobs that bring a conversation's messages into one CRM.
func BackfillJob(connector string) string { return "backfill#" + connector }

// Backfill is how far everything is brought into one CRM. First the conversations are counted, then each has its job.
type Backfill struct {
	ID        string    `json:"id"`
	Connector string    `json:"connector"`
	Since     time.Time `json:"since"`
	Counted   bool      `json:"counted,omitempty"`
	Cursor    string    `json:"cursor,omitempty"`   // the place of the last conversation that was counted or begun
	Found     int       `json:"found,omitempty"`    // how many conversations there are
	Begun     int       `json:"begun,omitempty"`    // how many have a job
	Finished  int       `json:"done,omitempty"`     // how many of those are done
	GivenUp   int       `json:"given_up,omitempty"` // how many of those ended before they were done: nothing moved
	Fed       int       `json:"fed,omitempty"`      // messages that were brought, in conversations that are done
	Ended     time.Time `json:"ended,omitzero"`
	Stopped   string    `json:"stopped,omitempty"` // why it ended before it was done
}

// Running tells whether there is something left to do.
func (b Backfill) Running() bool { return b.ID != "" && b.Ended.IsZero() }

// Open is how many conversations have a job that hasn't ended.
func (b Backfill) Open() int { return b.Begun - b.Finished - b.GivenUp }

func backfillKey(connector string) key { return key{"BACKFILL#" + connector, "PROGRESS"} }

// BeginBackfill begins a backfill anew. The one begun last is the CRM's; beginning the present one again changes nothing.
func (s *Store) BeginBackfill(ctx context.Context, connector, id string) error {
	_, err := edit(ctx, s, backfillKey(connector), func(d *doc[Backfill]) (bool, error) {
		if d.val.ID == id {
			return false, nil
		}
		d.val = Backfill{ID: id, Connector: connector, Since: s.now().UTC()}
		return true, nil
	})
	return err
}

// Backfill returns a CRM's backfill, one without an id if there never was any.
func (s *Store) Backfill(ctx context.Context, connector string) (Backfill, error) {
	return readOne[Backfill](ctx, s, backfillKey(connector))
}

// SaveBackfill changes how far a backfill is, if from is what is known of it still, but for what jobs count. current is
// false, and nothing is noted, if somebody else was faster.
func (s *Store) SaveBackfill(ctx context.Context, from Backfill, change func(*Backfill)) (current bool, err error) {
	_, err = edit(ctx, s, backfillKey(from.Connector), func(d *doc[Backfill]) (bool, error) {
		b := d.val
		current = b.ID == from.ID && b.Counted == from.Counted && b.Cursor == from.Cursor && b.Ended.Equal(from.Ended)
		if current {
			change(&d.val)
		}
		return d.val != b, nil
	})
	return current && err == nil, err
}

// EveryConversation returns a page of all conversations there are, those of joined contacts included, the least recently
// active first, and the place of its last one, to go on behind; a page that isn't full is the last. One that goes on
// meanwhile moves ahead, so it may be met twice, and none is passed over. The index is a moment behind the table.
//
// It walks what Filter{} selects: a conversation with an owner, or in another team than DefaultTeam, would be passed over.
// There is none, because nothing assigns one: TestNothingAssignsConversations fails as soon as something does.
func (s *Store) EveryConversation(ctx context.Context, after string, limit int) (convs []chat.ConversationID, last string, err error) {
	all, err := s.listed(ctx, Filter{}, span{from: max(after, "0"), to: newestFirst, limit: limit + 1}, after)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(all, func(a, b doc[chat.Conversation]) int { return strings.Compare(a.index.sk, b.index.sk) })
	last = after
	for _, d := range all[:min(limit, len(all))] {
		convs, last = append(convs, d.val.ID), d.index.sk
	}
	return convs, last, nil
}

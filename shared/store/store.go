// Package store keeps conversations in one DynamoDB table.
//
// It guarantees:
//   - A provider's message exists once, and one of ours exists once: the item that names it (REF) is put with
//     attribute_not_exists in the transaction that stores it.
//   - Every other write replaces an item only if it is still the one that was read (its rev), so nothing is lost when
//     two functions meet. Each write carries a token of its attempt: a write that the SDK silently repeated, or whose
//     answer was lost, is recognised by it and counts as done.
//   - Reads that a decision rests on are strongly consistent. Nothing scans; the cost of a message doesn't depend on
//     how long its conversation is or how many contacts there are.
//
// Memory is the table in memory, proven equal by the same suite.
package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/oklog/ulid/v2"

	"threadline/shared/chat"
)

// API is what the store needs of DynamoDB. *dynamodb.Client and *Memory have it.
type API interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Store reads and writes conversations. Its zero options are the real clock and real ids.
type Store struct {
	DB        API
	Table     string
	Retention time.Duration    // how long messages are kept after they were stored; 0: for ever
	Now       func() time.Time // default time.Now
	NewID     func() string    // default: ULIDs
	Pause     func(context.Context, int) error
}

// New returns a store on a table.
func New(db API, table string, retention time.Duration) *Store {
	return &Store{DB: db, Table: table, Retention: retention}
}

func (s *Store) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Store) newID() string {
	if s.NewID == nil {
		return ulid.Make().String()
	}
	return s.NewID()
}

// rounds is how often a write is decided anew because somebody else changed what it rests on. Two functions that meet
// in one conversation settle in two rounds; more is left to the queue.
const rounds = 8

// contend runs a read-decide-write until it isn't disturbed.
func (s *Store) contend(ctx context.Context, try func() error) error {
	var err error
	for round := range rounds {
		if err = try(); !errors.Is(err, errChanged) {
			return err
		}
		if err := s.pause(ctx, round); err != nil {
			return err
		}
	}
	return chat.E(chat.Conflict, "somebody else changed it at the same time: try again", err)
}

// edit replaces an item by what change makes of it, if change says that it did, and returns what it says then. change may be
// called several times, each time with the present item, which has rev 0 where there is none; its error ends the edit.
// protects: what somebody else wrote in between isn't overwritten.
func edit[T any](ctx context.Context, s *Store, k key, change func(*doc[T]) (changed bool, err error)) (T, error) {
	var now T
	err := s.contend(ctx, func() error {
		items, err := s.get(ctx, k)
		if err != nil {
			return err
		}
		d, err := read[T](items, k)
		if err != nil {
			return err
		}
		changed, err := change(&d)
		if now = d.val; err != nil || !changed {
			return err
		}
		o, err := d.put()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
	return now, err
}

// pause waits a little and unevenly, so that two writers who met don't meet again.
func (s *Store) pause(ctx context.Context, round int) error {
	if s.Pause != nil {
		return s.Pause(ctx, round)
	}
	t := time.NewTimer(rand.N(time.Duration(round+1) * 10 * time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return chat.E(chat.Unavailable, "", ctx.Err())
	}
}

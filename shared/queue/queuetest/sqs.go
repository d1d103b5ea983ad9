// Package queuetest is SQS in memory, for tests with a virtual clock: the client's own calls and types, standard and
// FIFO queues, and a Pump that does what Lambda's event source mapping does.
//
// It is deterministic: messages come in the order of their sending, nothing waits (WaitTimeSeconds is ignored), and
// time is what the injected clock says. Run says as tests what it has in common with a real endpoint.
package queuetest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Options are a queue's attributes.
type Options struct {
	Visibility   time.Duration // zero: 30 s
	Retention    time.Duration // zero: 14 days
	MaxReceives  int           // zero: a message is never moved to DLQ
	DLQ          *Queue
	DedupByQueue bool // deduplicate over the whole FIFO queue instead of within a group (high throughput, our setting)
}

// SQS is an account's queues. It has the SDK client's methods and is safe for parallel use.
type SQS struct {
	now func() time.Time

	mu     sync.Mutex
	queues map[string]*Queue // by URL
	serial int               // of messages and receipt handles
}

// New returns an account without queues. now is its clock; nil is time.Now.
func New(now func() time.Time) *SQS {
	if now == nil {
		now = time.Now
	}
	return &SQS{now: now, queues: map[string]*Queue{}}
}

// Create makes a queue, FIFO if the name ends in ".fifo".
func (s *SQS) Create(name string, o Options) *Queue {
	if o.Visibility == 0 {
		o.Visibility = 30 * time.Second
	}
	if o.Retention == 0 {
		o.Retention = 14 * 24 * time.Hour
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &Queue{
		SQS: s, URL: "https://sqs.us-east-1.amazonaws.com/000000000000/" + name, options: o,
		fifo: strings.HasSuffix(name, ".fifo"), dedup: map[string]remembered{},
	}
	s.queues[q.URL] = q
	return q
}

// Queue is one queue of an SQS, whose client methods it has too, so that it can stand for the client of its users.
type Queue struct {
	*SQS
	URL string

	options  Options
	fifo     bool
	messages []*message // in the order of sending
	dedup    map[string]remembered
	sequence int
	stale    time.Time // when the next message is too old; zero: there is none
	worn     bool      // a message was received as often as it may be
}

// message is an entry and its state.
type message struct {
	id, body, group, dedup string
	attributes             map[string]types.MessageAttributeValue

	sequence int
	sent     time.Time // of the first sending; shown to receivers
	enqueued time.Time // in this queue; a move to a FIFO dead-letter queue counts anew
	source   string    // the queue that it was moved from

	receives      int
	firstReceived time.Time
	received      time.Time // the latest
	handle        string    // of the latest receive
	visible       time.Time
}

func (m *message) inFlight(now time.Time) bool { return m.receives > 0 && m.visible.After(now) }

// remembered is what a FIFO queue knows of a deduplication id.
type remembered struct {
	id       string
	sequence int
	until    time.Time
}

// Message is what Messages shows of a queue's content.
type Message struct {
	ID, Body, Group, Reason string
	Receives                int
	Visible                 time.Time
}

// Messages lists what is in the queue, in flight or not, in order.
func (q *Queue) Messages() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidy()
	list := make([]Message, len(q.messages))
	for i, m := range q.messages {
		list[i] = Message{ID: m.id, Body: m.body, Group: m.group, Receives: m.receives, Visible: m.visible}
		if reason, ok := m.attributes["reason"]; ok && reason.StringValue != nil {
			list[i].Reason = *reason.StringValue
		}
	}
	return list
}

// Len is the number of messages in the queue, in flight or not.
func (q *Queue) Len() int { return len(q.Messages()) }

// NextVisible returns the earliest time at which a receive may return something, which may be in the past; the zero
// time if the queue is empty. A FIFO group counts from when nothing of it is in flight.
func (q *Queue) NextVisible() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidy()
	now := q.now()
	unlocked := map[string]time.Time{}
	for _, m := range q.messages {
		if q.fifo && m.inFlight(now) && m.visible.After(unlocked[m.group]) {
			unlocked[m.group] = m.visible
		}
	}
	var next time.Time
	for _, m := range q.messages {
		at := m.visible
		if free, locked := unlocked[m.group]; locked && q.fifo {
			at = free
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// ages notes until when something is to be kept.
func (q *Queue) ages(until time.Time) {
	if q.stale.IsZero() || until.Before(q.stale) {
		q.stale = until
	}
}

// tidy drops what is too old and moves what was received too often. The account is locked.
func (q *Queue) tidy() {
	now := q.now()
	if !q.worn && (q.stale.IsZero() || now.Before(q.stale)) {
		return
	}
	q.stale, q.worn = time.Time{}, false
	var keep []*message
	for _, m := range q.messages {
		switch {
		case now.Sub(m.enqueued) >= q.options.Retention:
		case q.wornOut(m) && !m.inFlight(now):
			q.options.DLQ.take(m, q.URL, now)
		default:
			keep = append(keep, m)
			q.worn = q.worn || q.wornOut(m)
			q.ages(m.enqueued.Add(q.options.Retention))
		}
	}
	q.messages = keep
	for id, r := range q.dedup {
		if !r.until.After(now) {
			delete(q.dedup, id)
		}
	}
}

// wornOut tells whether a message was received as often as it may be.
func (q *Queue) wornOut(m *message) bool {
	return q.options.DLQ != nil && q.options.MaxReceives > 0 && m.receives >= q.options.MaxReceives
}

// take appends a message that another queue gave up. It keeps its receive count and, in a standard queue, its age.
func (q *Queue) take(m *message, source string, now time.Time) {
	moved := *m
	moved.source, moved.handle, moved.visible = source, "", now
	if q.fifo {
		moved.enqueued = now
	}
	q.messages = append(q.messages, &moved)
	q.ages(moved.enqueued.Add(q.options.Retention))
}

func (s *SQS) find(url *string) (*Queue, error) {
	if url != nil {
		if q, ok := s.queues[*url]; ok {
			q.tidy()
			return q, nil
		}
	}
	return nil, &types.QueueDoesNotExist{}
}

func (s *SQS) next(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s-%08d", prefix, s.serial)
}

// refusal is a client error with one of SQS's codes.
func refusal(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
}

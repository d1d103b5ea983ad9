package queue

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// ParkAfter is the receive at which a message that fails by a bug is parked: after waiting 5, 10, 20 and 40 seconds.
const ParkAfter = 5

// reserve is what a handler leaves of Lambda's time, to give messages back before the function is killed.
const reserve = time.Second

// ConsumerAPI is the part of the SQS client that a Consumer uses. Receiving and deleting is Lambda's.
type ConsumerAPI interface {
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Consumer hands the messages of one queue to a Handler. Its event source mapping must report batch item failures. It
// needs sqs:ChangeMessageVisibility on the queue and sqs:SendMessage on the dead-letter queue. Use a pointer.
type Consumer struct {
	Client   ConsumerAPI
	QueueURL string
	DLQURL   string // where bugs are parked; empty: they are tried until the queue's own redrive policy ends it
	Source   string // the queue's name in metrics and in the dead-letter queue
	Handle   Handler

	Log       *slog.Logger       // nil: slog.Default()
	Metrics   Counter            // counts "Parked" by "Source"; nil: nobody
	ErrorText func(error) string // what of an error may be logged; nil: only its types
	Jitter    func() float64     // in [0,1); nil: math/rand
}

// Lambda is the function's handler. Its error is always nil: an error would give every message of the batch back.
func (c *Consumer) Lambda(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	handling := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		handling, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	groups := c.group(e.Records)
	failed := make([][]events.SQSMessage, len(groups))
	var wg sync.WaitGroup
	for i, group := range groups {
		failed[i] = group // stands if the handler ends its goroutine
		wg.Go(func() { failed[i] = c.handleGroup(ctx, handling, group) })
	}
	wg.Wait()
	resp := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, group := range failed {
		for _, r := range group {
			resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
		}
	}
	return resp, nil
}

// group splits a batch into what must be handled in order. On a standard queue a group id is only for fairness.
func (c *Consumer) group(records []events.SQSMessage) [][]events.SQSMessage {
	var groups [][]events.SQSMessage
	place := map[string]int{}
	for _, r := range records {
		id := r.Attributes["MessageGroupId"]
		i, ok := place[id]
		if !ok || id == "" || !c.fifo(r) {
			i = len(groups)
			groups, place[id] = append(groups, nil), i
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

func (c *Consumer) fifo(r events.SQSMessage) bool {
	return strings.HasSuffix(c.QueueURL, ".fifo") || r.Attributes["SequenceNumber"] != ""
}

// handleGroup returns what is not done. What it gives back is made visible from the end to the front: one message in
// flight locks its group, so the group comes again when the front does, and in order.
func (c *Consumer) handleGroup(ctx, handling context.Context, group []events.SQSMessage) []events.SQSMessage {
	for i, r := range group {
		var hidden time.Duration // of the front; what is behind it comes right after it
		if handling.Err() == nil {
			m := fromRecord(r)
			err := contain(func() error { return c.Handle(handling, m) })
			if err == nil {
				c.log().DebugContext(ctx, "message handled", about(m)...)
				continue
			}
			var parked bool
			if hidden, parked = c.settle(ctx, r, m, err); parked {
				continue
			}
		}
		for j := len(group) - 1; j > i; j-- {
			c.hide(ctx, group[j], 0)
		}
		c.hide(ctx, r, hidden)
		return group[i:]
	}
	return nil
}

// settle decides about a message that failed: parked, or how long to hide it.
func (c *Consumer) settle(ctx context.Context, r events.SQSMessage, m Message, err error) (hidden time.Duration, parked bool) {
	class, hidden := classify(err), wait(err, m.Receives, c.jitter())
	log := c.log().With(about(m)...).With("class", string(class), "error", c.text(err))
	var p *panicked
	if errors.As(err, &p) {
		log = log.With("stack", p.stack)
	}
	if class == bug && m.Receives >= ParkAfter && c.DLQURL != "" {
		failure := c.park(ctx, r, err)
		if failure == nil {
			log.ErrorContext(ctx, "message parked")
			return 0, true
		}
		log = log.With("parking", c.text(failure))
	}
	level := slog.LevelWarn
	switch class {
	case heldBack:
		level = slog.LevelDebug
	case bug:
		level = slog.LevelError
	}
	log.Log(ctx, level, "message comes again", "seconds", seconds(hidden))
	return hidden, false
}

// hide makes a message come again after d. If it fails the queue's own visibility timeout applies, which is no harm.
func (c *Consumer) hide(ctx context.Context, r events.SQSMessage, d time.Duration) {
	_, err := c.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &c.QueueURL, ReceiptHandle: &r.ReceiptHandle, VisibilityTimeout: seconds(d),
	})
	if err != nil {
		c.log().WarnContext(ctx, "visibility not changed", "message", r.MessageId, "error", c.text(err))
	}
}

func about(m Message) []any {
	return []any{"message", m.ID, "group", m.Group, "receives", m.Receives}
}

func (c *Consumer) text(err error) string {
	var p *panicked
	switch {
	case errors.As(err, &p):
		return p.Error()
	case c.ErrorText != nil:
		return c.ErrorText(err)
	}
	return types(err)
}

func (c *Consumer) log() *slog.Logger {
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	return log.With("source", c.Source)
}

func (c *Consumer) jitter() float64 {
	if c.Jitter != nil {
		return c.Jitter()
	}
	return rand.Float64()
}

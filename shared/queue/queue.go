// Package queue is SQS in, as the handler of a Lambda function, and SQS out.
//
// Waiting is not failing. What a handler returns decides about its message, and about nothing else:
//
//	nil                                   done: acknowledged
//	Later(d, err)                         held back: comes again after d, as often as needed
//	temporary (Temporary() bool is true,  waits min(900, 5·2^(receives-1)) s ± 20 %, at least RetryAfter(), for as
//	  network, AWS throttle, context end)   long as the queue keeps it: 14 days
//	any other error, or a panic: a bug    waits the same way; at the 5th receive parked in the dead-letter queue
//	                                        with its source and reason, and acknowledged: its group goes on
//
// Messages of one FIFO group are handled in order, groups in parallel. What stands behind a message that isn't done is
// given back untouched and comes again right behind it. A batch never fails as a whole, a panic stays in its message,
// and no log line or attribute holds a message's content. A handler's context ends one second before Lambda's.
package queue

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Message is one received queue entry.
type Message struct {
	ID         string // SQS's; the same at every receive
	Body       []byte
	Group      string            // MessageGroupId; may be empty on a standard queue
	Receives   int               // how often it was received, this time and those behind another message included; at least 1
	Sent       time.Time         // when it was sent
	Attributes map[string]string // the sender's message attributes that are texts; nil if there are none
}

// Handler handles one message. Its error decides what becomes of the message: see the package comment.
type Handler func(ctx context.Context, m Message) error

// Counter counts what an operator should see.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

func fromRecord(r events.SQSMessage) Message {
	m := Message{ID: r.MessageId, Body: []byte(r.Body), Group: r.Attributes["MessageGroupId"], Receives: 1}
	if n, err := strconv.Atoi(r.Attributes["ApproximateReceiveCount"]); err == nil && n > 1 {
		m.Receives = n
	}
	if ms, err := strconv.ParseInt(r.Attributes["SentTimestamp"], 10, 64); err == nil {
		m.Sent = time.UnixMilli(ms).UTC()
	}
	for name, value := range r.MessageAttributes {
		if value.StringValue == nil {
			continue
		}
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[name] = *value.StringValue
	}
	return m
}

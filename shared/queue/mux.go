package queue

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Mux is the handler of a function that reads several queues. It gives each batch to the consumer of the queue that it
// comes from. The keys are names of queues, without region and account.
type Mux map[string]*Consumer

// NewMux returns a Mux of consumers, each under the name at the end of its QueueURL.
func NewMux(consumers ...*Consumer) Mux {
	m := Mux{}
	for _, c := range consumers {
		m[path.Base(c.QueueURL)] = c
	}
	return m
}

// Lambda is the function's handler. A batch is of one event source, as Lambda makes them; one of a source that nobody
// here consumes fails as a whole, and comes again: the function and its event sources were not deployed together.
func (m Mux) Lambda(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	if len(e.Records) == 0 {
		return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}, nil
	}
	source := e.Records[0].EventSourceARN
	for _, r := range e.Records {
		if r.EventSourceARN != source {
			return events.SQSEventResponse{}, fmt.Errorf("a batch comes from %q and from %q", source, r.EventSourceARN)
		}
	}
	c := m[source[strings.LastIndexByte(source, ':')+1:]]
	if c == nil {
		return events.SQSEventResponse{}, fmt.Errorf("nothing here consumes the queue %q", source)
	}
	return c.Lambda(ctx, e)
}

package queue_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
)

// Ensure that each queue's messages reach its own consumer, with its own rules, through one function.
func TestMuxTellsQueuesApart(t *testing.T) {
	account := queuetest.New(queuetest.NewClock(start).Now)
	var got []string
	consumer := func(name string) (*queuetest.Queue, *queue.Consumer) {
		q := account.Create(name, queuetest.Options{})
		return q, &queue.Consumer{Client: q, QueueURL: q.URL, Source: name, Handle: func(_ context.Context, m queue.Message) error {
			got = append(got, name+" "+string(m.Body))
			return nil
		}}
	}
	fast, first := consumer("stack-Inbound.fifo")
	slow, second := consumer("stack-Bulk")
	mux := queue.NewMux(first, second)
	for _, q := range []*queuetest.Queue{fast, slow} {
		if err := (&queue.Sender{Client: q, URL: q.URL}).Send(t.Context(), in("g", "x")); err != nil {
			t.Fatal(err)
		}
		if _, err := (&queuetest.Pump{Client: q, URL: q.URL, Lambda: mux.Lambda}).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(q.Messages()); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	}
	if want := []string{"stack-Inbound.fifo x", "stack-Bulk x"}; !slices.Equal(got, want) {
		t.Errorf("handled %q, want %q", got, want)
	}
}

func TestMuxRefusesWhatItDoesNotKnow(t *testing.T) {
	handled := false
	mux := queue.NewMux(&queue.Consumer{QueueURL: "https://sqs/1/known", Handle: func(context.Context, queue.Message) error {
		handled = true
		return nil
	}})
	record := func(arn string) events.SQSMessage { return events.SQSMessage{MessageId: "1", EventSourceARN: arn} }
	const known, other = "arn:aws:sqs:eu-west-1:1:known", "arn:aws:sqs:eu-west-1:1:other"
	for name, test := range map[string]struct {
		records []events.SQSMessage
		says    string
	}{
		"an unknown queue": {[]events.SQSMessage{record(other)}, "nothing here consumes the queue \"" + other},
		"no source":        {[]events.SQSMessage{record("")}, "nothing here consumes the queue \"\""},
		"two queues":       {[]events.SQSMessage{record(known), record(other)}, "from \"" + known + "\" and from \"" + other},
	} {
		if _, err := mux.Lambda(t.Context(), events.SQSEvent{Records: test.records}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if handled {
		t.Error("a message of such a batch was handled")
	}
	if r, err := mux.Lambda(t.Context(), events.SQSEvent{}); err != nil || r.BatchItemFailures == nil {
		t.Errorf("nothing: %+v, %v", r, err)
	}
}

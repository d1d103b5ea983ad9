package queuetest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/shared/queue/queuetest"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestTwin(t *testing.T) {
	queuetest.Run(t, func(_ *testing.T, fifo bool) queuetest.Fixture {
		clock := queuetest.NewClock(start)
		account := queuetest.New(clock.Now)
		suffix := ""
		if fifo {
			suffix = ".fifo"
		}
		dlq := account.Create("dead"+suffix, queuetest.Options{Visibility: queuetest.Visibility})
		q := account.Create("queue"+suffix, queuetest.Options{Visibility: queuetest.Visibility, MaxReceives: 2, DLQ: dlq})
		return queuetest.Fixture{Client: account, URL: q.URL, DLQURL: dlq.URL, Sleep: clock.Advance}
	})
}

// Ensure that the twin does what a real endpoint does, when there is one.
func TestEndpoint(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("AWS_ENDPOINT_URL is not set")
	}
	client := queuetest.NewClient(endpoint)
	gaps := knownGaps(endpoint)
	queuetest.Run(t, func(t *testing.T, fifo bool) queuetest.Fixture {
		dlq := create(t, client, "dead", fifo, nil)
		attributes, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: &dlq, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
		})
		if err != nil {
			t.Fatal(err)
		}
		return queuetest.Fixture{
			Client: client, DLQURL: dlq,
			URL: create(t, client, "queue", fifo, map[string]string{
				"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, attributes.Attributes["QueueArn"]),
			}),
			Sleep: func(d time.Duration) { time.Sleep(d + 100*time.Millisecond) },
			Gaps:  gaps,
		}
	})
}

// knownGaps returns where MiniStack (probed at 1.5.33) differs from AWS; nil for any other endpoint.
func knownGaps(endpoint string) []string {
	resp, err := http.Get(endpoint + "/_ministack/health")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	return []string{queuetest.GapDeleteTwice, queuetest.GapVisibilityLimit}
}

func create(t *testing.T, client *sqs.Client, name string, fifo bool, attributes map[string]string) string {
	t.Helper()
	name += "-" + rand.Text()[:10]
	all := map[string]string{"VisibilityTimeout": fmt.Sprint(queuetest.Visibility.Seconds())}
	if fifo {
		name += ".fifo"
		all["FifoQueue"], all["DeduplicationScope"], all["FifoThroughputLimit"] = "true", "messageGroup", "perMessageGroupId"
	}
	for k, v := range attributes {
		all[k] = v
	}
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: all})
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl
}

// virtual is a FIFO queue on a virtual clock: what a real endpoint is too slow to show.
func virtual(name string, o queuetest.Options) (*queuetest.Queue, *queuetest.Clock) {
	clock := queuetest.NewClock(start)
	return queuetest.New(clock.Now).Create(name, o), clock
}

func send(t *testing.T, q *queuetest.Queue, body, group, dedup string) string {
	t.Helper()
	out, err := q.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &q.URL, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &dedup,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.MessageId
}

func receive(t *testing.T, q *queuetest.Queue) []types.Message {
	t.Helper()
	out, err := q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func TestDeduplicationEndsAfterFiveMinutes(t *testing.T) {
	q, clock := virtual("q.fifo", queuetest.Options{})
	first := send(t, q, "a", "g", "one")
	clock.Advance(5*time.Minute - time.Nanosecond)
	if send(t, q, "a", "g", "one") != first {
		t.Error("forgotten before five minutes")
	}
	clock.Advance(time.Nanosecond)
	if send(t, q, "a", "g", "one") == first {
		t.Error("known after five minutes")
	}
}

func TestDeduplicationOverTheWholeQueue(t *testing.T) {
	q, _ := virtual("q.fifo", queuetest.Options{DedupByQueue: true})
	if send(t, q, "a", "g", "one") != send(t, q, "a", "h", "one") {
		t.Error("the same id in another group is another message")
	}
}

func TestRetention(t *testing.T) {
	q, clock := virtual("q.fifo", queuetest.Options{})
	send(t, q, "a", "g", "one")
	clock.Advance(14*24*time.Hour - time.Second)
	if q.Len() != 1 {
		t.Fatal("gone before 14 days")
	}
	clock.Advance(time.Second)
	if q.Len() != 0 {
		t.Error("kept after 14 days")
	}
	if next := q.NextVisible(); !next.IsZero() {
		t.Errorf("an empty queue is visible at %s", next)
	}
}

func TestNextVisible(t *testing.T) {
	q, clock := virtual("q.fifo", queuetest.Options{Visibility: 10 * time.Second})
	send(t, q, "g1", "g", "1")
	send(t, q, "g2", "g", "2")
	if got := q.NextVisible(); !got.Equal(start) {
		t.Errorf("got %s, want now", got)
	}
	m := receive(t, q)
	if _, err := q.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.URL, ReceiptHandle: m[1].ReceiptHandle, VisibilityTimeout: 60,
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := q.NextVisible(), start.Add(time.Minute); !got.Equal(want) {
		t.Errorf("got %s, want %s: the group is locked until then", got, want)
	}
	clock.Advance(30 * time.Second)
	send(t, q, "h1", "h", "3")
	if got := q.NextVisible(); !got.Equal(clock.Now()) {
		t.Errorf("got %s, want now: another group is free", got)
	}
}

// Ensure that twelve hours count from the receive, and that a message that came back can't be changed or deleted.
func TestVisibilityLimitAndExpiry(t *testing.T) {
	q, clock := virtual("q.fifo", queuetest.Options{Visibility: time.Hour})
	send(t, q, "a", "g", "1")
	m := receive(t, q)[0]
	change := func(seconds int32) error {
		_, err := q.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
			QueueUrl: &q.URL, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds,
		})
		return err
	}
	clock.Advance(10 * time.Minute)
	if change(12*3600) == nil {
		t.Error("12 h and 10 min since the receive are accepted")
	}
	if err := change(12*3600 - 600); err != nil {
		t.Error(err)
	}
	clock.Advance(12 * time.Hour)
	if change(1) == nil {
		t.Error("a message that is visible again is changed")
	}
	if _, err := q.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: m.ReceiptHandle}); err == nil {
		t.Error("an expired handle deletes")
	}
	again := receive(t, q)[0]
	if _, err := q.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: m.ReceiptHandle}); err != nil || q.Len() != 1 {
		t.Errorf("a replaced handle: %v, %d left; want no error and nothing deleted", err, q.Len())
	}
	if _, err := q.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: again.ReceiptHandle}); err != nil || q.Len() != 0 {
		t.Errorf("the present handle: %v, %d left", err, q.Len())
	}
}

// Ensure that the pump gives back what Lambda gives back.
func TestPump(t *testing.T) {
	for _, row := range []struct {
		name   string
		failed []string // ids; "first" stands for the first message's
		err    error
		left   int
	}{
		{name: "all done", left: 0},
		{name: "one failed", failed: []string{"first"}, left: 1},
		{name: "invocation failed", err: context.DeadlineExceeded, left: 2},
		{name: "unknown id", failed: []string{"nobody"}, left: 2},
		{name: "empty id", failed: []string{""}, left: 2},
	} {
		q, _ := virtual("q.fifo", queuetest.Options{})
		first := send(t, q, "a", "g", "1")
		send(t, q, "b", "h", "2")
		pump := &queuetest.Pump{Client: q, URL: q.URL, Lambda: func(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
			if r := e.Records[0]; r.EventSourceARN != "arn:aws:sqs:us-east-1:000000000000:q.fifo" || r.Attributes["MessageGroupId"] != "g" || r.Body != "a" {
				t.Errorf("record %+v", r)
			}
			var resp events.SQSEventResponse
			for _, id := range row.failed {
				if id == "first" {
					id = first
				}
				resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
			}
			return resp, row.err
		}}
		if n, err := pump.Drain(t.Context()); n != 2 || err != nil {
			t.Errorf("%s: %d messages, %v", row.name, n, err)
		}
		if q.Len() != row.left {
			t.Errorf("%s: %d left, want %d", row.name, q.Len(), row.left)
		}
	}
}

func TestSettleMovesTheClock(t *testing.T) {
	q, clock := virtual("q.fifo", queuetest.Options{Visibility: 20 * time.Second})
	send(t, q, "a", "g", "1")
	invocations := 0
	pump := &queuetest.Pump{Client: q, URL: q.URL, Lambda: func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
		if invocations++; invocations < 4 {
			return events.SQSEventResponse{}, context.DeadlineExceeded
		}
		return events.SQSEventResponse{}, nil
	}}
	if empty, err := queuetest.Settle(t.Context(), clock, start.Add(30*time.Second), pump); empty || err != nil || invocations != 2 {
		t.Errorf("after 30 s: empty %v, %v, %d invocations", empty, err, invocations)
	}
	if empty, err := queuetest.Settle(t.Context(), clock, start.Add(time.Hour), pump); !empty || err != nil || invocations != 4 {
		t.Errorf("after an hour: empty %v, %v, %d invocations", empty, err, invocations)
	}
	if want := start.Add(time.Minute); !clock.Now().Equal(want) {
		t.Errorf("the clock stands at %s, want %s", clock.Now(), want)
	}
}

package queue_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
)

// Ensure that sender and consumer agree with a real endpoint, when there is one: order, refusal, waiting, parking.
func TestEndpoint(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("AWS_ENDPOINT_URL is not set")
	}
	client := queuetest.NewClient(endpoint)
	url, dlq := fifoQueue(t, client), fifoQueue(t, client)

	err := (&queue.Sender{Client: client, URL: url}).Send(t.Context(), entries("a1", "b1", "c\x01", "a2", "b2", "a3", "c2")...)
	if got, want := bodies(queue.Refused(err)), []string{"c\x01"}; !slices.Equal(got, want) {
		t.Fatalf("refused %q (%v), want %q", got, err, want)
	}

	var mu sync.Mutex
	handled := map[string]string{}
	waited := false
	consumer := &queue.Consumer{Client: client, QueueURL: url, DLQURL: dlq, Source: "work", Handle: func(_ context.Context, m queue.Message) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case string(m.Body) == "a2" && !waited:
			waited = true
			return queue.Later(time.Second, nil)
		case string(m.Body) == "b1":
			return errors.New("bug")
		}
		handled[m.Group] += " " + string(m.Body)
		return nil
	}}
	pump := &queuetest.Pump{Client: client, URL: url, Lambda: func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		for _, r := range e.Records {
			r.Attributes["ApproximateReceiveCount"] = fmt.Sprint(queue.ParkAfter)
		}
		return consumer.Lambda(ctx, e)
	}}
	want := map[string]string{"a": " a1 a2 a3", "b": " b2"}
	for deadline := time.Now().Add(20 * time.Second); handled["a"] != want["a"] && time.Now().Before(deadline); {
		if _, err := pump.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustEqual(t, handled, want)
	mustBeParked(t, client, dlq, "b1")
}

func fifoQueue(t *testing.T, client *sqs.Client) string {
	t.Helper()
	name := rand.Text()[:12] + ".fifo"
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
		"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl
}

func mustBeParked(t *testing.T, client *sqs.Client, dlq, body string) {
	t.Helper()
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &dlq, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Messages) != 1 || *out.Messages[0].Body != body {
		t.Fatalf("parked %d messages, want %q", len(out.Messages), body)
	}
	m := out.Messages[0]
	for name, want := range map[string]string{"source": "work", "reason": "error: *errors.errorString"} {
		if got := aws.ToString(m.MessageAttributes[name].StringValue); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Ensure that a rule of somebody's own finds what is published, when there is a real endpoint.
func TestEndpoint(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("AWS_ENDPOINT_URL is not set")
	}
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
	})}
	events, queues := eventbridge.NewFromConfig(config), sqs.NewFromConfig(config)
	name := "bus-" + rand.Text()
	url := listen(t, events, queues, name, `{"source":["threadline"],"detail-type":["note.v1"],"detail":{"text":["yes"]}}`)

	all := notes(1, 1)
	for i := range 12 {
		e := notes(1)[0]
		e.ID, e.Detail = fmt.Sprint("yes-", i), note{"yes"}
		all = append(all, e)
	}
	if err := New(events, name).Put(t.Context(), all...); err != nil {
		t.Fatal(err)
	}

	got := map[string]bool{}
	for deadline := time.Now().Add(20 * time.Second); len(got) < 12; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d of 12 events came", len(got))
		}
		out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			var e struct { // the envelope's own time isn't compared: MiniStack puts in the present
				Source string
				Type   string `json:"detail-type"`
				Detail struct {
					V    int
					ID   string
					At   time.Time
					Text string
				}
			}
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
				t.Fatal(err)
			}
			if e.Source != Source || e.Type != "note.v1" || e.Detail.V != 1 || !e.Detail.At.Equal(at) || e.Detail.Text != "yes" {
				t.Errorf("%s", *m.Body)
			}
			got[e.Detail.ID] = true
		}
	}
}

// listen makes a bus and a rule that brings what matches a pattern into a queue, whose URL it returns.
func listen(t *testing.T, events *eventbridge.Client, queues *sqs.Client, name, pattern string) (url string) {
	t.Helper()
	if _, err := events.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventBusName: &name, EventPattern: &pattern}); err != nil {
		t.Fatal(err)
	}
	_, err = events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{
		Rule: &name, EventBusName: &name,
		Targets: []types.Target{{Id: aws.String("queue"), Arn: aws.String(attributes.Attributes["QueueArn"])}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *queue.QueueUrl
}

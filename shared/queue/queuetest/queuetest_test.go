package queuetest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	client := sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
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

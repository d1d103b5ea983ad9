package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

// poison is an entry that no release can read. One of a newer version would wait an hour for its deployment.
const poison = `{"v":`

// queues are the stack's, by the outputs with their URLs.
var queues = map[string]struct{ dead, source, suffix string }{
	"InboundQueueUrl":  {"InboundDeadLettersUrl", "Inbound", ".fifo"},
	"MediaQueueUrl":    {"MediaDeadLettersUrl", "Media", ""},
	"CrmQueueUrl":      {"CrmDeadLettersUrl", "CRM", ".fifo"},
	"OutboundQueueUrl": {"OutboundDeadLettersUrl", "Outbound", ".fifo"},
	"BulkQueueUrl":     {"BulkDeadLettersUrl", "Bulk", ""},
}

// poisoned puts an unreadable entry on every queue, and on the first a good one behind it in the same group. It takes a
// minute and a half to be sure that they can't be handled, so it comes first and parked looks at the end.
func poisoned(t *testing.T, w *world) {
	for output, q := range queues {
		w.enqueue(t, output, q.suffix, poison)
	}
	updates, err := whatsapp.Split(whatsapptest.Text(number, "34600555020", "wamid.behind", "I stood behind it", time.Now()))
	if err != nil || len(updates) != 1 {
		t.Fatal(updates, err)
	}
	w.secret("34600555020", "I stood behind it")
	behind, err := json.Marshal(struct {
		V int `json:"v"`
		*whatsapp.Update
	}{1, &updates[0]})
	if err != nil {
		t.Fatal(err)
	}
	w.enqueue(t, "InboundQueueUrl", ".fifo", string(behind))
}

// enqueue puts a body on a queue, in the group of poison.
func (w *world) enqueue(t *testing.T, output, suffix, body string) {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: aws.String(w.Output(output)), MessageBody: &body, MessageGroupId: aws.String("poison")}
	if suffix == ".fifo" {
		in.MessageDeduplicationId = aws.String(fmt.Sprintf("%x", len(body)))
	}
	if _, err := sqs.NewFromConfig(w.Config()).SendMessage(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// parked wants each of them in its dead-letter queue with where it comes from and why, nothing else there, and what
// stood behind it handled.
func parked(t *testing.T, w *world) {
	for _, q := range queues {
		eventually(t, 2*time.Minute, func() error {
			n, err := w.waiting(t, q.dead)
			if err == nil && n != 1 {
				err = fmt.Errorf("%s: %d parked, want 1", q.source, n)
			}
			return err
		})
		out, err := sqs.NewFromConfig(w.Config()).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(w.Output(q.dead)), MessageAttributeNames: []string{"All"}, WaitTimeSeconds: 1,
		})
		if err != nil || len(out.Messages) != 1 {
			t.Fatalf("%s: %v %v", q.source, out, err)
		}
		m := out.Messages[0]
		if aws.ToString(m.Body) != poison || aws.ToString(m.MessageAttributes["source"].StringValue) != q.source || aws.ToString(m.MessageAttributes["reason"].StringValue) == "" {
			t.Errorf("parked: %s %v", aws.ToString(m.Body), m.MessageAttributes)
		}
	}
	eventually(t, patience, func() error { return w.messageByID(t, "wamid.behind", nil) })
}

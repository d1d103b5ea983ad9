package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/infra/local/meta"
)

// health is what the API says of a number.
type health struct {
	ID      string
	Sending struct {
		Answers, Templates bool
		Why                string
	}
	Facts map[string]struct{ Value string }
}

// isHealth waits until the API says something of a number.
func (w *world) isHealth(t *testing.T, number string, wanted func(health) bool) {
	t.Helper()
	eventually(t, patience, func() error {
		var list struct{ Numbers []health }
		if err := w.get(t, "/numbers", &list); err != nil {
			return err
		}
		for _, n := range list.Numbers {
			if n.ID != number {
				continue
			}
			if wanted(n) {
				return nil
			}
			return fmt.Errorf("the number is %+v", n)
		}
		return fmt.Errorf("the number isn't among %d", len(list.Numbers))
	})
}

// happens does something to the account.
func (w *world) happens(t *testing.T, kind, value string) {
	t.Helper()
	if err := w.Meta().HappenToAccount(meta.AccountEvent{Kind: kind, Value: value}); err != nil {
		t.Fatal(err)
	}
}

// banned is an account that Meta bans and reinstates: the API and whoever listens on the bus know, what was to be sent
// waits, and then leaves. A file whose retention ends meanwhile doesn't. The sender has sent something a moment before, so
// that it learns of the ban from a refusal.
func banned(t *testing.T, w *world) {
	ivo := w.customer(t, "Ivo Held", "34600555009")
	ivo.writes(t, meta.Draft{Text: "Please write to me"})
	ivo.known(t)
	listener := w.listen(t)
	file, bring := w.announce(t, "held.pdf", "application/pdf", randomFile(2000))
	bring()
	to := object{"contact": ivo.contact}
	texts := []string{"before the ban", "into the ban", "sorry for the wait"}
	w.secret("held.pdf")
	w.secret(texts...)
	w.reaches(t, w.ask(t, "", object{"to": to, "text": texts[0]}), "delivered")

	w.happens(t, "ban", "DISABLE")
	w.isHealth(t, number, func(n health) bool { return !n.Sending.Answers && !n.Sending.Templates && n.Sending.Why == "ban" })
	w.heard(t, listener, false)
	refused := w.ask(t, "", object{"to": to, "text": texts[1]})
	document := w.ask(t, "", object{"to": to, "media": object{"type": "document", "id": file}})
	text := w.ask(t, "", object{"to": to, "text": texts[2]})
	eventually(t, patience, func() error {
		if !strings.Contains(w.log(t, "sender"), "sending is stopped: ban") {
			return errStill
		}
		return nil
	})
	bucket := w.Output("BucketName")
	if _, err := w.bucket().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("uploads/" + file)}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{refused, document, text} {
		w.reaches(t, id, "queued")
	}

	nextSecond()
	w.happens(t, "ban", "REINSTATE")
	w.isHealth(t, number, func(n health) bool { return n.Sending.Answers && n.Sending.Templates })
	w.heard(t, listener, true)
	if m := w.reaches(t, document, "failed"); m.Error == nil || !strings.Contains(m.Error.Reason, "there any more") {
		t.Errorf("the document: %+v", m.Error)
	}
	w.reaches(t, text, "delivered")
	if got := ivo.replies(); !slices.Equal(got, texts) {
		t.Errorf("the phone shows %q", got)
	}
}

// listen has what is published on the stack's bus put into a queue of the test's own, and returns the queue's URL.
func (w *world) listen(t *testing.T) string {
	t.Helper()
	queues := sqs.NewFromConfig(w.Config())
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("listener")})
	if err != nil {
		t.Fatal(err)
	}
	about, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	bus := eventbridge.NewFromConfig(w.Config())
	name, rule := w.Output("EventBusName"), aws.String("listener")
	_, err = bus.PutRule(t.Context(), &eventbridge.PutRuleInput{
		EventBusName: &name, Name: rule, EventPattern: aws.String(`{"source":["threadline"],"detail-type":["number.health.v1"]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{EventBusName: &name, Rule: rule, Targets: []eventtypes.Target{
		{Id: aws.String("queue"), Arn: aws.String(about.Attributes["QueueArn"])},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(made.QueueUrl)
}

// heard waits for the event that a number may answer, or may not.
func (w *world) heard(t *testing.T, listener string, answers bool) {
	t.Helper()
	queues := sqs.NewFromConfig(w.Config())
	eventually(t, patience, func() error {
		out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &listener, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			return err
		}
		for _, m := range out.Messages {
			var e struct {
				Type   string `json:"detail-type"`
				Source string
				Detail struct {
					Number  string
					Answers bool
				}
			}
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &e); err != nil {
				return err
			}
			if e.Source == "threadline" && e.Detail.Number == number && e.Detail.Answers == answers {
				return nil
			}
		}
		return fmt.Errorf("nobody was told that the number may answer: %v", answers)
	})
}

// refusal is an access token that Meta refuses for a while. Messages of that number wait for a minute at least, so the
// story goes on meanwhile.
type refusal struct {
	person *person
	held   string
}

func (r *refusal) begin(t *testing.T, w *world) {
	r.person = w.customer(t, "Zoe Elsewhere", "")
	id := r.person.writes(t, meta.Draft{Number: second, Text: "To your other number"})
	contact := w.becomes(t, id, func(m message) bool { return strings.HasPrefix(m.Conversation, second+".") }).Conversation[len(second)+1:]
	w.isHealth(t, second, func(n health) bool { return n.Sending.Answers })
	w.happens(t, "token", "revoked")
	r.held = w.ask(t, "", object{"to": object{"contact": contact}, "number": second, "text": "when the token works"})
	w.secret("when the token works")
	w.isHealth(t, second, func(n health) bool { return n.Facts["token"].Value == "190" && n.Sending.Why == "token" })
	w.happens(t, "token", "restored")
}

func (r *refusal) over(t *testing.T, w *world) {
	eventually(t, 3*patience, func() error {
		if got := r.person.replies(); len(got) != 1 || got[0] != "when the token works" {
			return fmt.Errorf("the phone shows %q", got)
		}
		return nil
	})
	w.reaches(t, r.held, "delivered")
	w.isHealth(t, second, func(n health) bool { return n.Facts["token"].Value == "ok" && n.Sending.Answers })
}

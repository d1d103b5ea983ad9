package queuetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// API is the SQS that is tested.
type API interface {
	PumpAPI
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
}

// Fixture is an empty queue with a visibility timeout of Visibility and, after two receives, a dead-letter queue. A
// FIFO queue deduplicates within a group.
type Fixture struct {
	Client API
	URL    string
	DLQURL string
	Sleep  func(time.Duration) // moves a virtual clock, or waits
	Gaps   []string            // what the endpoint is known to do otherwise; a gap that is closed fails the test
}

// The gaps that Run knows.
const (
	GapDeleteTwice     = "deleting twice is refused"                  // AWS: no error
	GapVisibilityLimit = "a visibility of more than 12 h is accepted" // AWS: InvalidParameterValue
)

// lacks reports a deviation that isn't among the known gaps, or a known gap that is none any more.
func (f Fixture) lacks(t *testing.T, gap string, deviates bool) {
	t.Helper()
	known := slices.Contains(f.Gaps, gap)
	if deviates && !known {
		t.Error(gap)
	}
	if !deviates && known {
		t.Errorf("the endpoint has caught up; remove its gap: %s", gap)
	}
}

// Visibility is the visibility timeout of a fixture's queues. A real endpoint makes the tests wait for it.
const Visibility = 2 * time.Second

// Run tests the queues that newQueue returns, once per test.
func Run(t *testing.T, newQueue func(t *testing.T, fifo bool) Fixture) {
	for _, test := range []struct {
		name string
		fifo bool
		run  func(*testing.T, Fixture)
	}{
		{"Attributes", false, standardAttributes},
		{"Visibility", false, visibility},
		{"ChangedVisibility", false, changedVisibility},
		{"DeadLetters", false, deadLetters},
		{"DeleteTwice", false, deleteTwice},
		{"Refusals", false, refusals},
		{"BatchRefusals", false, batchRefusals},
		{"FIFOAttributes", true, fifoAttributes},
		{"FIFOOrderAndLock", true, orderAndLock},
		{"FIFOOrderAfterGivingBack", true, orderAfterGivingBack},
		{"FIFODeduplicates", true, deduplicates},
		{"FIFODeadLettersKeepOrder", true, deadLettersKeepOrder},
		{"FIFORefusals", true, fifoRefusals},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, newQueue(t, test.fifo))
		})
	}
}

func (f Fixture) send(t *testing.T, body, group, dedup string) string {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: &f.URL, MessageBody: &body}
	if group != "" {
		in.MessageGroupId = &group
	}
	if dedup != "" {
		in.MessageDeduplicationId = &dedup
	}
	out, err := f.Client.SendMessage(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.MessageId
}

func (f Fixture) receive(t *testing.T, url string) []types.Message {
	t.Helper()
	out, err := f.Client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

// mustReceive receives until as many messages came, in several calls if the endpoint likes, and compares.
func (f Fixture) mustReceive(t *testing.T, url string, want ...string) []types.Message {
	t.Helper()
	var got []types.Message
	for range 20 {
		batch := f.receive(t, url)
		got = append(got, batch...)
		if len(batch) == 0 || len(got) >= len(want) {
			break
		}
	}
	bodies := make([]string, len(got))
	for i, m := range got {
		bodies[i] = *m.Body
	}
	if !slices.Equal(bodies, want) {
		t.Fatalf("received %q, want %q", bodies, want)
	}
	return got
}

func (f Fixture) hide(t *testing.T, m types.Message, seconds int32) {
	t.Helper()
	if _, err := f.Client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &f.URL, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds,
	}); err != nil {
		t.Fatal(err)
	}
}

func (f Fixture) delete(t *testing.T, m types.Message) {
	t.Helper()
	if _, err := f.Client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &f.URL, ReceiptHandle: m.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
}

func standardAttributes(t *testing.T, f Fixture) {
	text := "crm"
	if _, err := f.Client.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &f.URL, MessageBody: aws.String(`{"a":1}`), MessageGroupId: aws.String("fair"),
		MessageAttributes: map[string]types.MessageAttributeValue{"source": {DataType: aws.String("String"), StringValue: &text}},
	}); err != nil {
		t.Fatal(err)
	}
	m := f.mustReceive(t, f.URL, `{"a":1}`)[0]
	if got := m.MessageAttributes["source"]; aws.ToString(got.StringValue) != text {
		t.Errorf("message attribute %+v", got)
	}
	want := map[string]string{"ApproximateReceiveCount": "1", "MessageGroupId": "fair"}
	for name, value := range want {
		if m.Attributes[name] != value {
			t.Errorf("%s is %q, want %q", name, m.Attributes[name], value)
		}
	}
	for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		if len(m.Attributes[name]) != 13 {
			t.Errorf("%s is %q, want milliseconds", name, m.Attributes[name])
		}
	}
	if _, fifo := m.Attributes["SequenceNumber"]; fifo {
		t.Error("a standard queue has a SequenceNumber")
	}
}

func visibility(t *testing.T, f Fixture) {
	f.send(t, "a", "", "")
	first := f.mustReceive(t, f.URL, "a")[0]
	f.mustReceive(t, f.URL)
	f.Sleep(Visibility)
	again := f.mustReceive(t, f.URL, "a")[0]
	if again.Attributes["ApproximateReceiveCount"] != "2" || *again.MessageId != *first.MessageId {
		t.Errorf("second receive: %v", again.Attributes)
	}
	f.delete(t, again)
	f.Sleep(Visibility)
	f.mustReceive(t, f.URL)
}

func changedVisibility(t *testing.T, f Fixture) {
	f.send(t, "a", "", "")
	m := f.mustReceive(t, f.URL, "a")[0]
	f.hide(t, m, 0)
	m = f.mustReceive(t, f.URL, "a")[0]
	f.hide(t, m, 3600)
	f.Sleep(Visibility)
	f.mustReceive(t, f.URL)
	change := func(handle string, seconds int32) error {
		_, err := f.Client.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
			QueueUrl: &f.URL, ReceiptHandle: &handle, VisibilityTimeout: seconds,
		})
		return err
	}
	if change("garbage", 1) == nil {
		t.Error("a garbage handle is accepted")
	}
	f.lacks(t, GapVisibilityLimit, change(*m.ReceiptHandle, 43201) == nil)
}

func deadLetters(t *testing.T, f Fixture) {
	id := f.send(t, "a", "", "")
	for range 2 {
		f.hide(t, f.mustReceive(t, f.URL, "a")[0], 0)
	}
	f.mustReceive(t, f.URL)
	m := f.mustReceive(t, f.DLQURL, "a")[0]
	if *m.MessageId != id || m.Attributes["ApproximateReceiveCount"] != "3" || m.Attributes["DeadLetterQueueSourceArn"] == "" {
		t.Errorf("dead letter %s: %v", *m.MessageId, m.Attributes)
	}
}

func deleteTwice(t *testing.T, f Fixture) {
	f.send(t, "a", "", "")
	m := f.mustReceive(t, f.URL, "a")[0]
	f.delete(t, m)
	_, err := f.Client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &f.URL, ReceiptHandle: m.ReceiptHandle})
	f.lacks(t, GapDeleteTwice, err != nil)
}

func refusals(t *testing.T, f Fixture) {
	for name, body := range map[string]string{"empty": "", "control character": "a\x01b", "U+FFFF": "a\uffffb", "over 1 MiB": strings.Repeat("x", 1<<20+1)} {
		if _, err := f.Client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &f.URL, MessageBody: &body}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	f.send(t, strings.Repeat("x", 1<<20), "", "")
	unknown := f.URL + "-not"
	if _, err := f.Client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &unknown, MessageBody: aws.String("x")}); err == nil {
		t.Error("an unknown queue is accepted")
	}
}

func entry(id, body string) types.SendMessageBatchRequestEntry {
	return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
}

func batchRefusals(t *testing.T, f Fixture) {
	send := func(entries ...types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
		return f.Client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &f.URL, Entries: entries})
	}
	eleven := make([]types.SendMessageBatchRequestEntry, 11)
	for i := range eleven {
		eleven[i] = entry(string(rune('a'+i)), "x")
	}
	half := strings.Repeat("x", 1<<19+1)
	for name, entries := range map[string][]types.SendMessageBatchRequestEntry{
		"none": {}, "eleven": eleven, "same id": {entry("a", "x"), entry("a", "y")}, "over 1 MiB": {entry("a", half), entry("b", half)},
	} {
		if _, err := send(entries...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	out, err := send(entry("good", "x"), entry("bad", "a\x01b"))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 1 || *out.Successful[0].Id != "good" {
		t.Errorf("successful: %+v", out.Successful)
	}
	if len(out.Failed) != 1 || *out.Failed[0].Id != "bad" || !out.Failed[0].SenderFault || *out.Failed[0].Code != "InvalidMessageContents" {
		t.Errorf("failed: %+v", out.Failed)
	}
	f.mustReceive(t, f.URL, "x")
}

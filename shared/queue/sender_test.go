package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
)

// wire records batches and fails as told; what it doesn't fail reaches the twin.
type wire struct {
	*queuetest.Queue
	mu      sync.Mutex
	batches [][]types.SendMessageBatchRequestEntry
	flying  int
	most    int
	fail    func(body string, attempt int) (code string, senderFault bool) // per entry; "" is no failure
	refuse  func(bodies []string) error                                    // per call
	seen    map[string]int
}

func newWire(name string) *wire {
	return &wire{Queue: queuetest.New(nil).Create(name, queuetest.Options{}), seen: map[string]int{}}
}

func (w *wire) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	w.enter(in)
	defer w.leave()
	pass := *in
	pass.Entries = nil
	out := &sqs.SendMessageBatchOutput{}
	var bodies []string
	for _, e := range in.Entries {
		bodies = append(bodies, *e.MessageBody)
		code, senderFault := "", false
		if w.fail != nil {
			code, senderFault = w.fail(*e.MessageBody, w.attempt(*e.MessageBody))
		}
		switch code {
		case "":
			pass.Entries = append(pass.Entries, e)
		case "silence":
		default:
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: &code, SenderFault: senderFault})
		}
	}
	if w.refuse != nil {
		if err := w.refuse(bodies); err != nil {
			return nil, err
		}
	}
	if len(pass.Entries) == 0 {
		return out, nil
	}
	sent, err := w.Queue.SendMessageBatch(ctx, &pass)
	if err != nil {
		return nil, err
	}
	sent.Failed = append(sent.Failed, out.Failed...)
	return sent, nil
}

func (w *wire) enter(in *sqs.SendMessageBatchInput) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches = append(w.batches, in.Entries)
	w.flying++
	w.most = max(w.most, w.flying)
}

func (w *wire) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying--
}

func (w *wire) attempt(body string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[body]++
	return w.seen[body]
}

// bodies lists what arrived, by group, in order.
func (w *wire) bodies() map[string]string {
	all := map[string]string{}
	for _, m := range w.Messages() {
		all[m.Group] = strings.TrimSpace(all[m.Group] + " " + m.Body)
	}
	return all
}

func entries(list ...string) []queue.Entry {
	var out []queue.Entry
	for _, item := range list {
		out = append(out, in(item[:1], item))
	}
	return out
}

func bodies(list []queue.Entry) []string {
	var out []string
	for _, e := range list {
		out = append(out, string(e.Body))
	}
	return out
}

func (w *wire) mustKeepLimits(t *testing.T) {
	t.Helper()
	for _, batch := range w.batches {
		groups, size := map[string]bool{}, 0
		for _, e := range batch {
			if group := aws.ToString(e.MessageGroupId); strings.HasSuffix(w.URL, ".fifo") && groups[group] {
				t.Errorf("a batch holds two entries of group %q", group)
			}
			groups[aws.ToString(e.MessageGroupId)] = true
			size += len(*e.MessageBody)
		}
		if len(batch) > 10 || len(batch) > 1 && size > 256_000 {
			t.Errorf("a batch of %d entries and %d bytes", len(batch), size)
		}
	}
}

// Ensure the order in each group, and the limits, for a POST's worth of entries.
func TestSendKeepsOrderAndLimits(t *testing.T) {
	w := newWire("out.fifo")
	sender := &queue.Sender{Client: w, URL: w.URL}
	var list []queue.Entry
	want := map[string]string{}
	for i := range 300 {
		group, body := fmt.Sprint("g", i%37), fmt.Sprintf("%d-%s", i, strings.Repeat("x", (i%7)*10_000))
		list = append(list, in(group, body))
		want[group] = strings.TrimSpace(want[group] + " " + body)
	}
	if err := sender.Send(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, w.bodies(), want)
	w.mustKeepLimits(t)
	if w.most > 8 {
		t.Errorf("%d batches at a time", w.most)
	}
}

func TestSendNothing(t *testing.T) {
	w := newWire("out.fifo")
	if err := (&queue.Sender{Client: w, URL: w.URL}).Send(t.Context()); err != nil || len(w.batches) != 0 {
		t.Errorf("%v, %d calls", err, len(w.batches))
	}
}

// Ensure that equal bodies are one message, and that an id of the caller's counts instead.
func TestDeduplicationID(t *testing.T) {
	w := newWire("out.fifo")
	sender := &queue.Sender{Client: w, URL: w.URL}
	for range 2 {
		if err := sender.Send(t.Context(), in("g", "same"), queue.Entry{Group: "g", Body: []byte("same"), DedupID: "mine"}); err != nil {
			t.Fatal(err)
		}
	}
	mustEqual(t, w.bodies(), map[string]string{"g": "same same"})
	const sum = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5" // sha256sum of "same"
	if got := *w.batches[0][0].MessageDeduplicationId; got != sum {
		t.Errorf("got %s, want %s", got, sum)
	}
}

func TestStandardQueue(t *testing.T) {
	w := newWire("out")
	sender := &queue.Sender{Client: w, URL: w.URL}
	list := append(entries("a1", "a2", "a3"), queue.Entry{Body: []byte("none"), DedupID: "ignored"})
	if err := sender.Send(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	if len(w.batches) != 1 {
		t.Errorf("%d calls, want 1: a standard queue has no order to keep", len(w.batches))
	}
	mustEqual(t, w.bodies(), map[string]string{"a": "a1 a2 a3", "": "none"})
}

// Ensure that nothing of a group is sent after its failure, that other groups go on, and that the error says what is left.
func TestEntryFails(t *testing.T) {
	w := newWire("out.fifo")
	w.fail = func(body string, _ int) (string, bool) {
		switch body {
		case "a2":
			return "InvalidMessageContents", true
		case "b1":
			return "InternalError", false
		case "c1":
			return "silence", false
		}
		return "", false
	}
	sender := &queue.Sender{Client: w, URL: w.URL}
	err := sender.Send(t.Context(), entries("a1", "b1", "a2", "c1", "a3", "b2", "d1", "d2")...)
	if err == nil {
		t.Fatal("no error")
	}
	mustEqual(t, w.bodies(), map[string]string{"a": "a1", "d": "d1 d2"})
	if got, want := bodies(queue.Unsent(err)), []string{"b1", "a2", "c1", "a3", "b2"}; !slices.Equal(got, want) {
		t.Errorf("unsent %q, want %q", got, want)
	}
	if got, want := bodies(queue.Refused(err)), []string{"a2"}; !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q", got, want)
	}
	if got, want := err.Error(), "send to out.fifo: 5 of 8 entries not in the queue (1 InternalError, 1 InvalidMessageContents, 1 NoAnswer)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for body, attempts := range map[string]int{"a2": 1, "b1": 2, "c1": 2} {
		if w.seen[body] != attempts {
			t.Errorf("%s: %d attempts, want %d", body, w.seen[body], attempts)
		}
	}
}

func TestEntryFailsOnce(t *testing.T) {
	w := newWire("out.fifo")
	w.fail = func(_ string, attempt int) (string, bool) {
		if attempt == 1 {
			return "InternalError", false
		}
		return "", false
	}
	if err := (&queue.Sender{Client: w, URL: w.URL}).Send(t.Context(), entries("a1", "b1", "a2")...); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, w.bodies(), map[string]string{"a": "a1 a2", "b": "b1"})
}

// Ensure that one entry that makes SQS refuse the whole call is found, and that the others arrive.
func TestCallIsRefusedForOneEntry(t *testing.T) {
	w := newWire("out.fifo")
	w.refuse = func(bodies []string) error {
		if slices.Contains(bodies, "b1") {
			return &types.InvalidMessageContents{}
		}
		return nil
	}
	err := (&queue.Sender{Client: w, URL: w.URL}).Send(t.Context(), entries("a1", "b1", "c1", "b2", "a2")...)
	mustEqual(t, w.bodies(), map[string]string{"a": "a1 a2", "c": "c1"})
	if got, want := bodies(queue.Refused(err)), []string{"b1"}; !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q", got, want)
	}
	if got, want := bodies(queue.Unsent(err)), []string{"b1", "b2"}; !slices.Equal(got, want) {
		t.Errorf("unsent %q, want %q", got, want)
	}
}

// Ensure that a failed call is not taken for a refused entry, and that a consumer who returns its error waits.
func TestCallFails(t *testing.T) {
	for name, cause := range map[string]error{
		"throttle":   &smithy.GenericAPIError{Code: "RequestThrottled"},
		"connection": errors.New("connection reset"),
		"context":    context.DeadlineExceeded,
	} {
		w := newWire("out.fifo")
		w.refuse = func([]string) error { return cause }
		err := (&queue.Sender{Client: w, URL: w.URL}).Send(t.Context(), entries("a1", "b1", "a2")...)
		if !errors.Is(err, cause) || len(queue.Refused(err)) != 0 || len(queue.Unsent(err)) != 3 {
			t.Errorf("%s: %v, refused %d, unsent %d", name, err, len(queue.Refused(err)), len(queue.Unsent(err)))
		}
		var temporary interface{ Temporary() bool }
		if !errors.As(err, &temporary) || !temporary.Temporary() {
			t.Errorf("%s: not temporary", name)
		}
		if len(w.batches) != 1 {
			t.Errorf("%s: %d calls", name, len(w.batches))
		}
	}
}

func TestForeignErrorHasNoEntries(t *testing.T) {
	if err := errors.New("x"); queue.Unsent(err) != nil || queue.Refused(err) != nil || queue.Unsent(nil) != nil {
		t.Error("entries out of nowhere")
	}
}

// Ensure that the sender and SQS agree about an entry that SQS does not take.
func TestRefusedBySQS(t *testing.T) {
	w := newWire("out.fifo")
	err := (&queue.Sender{Client: w, URL: w.URL}).Send(t.Context(), entries("a1", "a\x01", "a3", "b1")...)
	mustEqual(t, w.bodies(), map[string]string{"a": "a1", "b": "b1"})
	if got, want := bodies(queue.Refused(err)), []string{"a\x01"}; !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q", got, want)
	}
}

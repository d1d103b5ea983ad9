package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
	"threadline/shared/whatsapp/whatsapptest"
)

// line is the queue for bulk.
type line struct {
	sent    []queue.Entry
	failing error
}

func (l *line) Send(_ context.Context, es ...queue.Entry) error {
	if l.failing != nil {
		return l.failing
	}
	l.sent = append(l.sent, es...)
	return nil
}

// history is a POST that holds a thread of so many messages, and one live message.
func history(n int, text string) string {
	var messages []string
	for i := range n {
		messages = append(messages, fmt.Sprintf(`{"from":"34600111222","id":"wamid.%d","timestamp":"1700000000","type":"text","text":{"body":%q}}`, i, text))
	}
	return `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[` +
		`{"field":"history","value":{"metadata":{"phone_number_id":"100"},"history":[{"threads":[{"id":"34600111222","messages":[` + strings.Join(messages, ",") + `]}]}]}},` +
		`{"field":"messages","value":{"metadata":{"phone_number_id":"100"},"messages":[{"from":"34600111222","id":"wamid.now","timestamp":"1700000000","type":"text","text":{"body":"hi"}}]}}]}]}`
}

// TestHistoryHasAQueueOfItsOwn: thousands of old messages don't stand before a new one, and 200 means that both are
// stored.
func TestHistoryHasAQueueOfItsOwn(t *testing.T) {
	body := history(250, "then")
	w := newWorld()
	if got := post(t, w, body, whatsapptest.Sign(appSecret, []byte(body))); got != 200 {
		t.Fatal(got)
	}
	if len(w.sent) != 1 || !bytes.Contains(w.sent[0].Body, []byte("wamid.now")) || len(w.bulk.sent) != 3 {
		t.Errorf("%d entries inbound, %d in bulk", len(w.sent), len(w.bulk.sent))
	}
	for _, e := range w.bulk.sent {
		if e.Group == "" || strings.Contains(e.Group, "34600111222") {
			t.Errorf("group %q", e.Group)
		}
	}
	for _, down := range []func(*world){func(w *world) { w.failing = errors.New("down") }, func(w *world) { w.bulk.failing = errors.New("down") }} {
		w := newWorld()
		down(w)
		if got := post(t, w, body, whatsapptest.Sign(appSecret, []byte(body))); got != 500 {
			t.Errorf("status %d: Meta would not try again", got)
		}
	}
}

func TestALongPartOfAHistoryTravelsAsAPointer(t *testing.T) {
	body := history(100, strings.Repeat("long ", 600))
	w := newWorld()
	if got := post(t, w, body, whatsapptest.Sign(appSecret, []byte(body))); got != 200 || len(w.bulk.sent) != 1 {
		t.Fatalf("%d, %d entries", got, len(w.bulk.sent))
	}
	var e entry
	if err := json.Unmarshal(w.bulk.sent[0].Body, &e); err != nil || w.blobs.Keys()[0] != e.Claim || w.bulk.sent[0].Group == "" {
		t.Errorf("%s in group %q, objects %v (%v)", w.bulk.sent[0].Body, w.bulk.sent[0].Group, w.blobs.Keys(), err)
	}
}

// TestWhatSQSRefusesBecomesAnObject: on both queues.
func TestWhatSQSRefusesBecomesAnObject(t *testing.T) {
	body := history(1, "refused")
	account := queuetest.New(time.Now)
	for _, name := range []string{"Inbound.fifo", "Bulk"} {
		q := account.Create(name, queuetest.Options{})
		sender := &queue.Sender{Client: choosy{q}, URL: q.URL}
		w := newWorld()
		h := w.handler()
		if name == "Bulk" {
			h.Bulk = sender
		} else {
			h.Inbound = sender
		}
		r, err := h.Handle(t.Context(), request("POST", body, whatsapptest.Sign(appSecret, []byte(body))))
		if err != nil || r.StatusCode != 200 {
			t.Fatalf("%s: %d (%v)", name, r.StatusCode, err)
		}
		if got := q.Messages(); len(got) != 1 || !strings.Contains(got[0].Body, "claim/") || len(w.blobs.Keys()) != 1 {
			t.Errorf("%s: %d messages, objects %v", name, len(got), w.blobs.Keys())
		}
	}
}

// choosy is an SQS that takes pointers only.
type choosy struct{ *queuetest.Queue }

func (c choosy) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	if !strings.Contains(*in.Entries[0].MessageBody, "claim/") {
		return nil, &smithy.GenericAPIError{Code: "InvalidMessageContents"}
	}
	return c.Queue.SendMessageBatch(ctx, in, o...)
}

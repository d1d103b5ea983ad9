package eventsource

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// full is a queue that always has messages.
type full struct {
	mu       sync.Mutex
	received int
	deleted  int
}

func (q *full) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := &sqs.ReceiveMessageOutput{}
	for range in.MaxNumberOfMessages {
		q.received++
		id := fmt.Sprint(q.received)
		out.Messages = append(out.Messages, types.Message{MessageId: &id, ReceiptHandle: &id, Body: aws.String("x")})
	}
	return out, nil
}

func (q *full) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deleted += len(in.Entries)
	return &sqs.DeleteMessageBatchOutput{}, nil
}

func (q *full) ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	return &sqs.ChangeMessageVisibilityBatchOutput{}, nil
}

// slow is a function that takes a minute.
type slow struct {
	mu            sync.Mutex
	running, most int
}

func (f *slow) Invoke(context.Context, string, []byte) ([]byte, error) {
	f.change(1)
	time.Sleep(time.Minute)
	f.change(-1)
	return []byte(`{"batchItemFailures":[]}`), nil
}

func (f *slow) change(by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running += by
	f.most = max(f.most, f.running)
}

// Ensure that a mapping's maximum is reached and never passed, whatever waits, and that it is ten batches without one.
func TestConcurrency(t *testing.T) {
	for maximum, want := range map[int]int{0: DefaultConcurrency, 2: 2, 4: 4} {
		t.Run(fmt.Sprint(maximum), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				queue, function := &full{}, &slow{}
				ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
				defer stop()
				New(Mapping{BatchSize: 1, PartialFailures: true, Concurrency: maximum}, queue, function, slog.New(slog.DiscardHandler)).Run(ctx)
				if function.most != want || function.running != 0 {
					t.Errorf("at most %d at once and %d left, want %d and none", function.most, function.running, want)
				}
				if want := want * 10; queue.deleted < want {
					t.Errorf("%d messages in ten minutes, want %d", queue.deleted, want)
				}
			})
		})
	}
}

// Package eventsource feeds functions from SQS queues by the rules of Lambda's event source mappings.
//
// It receives at most BatchSize messages, invokes the function once for them, deletes what the
// function accepted and leaves the rest to its visibility timeout. With partial failures only the
// reported messages stay; an answer that cannot be understood fails the whole batch. Several
// batches run at once; the order inside a FIFO group is kept because SQS gives out nothing of a
// group while a part of it is being worked on.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// DefaultConcurrency is how many batches of a queue run at once where the mapping sets no maximum.
	DefaultConcurrency = 10

	// receiveWait is how long a receive waits for messages, and so the most that Run needs to notice
	// the end of its context: an abandoned receive could take messages that nobody handles.
	receiveWait = time.Second
	retryWait   = 500 * time.Millisecond
)

// Mapping is what Lambda knows of one deployed event source mapping.
type Mapping struct {
	Function        string // name, as Invoke takes it
	QueueARN        string
	QueueURL        string
	Region          string
	BatchSize       int  // 1–10
	PartialFailures bool // ReportBatchItemFailures
	Concurrency     int  // most batches at once; 0: DefaultConcurrency
}

// Queue is the part of SQS that a poller needs.
type Queue interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
}

// Invoker runs a function; lambda.Host is one.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// Poller moves messages from one queue into one function.
type Poller struct {
	mapping Mapping
	queue   Queue
	invoker Invoker
	log     *slog.Logger
	batches sync.WaitGroup
}

// New makes a poller that has not started.
func New(m Mapping, queue Queue, invoker Invoker, log *slog.Logger) *Poller {
	if m.Concurrency == 0 {
		m.Concurrency = DefaultConcurrency
	}
	return &Poller{mapping: m, queue: queue, invoker: invoker, log: log.With("function", m.Function)}
}

// Run polls until ctx is done and then waits for the batches that are being worked on. Messages
// that arrive with the last receive are given back.
func (p *Poller) Run(ctx context.Context) {
	slots := make(chan struct{}, p.mapping.Concurrency)
	defer p.batches.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		messages := p.receive(ctx)
		if len(messages) == 0 || ctx.Err() != nil {
			p.release(ctx, messages)
			<-slots
			continue
		}
		p.batches.Add(1)
		go func() {
			defer p.batches.Done()
			defer func() { <-slots }()
			p.work(context.WithoutCancel(ctx), messages)
		}()
	}
}

// receive returns nothing after an error, having waited a moment.
func (p *Poller) receive(ctx context.Context) []types.Message {
	out, err := p.queue.ReceiveMessage(context.WithoutCancel(ctx), &sqs.ReceiveMessageInput{
		QueueUrl:                    &p.mapping.QueueURL,
		MaxNumberOfMessages:         int32(p.mapping.BatchSize),
		WaitTimeSeconds:             int32(receiveWait / time.Second),
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err == nil {
		return out.Messages
	}
	p.log.Warn("receive failed", "error", err)
	select {
	case <-ctx.Done():
	case <-time.After(retryWait):
	}
	return nil
}

// release makes received messages visible again.
func (p *Poller) release(ctx context.Context, messages []types.Message) {
	if len(messages) == 0 {
		return
	}
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle}
	}
	_, err := p.queue.ChangeMessageVisibilityBatch(context.WithoutCancel(ctx),
		&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &p.mapping.QueueURL, Entries: entries})
	if err != nil {
		p.log.Warn("giving messages back failed", "error", err)
	}
}

// work runs one batch through the function.
func (p *Poller) work(ctx context.Context, messages []types.Message) {
	payload, err := json.Marshal(p.event(messages))
	if err != nil {
		p.log.Error("encoding a batch failed", "error", err)
		return
	}
	response, err := p.invoker.Invoke(ctx, p.mapping.Function, payload)
	if err != nil {
		p.log.Warn("batch failed", "messages", len(messages), "error", err)
		return
	}
	done, err := p.accepted(messages, response)
	if err != nil {
		p.log.Warn("batch failed", "messages", len(messages), "error", err)
		return
	}
	if len(done) == 0 {
		return
	}
	out, err := p.queue.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &p.mapping.QueueURL, Entries: done})
	if err != nil {
		p.log.Warn("delete failed", "messages", len(done), "error", err)
		return
	}
	if len(out.Failed) > 0 {
		p.log.Warn("delete refused", "messages", len(out.Failed))
	}
}

var errBatchResponse = errors.New("answer is not a batch response for this batch")

// accepted returns what to delete. An empty or null answer, or one without failures, is success;
// invalid JSON, an empty or an unknown identifier is a failure of the whole batch.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func (p *Poller) accepted(messages []types.Message, response []byte) ([]types.DeleteMessageBatchRequestEntry, error) {
	var answer struct {
		BatchItemFailures []struct {
			ItemIdentifier *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	failed := make(map[string]bool)
	if p.mapping.PartialFailures && len(response) > 0 {
		if err := json.Unmarshal(response, &answer); err != nil {
			return nil, errBatchResponse
		}
	}
	known := make(map[string]bool, len(messages))
	for _, m := range messages {
		known[*m.MessageId] = true
	}
	for _, failure := range answer.BatchItemFailures {
		if failure.ItemIdentifier == nil || !known[*failure.ItemIdentifier] {
			return nil, errBatchResponse
		}
		failed[*failure.ItemIdentifier] = true
	}
	var done []types.DeleteMessageBatchRequestEntry
	for _, m := range messages {
		if !failed[*m.MessageId] {
			done = append(done, types.DeleteMessageBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle})
		}
	}
	return done, nil
}

// event is the batch as the function sees it.
func (p *Poller) event(messages []types.Message) events.SQSEvent {
	records := make([]events.SQSMessage, len(messages))
	for i, m := range messages {
		records[i] = events.SQSMessage{
			MessageId:              aws.ToString(m.MessageId),
			ReceiptHandle:          aws.ToString(m.ReceiptHandle),
			Body:                   aws.ToString(m.Body),
			Md5OfBody:              aws.ToString(m.MD5OfBody),
			Md5OfMessageAttributes: aws.ToString(m.MD5OfMessageAttributes),
			Attributes:             m.Attributes,
			MessageAttributes:      messageAttributes(m.MessageAttributes),
			EventSourceARN:         p.mapping.QueueARN,
			EventSource:            "aws:sqs",
			AWSRegion:              p.mapping.Region,
		}
	}
	return events.SQSEvent{Records: records}
}

func messageAttributes(from map[string]types.MessageAttributeValue) map[string]events.SQSMessageAttribute {
	to := make(map[string]events.SQSMessageAttribute, len(from))
	for name, value := range from {
		to[name] = events.SQSMessageAttribute{
			StringValue:      value.StringValue,
			BinaryValue:      value.BinaryValue,
			StringListValues: value.StringListValues,
			BinaryListValues: value.BinaryListValues,
			DataType:         aws.ToString(value.DataType),
		}
	}
	return to
}

package queuetest

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// PumpAPI is what a Pump needs of an SQS client.
type PumpAPI interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// Pump does what Lambda's event source mapping does: it receives a batch, invokes the function, deletes what the
// function did not report as failed and leaves the rest to its visibility. Nothing happens but in its methods.
type Pump struct {
	Client    PumpAPI
	URL       string
	BatchSize int // 1 to 10; 0: 10
	Lambda    func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)
}

// Once makes one receive and, if it returns something, one invocation. It returns the number of messages received.
// A failed invocation, or a response that names an unknown message, gives the whole batch back, as Lambda does.
func (p *Pump) Once(ctx context.Context) (int, error) {
	size := p.BatchSize
	if size == 0 {
		size = 10
	}
	out, err := p.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &p.URL, MaxNumberOfMessages: int32(size), MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return 0, fmt.Errorf("receive: %w", err)
	}
	if len(out.Messages) == 0 {
		return 0, nil
	}
	resp, err := p.Lambda(ctx, p.event(out.Messages))
	if err != nil {
		return len(out.Messages), nil
	}
	return len(out.Messages), p.delete(ctx, out.Messages, resp)
}

func (p *Pump) delete(ctx context.Context, received []types.Message, resp events.SQSEventResponse) error {
	done := map[string]*string{}
	for _, m := range received {
		done[*m.MessageId] = m.ReceiptHandle
	}
	for _, f := range resp.BatchItemFailures {
		if _, ok := done[f.ItemIdentifier]; !ok {
			return nil
		}
		done[f.ItemIdentifier] = nil
	}
	for _, m := range received {
		if done[*m.MessageId] == nil {
			continue
		}
		if _, err := p.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &p.URL, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
	}
	return nil
}

// Drain pumps until nothing is visible and returns the number of messages received.
func (p *Pump) Drain(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := p.Once(ctx)
		total += n
		if n == 0 || err != nil {
			return total, err
		}
	}
}

func (p *Pump) event(received []types.Message) events.SQSEvent {
	var e events.SQSEvent
	for _, m := range received {
		r := events.SQSMessage{
			MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: aws.ToString(m.Body),
			Md5OfBody: aws.ToString(m.MD5OfBody), Attributes: m.Attributes,
			EventSource: "aws:sqs", EventSourceARN: arn(p.URL), AWSRegion: "us-east-1",
		}
		for name, a := range m.MessageAttributes {
			if r.MessageAttributes == nil {
				r.MessageAttributes = map[string]events.SQSMessageAttribute{}
			}
			r.MessageAttributes[name] = events.SQSMessageAttribute{
				DataType: aws.ToString(a.DataType), StringValue: a.StringValue, BinaryValue: a.BinaryValue,
				StringListValues: []string{}, BinaryListValues: [][]byte{},
			}
		}
		e.Records = append(e.Records, r)
	}
	return e
}

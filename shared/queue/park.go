package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// SQS takes ten attributes; two are ours.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
	maxAttributes = 10
	maxReason     = 256
)

// park copies a message into the dead-letter queue, with its own attributes and why it is there. In a FIFO queue the
// message's id deduplicates: parking it twice within five minutes leaves one.
func (c *Consumer) park(ctx context.Context, r events.SQSMessage, cause error) error {
	in := &sqs.SendMessageInput{
		QueueUrl: &c.DLQURL, MessageBody: &r.Body,
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{
			"source": text(c.Source), "reason": text(reason(cause)),
		},
	}
	for name, value := range r.MessageAttributes {
		if _, ours := in.MessageAttributes[name]; !ours && len(in.MessageAttributes) < maxAttributes {
			in.MessageAttributes[name] = sqstypes.MessageAttributeValue{
				DataType: &value.DataType, StringValue: value.StringValue, BinaryValue: value.BinaryValue,
			}
		}
	}
	if group := r.Attributes["MessageGroupId"]; group != "" {
		in.MessageGroupId = &group
	}
	if strings.HasSuffix(c.DLQURL, ".fifo") {
		in.MessageDeduplicationId = &r.MessageId
	}
	if _, err := c.Client.SendMessage(ctx, in); err != nil {
		return fmt.Errorf("park message: %w", err)
	}
	if c.Metrics != nil {
		c.Metrics.Count(ctx, "Parked", 1, "Source", c.Source)
	}
	return nil
}

// text is an attribute; SQS refuses an empty one.
func text(s string) sqstypes.MessageAttributeValue {
	if s == "" {
		s = "-"
	}
	return sqstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
}

// reason names kinds of errors only: their texts may quote a customer.
func reason(err error) string {
	s := "error: " + types(err)
	var p *panicked
	if errors.As(err, &p) {
		s = p.Error()
	}
	return s[:min(len(s), maxReason)]
}

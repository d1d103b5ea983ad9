package queuetest

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// maxVisibility counts from the receive, however often it is changed.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
const maxVisibility = 12 * time.Hour

// ReceiveMessage is the client's call. All attributes are returned, whichever are asked for; it never waits.
func (s *SQS) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	limit := max(int(in.MaxNumberOfMessages), 1)
	if limit > maxEntries {
		return nil, refusal("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10.")
	}
	hidden := q.options.Visibility
	if in.VisibilityTimeout > 0 {
		hidden = time.Duration(in.VisibilityTimeout) * time.Second
	}
	out := &sqs.ReceiveMessageOutput{}
	for _, m := range q.available(limit) {
		out.Messages = append(out.Messages, q.receive(m, hidden))
	}
	return out, nil
}

// available returns messages in order. A FIFO group of which anything is in flight gives nothing.
func (q *Queue) available(limit int) []*message {
	now := q.now()
	locked := map[string]bool{}
	for _, m := range q.messages {
		if q.fifo && m.inFlight(now) {
			locked[m.group] = true
		}
	}
	var list []*message
	for _, m := range q.messages {
		if len(list) == limit {
			break
		}
		if !m.visible.After(now) && !locked[m.group] {
			list = append(list, m)
		}
	}
	return list
}

func (q *Queue) receive(m *message, hidden time.Duration) types.Message {
	now := q.now()
	m.receives++
	q.worn = q.worn || q.wornOut(m)
	m.received, m.visible, m.handle = now, now.Add(hidden), q.next("handle "+m.id)
	if m.firstReceived.IsZero() {
		m.firstReceived = now
	}
	attributes := map[string]string{
		"SenderId":                         "000000000000",
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstReceived.UnixMilli(), 10),
	}
	if m.group != "" {
		attributes["MessageGroupId"] = m.group
	}
	if q.fifo {
		attributes["MessageDeduplicationId"] = m.dedup
		attributes["SequenceNumber"] = *sequenceText(m.sequence)
	}
	if m.source != "" {
		attributes["DeadLetterQueueSourceArn"] = arn(m.source)
	}
	return types.Message{
		MessageId: aws.String(m.id), ReceiptHandle: aws.String(m.handle), Body: aws.String(m.body),
		MD5OfBody: digest(&m.body), Attributes: attributes, MessageAttributes: maps.Clone(m.attributes),
	}
}

func arn(url string) string {
	return "arn:aws:sqs:us-east-1:000000000000:" + url[strings.LastIndex(url, "/")+1:]
}

// DeleteMessage is the client's call. Deleting twice is no error; a handle that a later receive has replaced deletes
// nothing; on a FIFO queue an expired handle is refused.
func (s *SQS) DeleteMessage(ctx context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	m, err := q.byHandle(in.ReceiptHandle)
	if err != nil {
		return nil, err
	}
	if m != nil && q.fifo && !m.inFlight(q.now()) {
		return nil, refusal("InvalidParameterValue", "The receipt handle has expired.")
	}
	if m != nil {
		q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
	}
	return &sqs.DeleteMessageOutput{}, nil
}

// ChangeMessageVisibility is the client's call.
func (s *SQS) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	m, err := q.byHandle(in.ReceiptHandle)
	if err != nil {
		return nil, err
	}
	now, d := q.now(), time.Duration(in.VisibilityTimeout)*time.Second
	switch {
	case m == nil:
		return nil, refusal("InvalidParameterValue", "Message does not exist or is not available for visibility timeout change.")
	case !m.inFlight(now):
		return nil, &types.MessageNotInflight{}
	case d < 0 || now.Add(d).Sub(m.received) > maxVisibility:
		return nil, refusal("InvalidParameterValue", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	m.visible = now.Add(d)
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

// byHandle returns the message whose latest receive gave this handle; nil if it is gone or was received again.
func (q *Queue) byHandle(handle *string) (*message, error) {
	if !strings.HasPrefix(aws.ToString(handle), "handle ") {
		return nil, &types.ReceiptHandleIsInvalid{}
	}
	for _, m := range q.messages {
		if m.handle == *handle {
			return m, nil
		}
	}
	return nil, nil
}

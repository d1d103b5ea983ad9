package queuetest

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"maps"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxBody     = 1 << 20
	maxEntries  = 10
	dedupWindow = 5 * time.Minute
)

// SendMessage is the client's call.
func (s *SQS) SendMessage(ctx context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	id, sequence, err := q.add(aws.ToString(in.MessageBody), in.MessageGroupId, in.MessageDeduplicationId, in.MessageAttributes)
	if err != nil {
		return nil, err
	}
	return &sqs.SendMessageOutput{MessageId: &id, MD5OfMessageBody: digest(in.MessageBody), SequenceNumber: sequence}, nil
}

// SendMessageBatch is the client's call. An entry that can't be taken is among the Failed; the others are sent.
func (s *SQS) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkBatch(in.Entries); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		id, sequence, err := q.add(aws.ToString(e.MessageBody), e.MessageGroupId, e.MessageDeduplicationId, e.MessageAttributes)
		if err != nil {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String(code(err)), SenderFault: true})
			continue
		}
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{
			Id: e.Id, MessageId: &id, MD5OfMessageBody: digest(e.MessageBody), SequenceNumber: sequence,
		})
	}
	return out, nil
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "InternalError"
}

func checkBatch(entries []types.SendMessageBatchRequestEntry) error {
	switch {
	case len(entries) == 0:
		return &types.EmptyBatchRequest{}
	case len(entries) > maxEntries:
		return &types.TooManyEntriesInBatchRequest{}
	}
	size := 0
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[aws.ToString(e.Id)] {
			return &types.BatchEntryIdsNotDistinct{}
		}
		seen[aws.ToString(e.Id)] = true
		size += len(aws.ToString(e.MessageBody))
	}
	if size > maxBody {
		return &types.BatchRequestTooLong{}
	}
	return nil
}

// add puts one message at the end, unless a FIFO queue knows it already: then it answers as it did the first time.
func (q *Queue) add(body string, group, dedup *string, attributes map[string]types.MessageAttributeValue) (id string, sequence *string, err error) {
	if err := q.check(body, group, dedup, attributes); err != nil {
		return "", nil, err
	}
	now := q.now()
	key := aws.ToString(dedup)
	if !q.options.DedupByQueue {
		key = aws.ToString(group) + " " + key
	}
	if known, ok := q.dedup[key]; ok && known.until.After(now) {
		return known.id, sequenceText(known.sequence), nil
	}
	m := &message{
		id: q.next("message"), body: body, group: aws.ToString(group), dedup: aws.ToString(dedup),
		attributes: maps.Clone(attributes), sent: now, enqueued: now, visible: now,
	}
	if q.fifo {
		q.sequence++
		m.sequence = q.sequence
		q.dedup[key] = remembered{id: m.id, sequence: m.sequence, until: now.Add(dedupWindow)}
		sequence = sequenceText(m.sequence)
	}
	q.messages = append(q.messages, m)
	q.ages(now.Add(q.options.Retention))
	return m.id, sequence, nil
}

func (q *Queue) check(body string, group, dedup *string, attributes map[string]types.MessageAttributeValue) error {
	switch {
	case body == "":
		return refusal("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(body) > maxBody:
		return refusal("InvalidParameterValue", "Message must be shorter than 1048576 bytes.")
	case !allowed(body):
		return &types.InvalidMessageContents{}
	case q.fifo && aws.ToString(group) == "":
		return refusal("MissingParameter", "The request must contain the parameter MessageGroupId.")
	case q.fifo && aws.ToString(dedup) == "":
		return refusal("InvalidParameterValue", "The queue should have MessageDeduplicationId provided explicitly.")
	case !q.fifo && dedup != nil:
		return refusal("InvalidParameterValue", "MessageDeduplicationId is not valid for this queue type.")
	case len(aws.ToString(group)) > 128, len(aws.ToString(dedup)) > 128:
		return refusal("InvalidParameterValue", "An id can only include 1 to 128 characters.")
	case len(attributes) > 10:
		return refusal("InvalidParameterValue", "Number of message attributes exceeds the allowed maximum [10].")
	}
	for name, a := range attributes {
		if aws.ToString(a.DataType) == "" || a.StringValue != nil && *a.StringValue == "" {
			return refusal("InvalidParameterValue", "The message attribute '"+name+"' is empty.")
		}
	}
	return nil
}

// allowed tells whether every character is one of #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to
// #x10FFFF: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func allowed(body string) bool {
	if !utf8.ValidString(body) {
		return false
	}
	for _, r := range body {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

func digest(body *string) *string {
	sum := md5.Sum([]byte(aws.ToString(body)))
	return aws.String(hex.EncodeToString(sum[:]))
}

func sequenceText(n int) *string {
	text := strconv.Itoa(n)
	for len(text) < 20 {
		text = "0" + text
	}
	return &text
}

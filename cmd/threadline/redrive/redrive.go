// Package redrive moves what was parked in a dead-letter queue back into its work queue, with the operator's consent.
//
// SQS itself moves the messages (StartMessageMoveTask), in their order; nothing is deleted or rewritten on the way, and
// looking at why they were parked takes nothing from the queue. No text or number of a customer is read or printed.
package redrive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"threadline/cmd/threadline/stack"
)

// API is the part of the SQS client that is used.
type API interface {
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	StartMessageMoveTask(context.Context, *sqs.StartMessageMoveTaskInput, ...func(*sqs.Options)) (*sqs.StartMessageMoveTaskOutput, error)
	ListMessageMoveTasks(context.Context, *sqs.ListMessageMoveTasksInput, ...func(*sqs.Options)) (*sqs.ListMessageMoveTasksOutput, error)
}

// Redrive works on one queue.
type Redrive struct {
	Client API
	Queue  stack.Queue
	Poll   time.Duration // how often a move is looked at; 2 s if zero
}

// Parked is what waits in the dead-letter queue.
type Parked struct {
	Messages int      // about how many
	Looked   int      // at how many of them
	Reasons  []Reason // of those, the most frequent first
	Oldest   time.Time
}

// Reason is why messages were parked: kinds of errors, as the consumer wrote them.
type Reason struct {
	Text  string
	Count int
}

const (
	// sample is how many messages are looked at, which is what one call of SQS returns.
	sample = 10
	// lookTime is how long what was looked at stays invisible. The SDK leaves a zero out, which means the queue's own 30 s.
	lookTime = time.Second
)

// Look counts what waits, and samples why. When it returns, everything is visible again.
func (r Redrive) Look(ctx context.Context) (Parked, error) {
	attributes, err := r.attributes(ctx, r.Queue.DeadLetters)
	if err != nil {
		return Parked{}, err
	}
	visible, _ := strconv.Atoi(attributes["ApproximateNumberOfMessages"])
	hidden, _ := strconv.Atoi(attributes["ApproximateNumberOfMessagesNotVisible"])
	p := Parked{Messages: visible + hidden}
	out, err := r.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &r.Queue.DeadLetters,
		MaxNumberOfMessages:         sample,
		VisibilityTimeout:           int32(lookTime / time.Second),
		WaitTimeSeconds:             1, // asks all of the queue's servers
		MessageAttributeNames:       []string{"reason"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return Parked{}, fmt.Errorf("look into the dead-letter queue: %w", err)
	}
	p.sample(out.Messages)
	if p.Looked > 0 {
		select {
		case <-time.After(lookTime):
		case <-ctx.Done():
			return Parked{}, fmt.Errorf("look into the dead-letter queue: %w", ctx.Err())
		}
	}
	return p, nil
}

func (p *Parked) sample(messages []types.Message) {
	p.Looked = len(messages)
	p.Messages = max(p.Messages, p.Looked) // SQS's count lags behind
	counts := map[string]int{}
	for _, m := range messages {
		// Without a reason it was SQS that moved it: whoever received it died each time.
		counts[cmp.Or(aws.ToString(m.MessageAttributes["reason"].StringValue), "received too often")]++
		if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
			if at := time.UnixMilli(ms).UTC(); p.Oldest.IsZero() || at.Before(p.Oldest) {
				p.Oldest = at
			}
		}
	}
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		p.Reasons = append(p.Reasons, Reason{text, counts[text]})
	}
	slices.SortStableFunc(p.Reasons, func(a, b Reason) int { return b.Count - a.Count })
}

// Move asks SQS to move everything back and follows it to the end. progress is told how many of how many were moved,
// about. A move that is already under way is followed instead of starting another one. Ending ctx ends the following,
// not the move.
func (r Redrive) Move(ctx context.Context, progress func(moved, of int64)) (moved int64, err error) {
	from, err := r.arn(ctx, r.Queue.DeadLetters)
	if err != nil {
		return 0, err
	}
	last, err := r.newest(ctx, from)
	if err != nil {
		return 0, err
	}
	if aws.ToString(last.Status) == "RUNNING" {
		return r.follow(ctx, from, last.StartedTimestamp, progress)
	}
	to, err := r.arn(ctx, r.Queue.URL)
	if err != nil {
		return 0, err
	}
	// Our consumers park messages themselves, so SQS doesn't know where they are from: it must be told.
	_, err = r.Client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &from, DestinationArn: &to})
	if err != nil {
		return 0, fmt.Errorf("start to move: %w", explained(err))
	}
	return r.follow(ctx, from, last.StartedTimestamp+1, progress)
}

// follow waits for the end of the newest move, which began at since or later (milliseconds since 1970): SQS may take a
// moment to show one that was just started.
func (r Redrive) follow(ctx context.Context, from string, since int64, progress func(moved, of int64)) (int64, error) {
	tick := time.NewTicker(cmp.Or(r.Poll, 2*time.Second))
	defer tick.Stop()
	for {
		task, err := r.newest(ctx, from)
		if err != nil {
			return 0, err
		}
		moved := task.ApproximateNumberOfMessagesMoved
		switch status := aws.ToString(task.Status); {
		case task.StartedTimestamp < since:
			moved, task = 0, types.ListMessageMoveTasksResultEntry{}
		case status == "COMPLETED":
			return moved, nil
		case status != "RUNNING":
			why := cmp.Or(aws.ToString(task.FailureReason), "no reason given")
			return moved, fmt.Errorf("the move ended as %s after %d messages: %s", status, moved, why)
		}
		progress(moved, aws.ToInt64(task.ApproximateNumberOfMessagesToMove))
		select {
		case <-ctx.Done():
			return moved, fmt.Errorf("no longer following the move, which goes on in AWS: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// newest returns the newest move out of a dead-letter queue; an empty one if there was none.
func (r Redrive) newest(ctx context.Context, from string) (types.ListMessageMoveTasksResultEntry, error) {
	out, err := r.Client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &from, MaxResults: aws.Int32(1)})
	if err != nil {
		return types.ListMessageMoveTasksResultEntry{}, fmt.Errorf("look at the moves: %w", explained(err))
	}
	if len(out.Results) == 0 {
		return types.ListMessageMoveTasksResultEntry{}, nil
	}
	return out.Results[0], nil
}

func (r Redrive) arn(ctx context.Context, url string) (string, error) {
	attributes, err := r.attributes(ctx, url)
	return attributes["QueueArn"], err
}

func (r Redrive) attributes(ctx context.Context, url string) (map[string]string, error) {
	out, err := r.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("look at the queue: %w", explained(err))
	}
	return out.Attributes, nil
}

// explained says what to do about the refusals that operators meet.
func explained(err error) error {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.ErrorCode() {
	case "AccessDenied", "AccessDeniedException":
		return errors.New("AWS doesn't let you: allow yourself sqs:GetQueueAttributes, sqs:ReceiveMessage, sqs:DeleteMessage, " +
			"sqs:StartMessageMoveTask and sqs:ListMessageMoveTasks on the dead-letter queue, and sqs:SendMessage on the queue")
	case "InvalidAction":
		return errors.New("this SQS can't move messages; is it an emulator?")
	}
	return err
}

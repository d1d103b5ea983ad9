package redrive

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"threadline/cmd/threadline/stack"
)

// queue is an SQS with one dead-letter queue, whose tasks move one message each time they are looked at.
type queue struct {
	parked  []types.Message
	lag     int // how often a new task isn't shown yet
	end     string
	refuse  error
	tasks   []types.ListMessageMoveTasksResultEntry
	started []sqs.StartMessageMoveTaskInput
	looks   []sqs.ReceiveMessageInput
}

func (q *queue) GetQueueAttributes(_ context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{
		"QueueArn": "arn:" + *in.QueueUrl, "ApproximateNumberOfMessages": strconv.Itoa(len(q.parked)), "ApproximateNumberOfMessagesNotVisible": "0",
	}}, nil
}

func (q *queue) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	q.looks = append(q.looks, *in)
	return &sqs.ReceiveMessageOutput{Messages: q.parked[:min(len(q.parked), int(in.MaxNumberOfMessages))]}, nil
}

func (q *queue) StartMessageMoveTask(_ context.Context, in *sqs.StartMessageMoveTaskInput, _ ...func(*sqs.Options)) (*sqs.StartMessageMoveTaskOutput, error) {
	if q.refuse != nil {
		return nil, q.refuse
	}
	q.started = append(q.started, *in)
	q.begin()
	return &sqs.StartMessageMoveTaskOutput{}, nil
}

func (q *queue) begin() {
	q.tasks = append(q.tasks, types.ListMessageMoveTasksResultEntry{
		Status: aws.String("RUNNING"), StartedTimestamp: time.Now().UnixMilli(), ApproximateNumberOfMessagesToMove: aws.Int64(int64(len(q.parked))),
	})
}

func (q *queue) ListMessageMoveTasks(context.Context, *sqs.ListMessageMoveTasksInput, ...func(*sqs.Options)) (*sqs.ListMessageMoveTasksOutput, error) {
	shown := len(q.tasks)
	if len(q.started) > 0 && q.lag > 0 {
		q.lag--
		shown--
	}
	if shown == 0 {
		return &sqs.ListMessageMoveTasksOutput{}, nil
	}
	task := &q.tasks[shown-1]
	if *task.Status == "RUNNING" {
		if len(q.parked) > 0 && q.end == "" {
			q.parked = q.parked[1:]
			task.ApproximateNumberOfMessagesMoved++
		} else {
			task.Status = aws.String(cmp.Or(q.end, "COMPLETED"))
			task.FailureReason = aws.String("AWS.SimpleQueueService.NonExistentQueue")
		}
	}
	return &sqs.ListMessageMoveTasksOutput{Results: []types.ListMessageMoveTasksResultEntry{*task}}, nil
}

func parked(reason string, sent int64) types.Message {
	m := types.Message{Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(sent, 10)}}
	if reason != "" {
		m.MessageAttributes = map[string]types.MessageAttributeValue{"reason": {StringValue: &reason}}
	}
	return m
}

func work(q *queue) Redrive {
	return Redrive{Client: q, Queue: stack.Queue{Name: "crm", URL: "crm", DeadLetters: "crm-dead"}}
}

func TestLookSaysWhyAndTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		for range 12 {
			q.parked = append(q.parked, parked("error: *json.SyntaxError", 1_800_000_000_000))
		}
		q.parked[3], q.parked[4] = parked("", 1_700_000_000_000), parked("panic: nil map", 1_800_000_000_000)
		begun := time.Now()
		p, err := work(q).Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p.Messages != 12 || p.Looked != 10 || p.Oldest != time.UnixMilli(1_700_000_000_000).UTC() {
			t.Errorf("got %+v", p)
		}
		if len(p.Reasons) != 3 || p.Reasons[0] != (Reason{"error: *json.SyntaxError", 8}) || p.Reasons[2].Text != "received too often" {
			t.Errorf("reasons %+v", p.Reasons)
		}
		// A zero would not be sent, and the queue's own time-out would hide them from the move.
		if hides := q.looks[0].VisibilityTimeout; hides != 1 || time.Since(begun) < time.Second {
			t.Errorf("hidden for %d s, and Look returned after %s", hides, time.Since(begun))
		}
		if len(q.parked) != 12 {
			t.Error("something is gone")
		}
	})
}

func TestMove(t *testing.T) {
	for name, q := range map[string]*queue{
		"at once":             {},
		"shown late":          {lag: 2},
		"after an older move": {lag: 2, tasks: []types.ListMessageMoveTasksResultEntry{{Status: aws.String("COMPLETED"), StartedTimestamp: 5, ApproximateNumberOfMessagesMoved: 99}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q.parked = []types.Message{parked("", 0), parked("", 0), parked("", 0)}
				var seen []int64
				moved, err := work(q).Move(t.Context(), func(n, _ int64) { seen = append(seen, n) })
				if moved != 3 || err != nil || len(q.parked) != 0 {
					t.Errorf("moved %d, %v; %d left", moved, err, len(q.parked))
				}
				if len(seen) == 0 {
					t.Error("no progress was told")
				}
				if len(q.started) != 1 || *q.started[0].SourceArn != "arn:crm-dead" || aws.ToString(q.started[0].DestinationArn) != "arn:crm" {
					t.Errorf("started %+v", q.started)
				}
			})
		})
	}
}

func TestMoveFollowsOneUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{parked: []types.Message{parked("", 0), parked("", 0)}}
		q.begin()
		if moved, err := work(q).Move(t.Context(), func(int64, int64) {}); moved != 2 || err != nil || len(q.started) > 0 {
			t.Errorf("moved %d, %v; started %d more", moved, err, len(q.started))
		}
	})
}

func TestMoveSaysWhatWentWrong(t *testing.T) {
	for want, q := range map[string]*queue{
		"FAILED after 0 messages: AWS.SimpleQueueService.NonExistentQueue": {end: "FAILED"},
		"sqs:StartMessageMoveTask":  {refuse: &smithy.GenericAPIError{Code: "AccessDenied"}},
		"is it an emulator?":        {refuse: &smithy.GenericAPIError{Code: "InvalidAction"}},
		"start to move: over there": {refuse: errors.New("over there")},
	} {
		synctest.Test(t, func(t *testing.T) {
			q.parked = []types.Message{parked("", 0)}
			if _, err := work(q).Move(t.Context(), func(int64, int64) {}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		})
	}
}

func TestInterruptedMoveGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{lag: 1000}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := work(q).Move(ctx, func(int64, int64) {})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "goes on in AWS") {
			t.Errorf("got %v", err)
		}
	})
}

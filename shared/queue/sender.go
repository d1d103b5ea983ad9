package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// MaxBody is the longest update, in bytes, that travels in a queue entry itself. SQS would take 1 MiB; a message of
// WhatsApp has 4,096 characters at most, so what is longer is rare, and four of these still share one call.
const MaxBody = 240_000

const (
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
	maxEntries = 10
	// SQS takes 1 MiB a batch since 2025. Emulators and older partitions take a quarter of it.
	maxBatchBytes = 256_000

	defaultParallel = 8
)

// Entry is something to be sent. Its body must be a text that SQS accepts (ASCII JSON is) of at most 240 KB.
type Entry struct {
	Body    []byte
	Group   string // required on a FIFO queue; on a standard one optional, for fairness between groups
	DedupID string // FIFO only; empty: the hex SHA-256 of the body
}

// SenderAPI is the part of the SQS client that a Sender uses.
type SenderAPI interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Sender sends to one queue, FIFO if its URL ends in ".fifo". It needs sqs:SendMessage. It is safe for parallel use.
type Sender struct {
	Client   SenderAPI
	URL      string
	Parallel int // batches at a time; 0: eight
}

// Send returns nil when every entry is in the queue. On a FIFO queue the entries of a group arrive in the order given,
// and after one that isn't accepted nothing more of its group is sent; other groups go on. See Unsent and Refused for
// what an error leaves; sending everything again is right too, since a FIFO queue knows what it has for five minutes.
func (s *Sender) Send(ctx context.Context, entries ...Entry) error {
	lanes := s.lanes(entries)
	accepted := make([]bool, len(entries))
	var failures []failure
	for len(lanes) > 0 {
		heads := make([]int, len(lanes))
		for i, lane := range lanes {
			heads[i] = lane[0]
		}
		failed := s.sendAll(ctx, entries, heads)
		failures = append(failures, failed...)
		for _, i := range heads {
			accepted[i] = true
		}
		for _, f := range failed {
			accepted[f.entry] = false
		}
		var rest [][]int
		for _, lane := range lanes {
			if accepted[lane[0]] && len(lane) > 1 {
				rest = append(rest, lane[1:])
			}
		}
		lanes = rest
	}
	return s.report(entries, accepted, failures)
}

func (s *Sender) fifo() bool { return strings.HasSuffix(s.URL, ".fifo") }

// lanes returns the entries' indexes by group: what stands in one lane goes one after the other.
func (s *Sender) lanes(entries []Entry) [][]int {
	var lanes [][]int
	place := map[string]int{}
	for i, e := range entries {
		at, ok := place[e.Group]
		if !ok || !s.fifo() {
			at = len(lanes)
			lanes, place[e.Group] = append(lanes, nil), at
		}
		lanes[at] = append(lanes[at], i)
	}
	return lanes
}

// sendAll sends entries of different groups in parallel batches.
func (s *Sender) sendAll(ctx context.Context, entries []Entry, which []int) []failure {
	parallel := s.Parallel
	if parallel <= 0 {
		parallel = defaultParallel
	}
	var (
		mu       sync.Mutex
		failures []failure
		wg       sync.WaitGroup
		slots    = make(chan struct{}, parallel)
	)
	for _, batch := range pack(entries, which) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			failed := s.sendBatch(ctx, entries, batch)
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, failed...)
		})
	}
	wg.Wait()
	return failures
}

// pack splits entries into batches that SQS takes. An entry beyond the limit goes alone, for SQS to judge.
func pack(entries []Entry, which []int) [][]int {
	var batches [][]int
	var batch []int
	size := 0
	for _, i := range which {
		n := len(entries[i].Body)
		if len(batch) > 0 && (len(batch) == maxEntries || size+n > maxBatchBytes) {
			batches, batch, size = append(batches, batch), nil, 0
		}
		batch, size = append(batch, i), size+n
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// sendBatch sends one batch. What SQS could not take, through no fault of the entry, is tried once more.
func (s *Sender) sendBatch(ctx context.Context, entries []Entry, batch []int) []failure {
	failed := s.call(ctx, entries, batch)
	var again []int
	var final []failure
	for _, f := range failed {
		if f.entryOnly && !f.refused {
			again = append(again, f.entry)
		} else {
			final = append(final, f)
		}
	}
	if len(again) > 0 {
		final = append(final, s.call(ctx, entries, again)...)
	}
	return final
}

// call makes one SendMessageBatch. If SQS refuses the whole of it for what may be one entry's fault, each is sent alone.
func (s *Sender) call(ctx context.Context, entries []Entry, batch []int) []failure {
	out, err := s.Client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &s.URL, Entries: s.encode(entries, batch)})
	if err != nil && contentFault(err) && len(batch) > 1 {
		var failures []failure
		for _, i := range batch {
			failures = append(failures, s.call(ctx, entries, []int{i})...)
		}
		return failures
	}
	if err != nil {
		return wholeCall(batch, err)
	}
	answered := make(map[string]failure, len(batch))
	for _, ok := range out.Successful {
		answered[aws.ToString(ok.Id)] = failure{}
	}
	for _, f := range out.Failed {
		answered[aws.ToString(f.Id)] = failure{code: aws.ToString(f.Code), entryOnly: true, refused: f.SenderFault}
	}
	var failures []failure
	for _, i := range batch {
		f, ok := answered[strconv.Itoa(i)]
		if !ok {
			f = failure{code: "NoAnswer", entryOnly: true}
		}
		if f.entryOnly {
			f.entry = i
			failures = append(failures, f)
		}
	}
	return failures
}

func (s *Sender) encode(entries []Entry, batch []int) []sqstypes.SendMessageBatchRequestEntry {
	out := make([]sqstypes.SendMessageBatchRequestEntry, len(batch))
	for at, i := range batch {
		id, body, group, dedup := strconv.Itoa(i), string(entries[i].Body), entries[i].Group, entries[i].DedupID
		out[at].Id, out[at].MessageBody = &id, &body
		if group != "" {
			out[at].MessageGroupId = &group
		}
		if !s.fifo() {
			continue
		}
		if dedup == "" {
			sum := sha256.Sum256(entries[i].Body)
			dedup = hex.EncodeToString(sum[:])
		}
		out[at].MessageDeduplicationId = &dedup
	}
	return out
}

func wholeCall(batch []int, err error) []failure {
	code := "NoConnection"
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		code = api.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		code = "ContextEnded"
	}
	failures := make([]failure, len(batch))
	for at, i := range batch {
		failures[at] = failure{entry: i, code: code, refused: contentFault(err)}
	}
	failures[0].err = err
	return failures
}

// contentFault tells whether SQS refused a call for what an entry holds.
func contentFault(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "InvalidMessageContents", "InvalidParameterValue", "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong":
		return true
	}
	return false
}

// ASCII escapes the rest of a JSON text: SQS refuses some characters that JSON allows.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func ASCII(body []byte) []byte {
	var out []byte
	for _, r := range string(body) {
		switch {
		case r < 0x80:
			out = append(out, byte(r))
		case r > 0xFFFF:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

package sim

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"threadline/shared/blob"
	"threadline/shared/event"
	"threadline/shared/queue/queuetest"
)

// Call is one call of a function to something outside of it.
type Call struct {
	N        int // 1 for the run's first
	Function string
	Service  string // dynamodb, sqs, s3, eventbridge, graph, hubspot
	Op       string // the SDK's name, or the HTTP method and path
	Entry    string // id of the queue entry that is being handled, where the function takes one at a time
	At       time.Time
}

// Fault is what goes wrong with a call.
type Fault string

// The faults.
const (
	None       Fault = ""
	Refused    Fault = "refused"     // not done: the service is down, or no connection is made
	Broken     Fault = "broken"      // not done: an HTTP API answers 500
	Throttled  Fault = "throttled"   // not done: too many requests
	Conflict   Fault = "conflict"    // not done: another transaction has the item
	Lost       Fault = "lost"        // done, and the connection breaks before the answer
	Repeated   Fault = "repeated"    // done, the answer is lost, and the SDK silently asks again
	Partial    Fault = "partial"     // a batch that is answered with nothing of it done
	Ended      Fault = "ended"       // not done: the handler's time is up, and it has a second to give back what it holds
	GoneBefore Fault = "gone before" // not done: the process dies here
	GoneAfter  Fault = "gone after"  // done, and the process dies before it learns that
	Overtaken  Fault = "overtaken"   // done, after the same delivery was handled by another process meanwhile
)

// Faults are all of them. One that can't happen to a call (see strikes) is none there.
var Faults = []Fault{Refused, Broken, Throttled, Conflict, Lost, Repeated, Partial, Ended, GoneBefore, GoneAfter, Overtaken}

// strikes tells whether a fault is one of its own at a call, and not the same as another or none there.
func (f Fault) strikes(c Call) bool {
	web := c.Service == "graph" || c.Service == "hubspot"
	switch f {
	case Broken:
		return web
	case Conflict:
		return c.Op == "TransactWriteItems" || c.Op == "PutItem"
	case Repeated:
		return !web
	case Partial:
		return c.Op == "BatchGetItem" || c.Op == "SendMessageBatch"
	}
	return true
}

// Calls returns what left the functions so far.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// invocation is one run of a function, as far as anybody outside can tell.
type invocation struct {
	function string
	entry    string
	again    func() // the same once more, in another process

	mu   sync.Mutex
	dead bool
	took time.Duration
}

type (
	invocationKey struct{}
	endKey        struct{}
)

func (i *invocation) gone() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.dead
}

func (i *invocation) die() {
	i.mu.Lock()
	i.dead = true
	i.mu.Unlock()
	exit()
}

// through is the one place that every call passes. fail says how a fault looks to the caller.
func through[A any](ctx context.Context, s *Sim, service, op string, do func() (A, error), fail func(Fault) (A, error)) (A, error) {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	if inv == nil || inv.gone() {
		exit() // of a process that is gone, nothing happens any more
	}
	if ctx.Err() != nil {
		return fail(Ended)
	}
	s.spend(inv, service)
	fault := s.meet(Call{Function: inv.function, Entry: inv.entry, Service: service, Op: op})
	switch fault {
	case None:
	case Lost:
		_, _ = do()
		return fail(Lost)
	case Repeated:
		_, _ = do()
	case Ended:
		if end, ok := ctx.Value(endKey{}).(context.CancelFunc); ok {
			end()
		}
		return fail(Ended)
	case GoneBefore:
		inv.die()
	case GoneAfter:
		_, _ = do()
		inv.die()
	case Overtaken:
		inv.again()
	default:
		return fail(fault)
	}
	return do()
}

// meet counts a call and asks the test what is to go wrong with it.
func (s *Sim) meet(c Call) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Pace != nil {
		return None // there may be millions
	}
	c.N, c.At = len(s.calls)+1, s.Now()
	s.calls = append(s.calls, c)
	if s.o.Fault == nil {
		return None
	}
	if f := s.o.Fault(c); f.strikes(c) {
		return f
	}
	return None
}

// awsError is a fault as the SDK reports it after its own retries.
func awsError[A any](service, op string) func(Fault) (A, error) {
	return func(f Fault) (none A, _ error) {
		var err error
		switch f {
		case Lost:
			err = &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{Err: &smithyhttp.RequestSendError{Err: io.ErrUnexpectedEOF}}}
		case Ended:
			err = &aws.RequestCanceledError{Err: context.DeadlineExceeded}
		case Throttled, Conflict:
			err = throttled(service, op, f)
		default:
			err = &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusServiceUnavailable}},
				Err:      &smithy.GenericAPIError{Code: "ServiceUnavailable", Fault: smithy.FaultServer},
			}}
		}
		return none, &smithy.OperationError{ServiceID: service, OperationName: op, Err: err}
	}
}

func throttled(service, op string, f Fault) error {
	switch {
	case service == "dynamodb" && op == "TransactWriteItems":
		code := "ThrottlingError"
		if f == Conflict {
			code = "TransactionConflict"
		}
		return &dynamotypes.TransactionCanceledException{CancellationReasons: []dynamotypes.CancellationReason{{Code: &code}}}
	case service == "dynamodb" && f == Conflict && op == "PutItem":
		return &dynamotypes.TransactionConflictException{}
	case service == "dynamodb":
		return &dynamotypes.ProvisionedThroughputExceededException{}
	case service == "sqs":
		return &sqstypes.RequestThrottled{}
	}
	return &smithy.GenericAPIError{Code: "SlowDown", Fault: smithy.FaultServer}
}

// throughAWS is through for a call of an SDK client.
func throughAWS[A any](ctx context.Context, s *Sim, service, op string, do func() (A, error)) (A, error) {
	return through(ctx, s, service, op, do, awsError[A](service, op))
}

// tableAPI is the table as a function sees it.
type tableAPI struct{ s *Sim }

func (a *tableAPI) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	const op = "BatchGetItem"
	do := func() (*dynamodb.BatchGetItemOutput, error) { return a.s.Table.BatchGetItem(ctx, in) }
	return through(ctx, a.s, "dynamodb", op, do, func(f Fault) (*dynamodb.BatchGetItemOutput, error) {
		if f == Partial {
			return &dynamodb.BatchGetItemOutput{UnprocessedKeys: in.RequestItems}, nil
		}
		return awsError[*dynamodb.BatchGetItemOutput]("dynamodb", op)(f)
	})
}

func (a *tableAPI) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return throughAWS(ctx, a.s, "dynamodb", "Query", func() (*dynamodb.QueryOutput, error) { return a.s.Table.Query(ctx, in) })
}

func (a *tableAPI) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return throughAWS(ctx, a.s, "dynamodb", "PutItem", func() (*dynamodb.PutItemOutput, error) { return a.s.Table.PutItem(ctx, in) })
}

func (a *tableAPI) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return throughAWS(ctx, a.s, "dynamodb", "TransactWriteItems", func() (*dynamodb.TransactWriteItemsOutput, error) { return a.s.Table.TransactWriteItems(ctx, in) })
}

// queueAPI is a queue as a function sees it.
type queueAPI struct {
	s *Sim
	q *queuetest.Queue
}

func (a *queueAPI) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	const op = "SendMessageBatch"
	do := func() (*sqs.SendMessageBatchOutput, error) { return a.q.SendMessageBatch(ctx, in) }
	return through(ctx, a.s, "sqs", op, do, func(f Fault) (*sqs.SendMessageBatchOutput, error) {
		if f != Partial {
			return awsError[*sqs.SendMessageBatchOutput]("sqs", op)(f)
		}
		out := &sqs.SendMessageBatchOutput{}
		for _, e := range in.Entries {
			out.Failed = append(out.Failed, sqstypes.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError")})
		}
		return out, nil
	})
}

func (a *queueAPI) SendMessage(ctx context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	return throughAWS(ctx, a.s, "sqs", "SendMessage", func() (*sqs.SendMessageOutput, error) { return a.q.SendMessage(ctx, in) })
}

func (a *queueAPI) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	if a.s.o.Pace != nil {
		return a.s.hide(ctx, a.q, in), nil
	}
	return throughAWS(ctx, a.s, "sqs", "ChangeMessageVisibility", func() (*sqs.ChangeMessageVisibilityOutput, error) { return a.q.ChangeMessageVisibility(ctx, in) })
}

// bucketAPI is the bucket as a function sees it.
type bucketAPI struct{ s *Sim }

func (a *bucketAPI) Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error {
	content, err := io.ReadAll(body) // once: a call that the SDK repeats has the bytes at hand
	if err != nil {
		return err
	}
	_, err = throughAWS(ctx, a.s, "s3", "PutObject", func() (struct{}, error) {
		return struct{}{}, a.s.Bucket.Put(ctx, key, bytes.NewReader(content), size, o)
	})
	return err
}

func (a *bucketAPI) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	type object struct {
		body io.ReadCloser
		info blob.Info
	}
	o, err := throughAWS(ctx, a.s, "s3", "GetObject", func() (o object, err error) {
		o.body, o.info, err = a.s.Bucket.Get(ctx, key)
		return o, err
	})
	return o.body, o.info, err
}

// busAPI is the event bus as a function sees it.
type busAPI struct{ s *Sim }

// Put publishes events.
func (a *busAPI) Put(ctx context.Context, all ...event.Event) error {
	_, err := throughAWS(ctx, a.s, "eventbridge", "PutEvents", func() (struct{}, error) {
		return struct{}{}, a.s.Bus.Put(ctx, all...)
	})
	return err
}

// httpError is a fault as net/http reports it; an answer is no error to it.
func httpError(service string) func(Fault) (*http.Response, error) {
	return func(f Fault) (*http.Response, error) {
		switch f {
		case Lost:
			return nil, io.ErrUnexpectedEOF
		case Ended:
			return nil, context.DeadlineExceeded
		case Throttled, Conflict:
			return refusal(service, http.StatusTooManyRequests), nil
		case Broken:
			return refusal(service, http.StatusInternalServerError), nil
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: io.EOF}
	}
}

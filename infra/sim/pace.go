package sim

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/shared/queue/queuetest"
)

// Pace makes time pass while functions run: what a function does, it does when it starts, and its queue entries are done
// when it ends. Without one, everything happens in no time.
type Pace struct {
	Takes  map[string]time.Duration // how long a call takes, by service
	AtOnce map[string]int           // how many runs of the function that reads a queue there are at once, by queue; 0: any number
	Total  int                      // how many runs of all functions there are at once; 0: any number
}

// Limit is how many calls an API takes.
type Limit struct {
	Calls int
	Per   time.Duration
}

// rolling is a limit and the calls that count.
type rolling struct {
	Limit
	calls []time.Time
}

// full tells whether a call at a time is one too many. It counts those that aren't.
func (r *rolling) full(at time.Time) bool {
	if r.Calls == 0 {
		return false
	}
	n := 0
	for _, c := range r.calls {
		if at.Sub(c) < r.Per {
			r.calls[n] = c
			n++
		}
	}
	r.calls = r.calls[:n]
	if n >= r.Calls {
		return true
	}
	r.calls = append(r.calls, at)
	return false
}

// spend adds what a call takes to what the run takes.
func (s *Sim) spend(i *invocation, service string) {
	if s.o.Pace != nil {
		i.mu.Lock()
		i.took += s.o.Pace.Takes[service]
		i.mu.Unlock()
	}
}

// at is the time within a run.
func (s *Sim) at(i *invocation) time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return s.Now().Add(i.took)
}

// busy tells whether a function can't be started now.
func (s *Sim) busy(f *function) bool {
	if s.o.Pace == nil {
		return false
	}
	most := s.o.Pace.AtOnce[f.queue]
	return most > 0 && f.running >= most || s.o.Pace.Total > 0 && s.running >= s.o.Pace.Total
}

// started notes a run that takes its time.
func (s *Sim) started(f *function, i *invocation) {
	if s.o.Pace == nil {
		return
	}
	f.took = i.took
	f.longest = max(f.longest, i.took)
	f.running++
	s.running++
	s.After(i.took, func() {
		f.running--
		s.running--
	})
}

// line is a queue as the event source of a function.
type line struct {
	s *Sim
	f *function
	q *queuetest.Queue
}

func (l *line) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	return l.q.ReceiveMessage(ctx, in)
}

// DeleteMessage deletes what a run has handled, when it ends.
func (l *line) DeleteMessage(ctx context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	if l.s.o.Pace == nil {
		return l.q.DeleteMessage(ctx, in)
	}
	l.s.After(l.f.took, func() {
		_, _ = l.q.DeleteMessage(ctx, in) // one that is visible again comes again
	})
	return &sqs.DeleteMessageOutput{}, nil
}

// hide gives an entry back when the run ends.
func (s *Sim) hide(ctx context.Context, q *queuetest.Queue, in *sqs.ChangeMessageVisibilityInput) *sqs.ChangeMessageVisibilityOutput {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	s.mu.Lock() // groups of a batch end in parallel
	defer s.mu.Unlock()
	s.After(s.at(inv).Sub(s.Now()), func() {
		_, _ = q.ChangeMessageVisibility(context.Background(), in) // one that is visible again comes again
	})
	return &sqs.ChangeMessageVisibilityOutput{}
}

package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	firstWait = 5 * time.Second
	longWait  = 900 * time.Second

	// A message may be invisible for 12 hours, counted from its receive; a function may have run for 15 minutes of them.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
	maxWait = 12*time.Hour - 15*time.Minute
)

// Later returns an error that holds a message back: it comes again after d (in whole seconds, rounded up, 11 h 45 min
// at most), and it never counts as a failure. err says why; it may be nil.
func Later(d time.Duration, err error) error { return &later{wait: d, err: err} }

type later struct {
	wait time.Duration
	err  error
}

func (l *later) Error() string {
	if l.err == nil {
		return "held back for " + l.wait.String()
	}
	return "held back for " + l.wait.String() + ": " + l.err.Error()
}

func (l *later) Unwrap() error { return l.err }

// Wait returns how long the message is held back.
func (l *later) Wait() time.Duration { return l.wait }

// class says what kind of end a message's handling came to.
type class string

const (
	heldBack class = "held back"
	waiting  class = "waiting"
	bug      class = "bug"
)

func classify(err error) class {
	var l *later
	switch {
	case errors.As(err, &l):
		return heldBack
	case temporary(err):
		return waiting
	}
	return bug
}

// temporary tells whether anything in err's tree passes without anybody changing the message or our code. It looks
// beyond Temporary() on purpose: an outage of AWS or a network that nobody wrapped must not fill a dead-letter queue.
func temporary(err error) bool {
	retryable := retry.IsErrorRetryables(retry.DefaultRetryables)
	if retryable.IsErrorRetryable(err) == aws.TrueTernary {
		return true
	}
	return anyOf(err, func(err error) bool {
		if t, ok := err.(interface{ Temporary() bool }); ok && t.Temporary() {
			return true
		}
		switch e := err.(type) {
		case *net.OpError, *net.DNSError:
			return true
		case *url.Error:
			return e.Op != "parse" // a malformed URL is a bug
		}
		return err == context.DeadlineExceeded || err == context.Canceled
	})
}

// anyOf tells whether test holds for err or anything that it wraps.
func anyOf(err error, test func(error) bool) bool {
	if err == nil {
		return false
	}
	if test(err) {
		return true
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		return anyOf(u.Unwrap(), test)
	case interface{ Unwrap() []error }:
		for _, err := range u.Unwrap() {
			if anyOf(err, test) {
				return true
			}
		}
	}
	return false
}

// wait returns how long a message that failed with err stays invisible. jitter is in [0,1).
func wait(err error, receives int, jitter float64) time.Duration {
	var l *later
	if errors.As(err, &l) {
		return min(max(l.wait, 0), maxWait)
	}
	d := longWait
	if doublings := receives - 1; doublings < 8 { // 5 s · 2^8 is beyond longWait
		d = min(longWait, firstWait<<max(doublings, 0))
	}
	d = time.Duration(float64(d) * (0.8 + 0.4*jitter))
	anyOf(err, func(err error) bool {
		if r, ok := err.(interface{ RetryAfter() time.Duration }); ok {
			d = max(d, r.RetryAfter())
		}
		return false
	})
	return min(d, maxWait)
}

// seconds rounds up: a message that comes too early would be a wasted receive.
func seconds(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) }

// types names the types in err's chain. It is what remains of an error when its text may quote a customer.
func types(err error) string {
	var names []string
	for ; err != nil && len(names) < 6; err = errors.Unwrap(err) {
		names = append(names, fmt.Sprintf("%T", err))
	}
	return strings.Join(names, " > ")
}

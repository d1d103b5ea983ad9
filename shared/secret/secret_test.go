package secret

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// source is a secret's origin that can fail, with a clock.
type source struct {
	text  string
	err   error
	calls int
	now   time.Time
}

func (s *source) fetch(context.Context) (string, error) {
	s.calls++
	return s.text, s.err
}

func newSecret(text string) (*Secret, *source) {
	src := &source{text: text, now: time.Unix(1_700_000_000, 0)}
	s := New(src.fetch, 5*time.Minute)
	s.Now = func() time.Time { return src.now }
	s.Jitter = func() float64 { return 0.5 }
	return s, src
}

func mustValue(t *testing.T, s *Secret, want string) {
	t.Helper()
	if got, err := s.Value(context.Background(), AppSecret); err != nil || got != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func TestValueIsCachedForTheTTL(t *testing.T) {
	s, src := newSecret(`{"app_secret":"one"}`)
	mustValue(t, s, "one")
	src.text = `{"app_secret":"two"}`
	src.now = src.now.Add(5*time.Minute - time.Second)
	mustValue(t, s, "one")
	if src.calls != 1 {
		t.Errorf("%d calls, want 1", src.calls)
	}
	src.now = src.now.Add(time.Second)
	mustValue(t, s, "two")
}

func TestTTLHasJitter(t *testing.T) {
	for _, row := range []struct {
		jitter float64
		ttl    time.Duration
	}{{0, 270 * time.Second}, {0.9999999999, 330 * time.Second}} {
		s, src := newSecret(`{"app_secret":"one"}`)
		s.Jitter = func() float64 { return row.jitter }
		mustValue(t, s, "one")
		src.now = src.now.Add(row.ttl - time.Second)
		mustValue(t, s, "one")
		if src.calls != 1 {
			t.Errorf("jitter %v: asked before %s", row.jitter, row.ttl)
		}
		src.now = src.now.Add(2 * time.Second)
		mustValue(t, s, "one")
		if src.calls != 2 {
			t.Errorf("jitter %v: not asked after %s", row.jitter, row.ttl)
		}
	}
}

// Ensure that an outage, or somebody's typing error in the secret, is survived on the last good value.
func TestStaleIsServedWhileTheSourceFails(t *testing.T) {
	s, src := newSecret(`{"app_secret":"one"}`)
	mustValue(t, s, "one")
	src.now = src.now.Add(time.Hour)
	src.err = errors.New("down")
	mustValue(t, s, "one")
	mustValue(t, s, "one")
	if src.calls != 2 {
		t.Errorf("%d calls, want no more than one in ten seconds", src.calls)
	}
	src.now = src.now.Add(minInterval)
	src.err, src.text = nil, `{"app_secret": oops`
	mustValue(t, s, "one")
	src.now = src.now.Add(minInterval)
	src.text = `{"app_secret":"two"}`
	mustValue(t, s, "two")
}

func TestFirstReadFails(t *testing.T) {
	s, src := newSecret(`sesame`)
	for _, err := range []error{nil, errors.New("down")} {
		src.err = err
		src.now = src.now.Add(minInterval)
		_, got := s.Value(context.Background(), AppSecret)
		if got == nil || (err != nil && !errors.Is(got, err)) {
			t.Fatalf("got %v, want %v", got, err)
		}
		if strings.Contains(got.Error(), "sesame") {
			t.Errorf("the error quotes the secret: %v", got)
		}
		mustBeTemporary(t, got)
	}
}

func mustBeTemporary(t *testing.T, err error) {
	t.Helper()
	var temporary interface{ Temporary() bool }
	if !errors.As(err, &temporary) || !temporary.Temporary() {
		t.Errorf("%v is not temporary", err)
	}
}

func TestNoValue(t *testing.T) {
	s, _ := newSecret(`{"app_secret":"","verify_token":7,"access_token":"x"}`)
	for _, key := range []string{AppSecret, VerifyToken, APIKey} {
		_, err := s.Value(context.Background(), key)
		if !errors.Is(err, ErrNoValue) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %v", key, err)
		}
		mustBeTemporary(t, err)
	}
}

func TestRefresh(t *testing.T) {
	s, src := newSecret(`{"app_secret":"one"}`)
	mustValue(t, s, "one")
	src.text = `{"app_secret":"two"}`
	if err := s.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	mustValue(t, s, "one") // asked a moment ago: not again
	src.now = src.now.Add(minInterval)
	if err := s.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	mustValue(t, s, "two")
	src.now, src.err = src.now.Add(minInterval), errors.New("down")
	if err := s.Refresh(context.Background()); !errors.Is(err, src.err) {
		t.Errorf("got %v, want %v", err, src.err)
	}
	mustValue(t, s, "two")
}

// Ensure that a caller who gave up doesn't keep the next one from trying, and that nobody waits beyond its context.
func TestContextEnds(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	s, src := newSecret("")
	s.fetch = func(ctx context.Context) (string, error) {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return src.fetch(ctx)
	}
	s.turn <- struct{}{}
	if _, err := s.Value(ended, AppSecret); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v while another one reads", err)
	}
	<-s.turn
	_ = s.Refresh(ended)
	src.text = `{"app_secret":"one"}`
	mustValue(t, s, "one")
}

func TestParallelReadersShareOneCall(t *testing.T) {
	var calls atomic.Int32
	s := New(func(context.Context) (string, error) {
		calls.Add(1)
		return `{"app_secret":"one"}`, nil
	}, time.Hour)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := s.Value(context.Background(), AppSecret); got != "one" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if calls.Load() != 1 {
		t.Errorf("%d calls, want 1", calls.Load())
	}
}

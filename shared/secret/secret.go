// Package secret keeps one secret, a JSON object of texts, in the memory of a running function.
//
//	keys := secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), c.Secret), 5*time.Minute)
//	token, err := keys.Value(ctx, secret.AccessToken)
//
// It guarantees that a value is read from memory but for one call per ttl (± 10 %), that an outage of the source is
// not noticed once a value was read (the last one is served), and that neither keeps a caller longer than its context
// allows. No error quotes the secret. What fails here waits: the errors are Temporary, because somebody mends the
// secret or the source comes back.
package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The keys of the object. Package crm/known has those of the connectors.
const (
	AppSecret         = "app_secret"          // signs webhook calls
	AppSecretPrevious = "app_secret_previous" // still accepted while rotating
	VerifyToken       = "verify_token"        // what Meta repeats when the webhook is set up
	AccessToken       = "access_token"        // calls the Graph API
	APIKey            = "api_key"             // who calls our REST API
)

// ErrNoValue means that the object has no text under a key, or an empty one.
var ErrNoValue = errors.New("no value in the secret")

// minInterval is the least time between two calls to the source, so that a wrong token or an outage doesn't become a
// call per message.
const minInterval = 10 * time.Second

// Fetcher returns the JSON object.
type Fetcher func(ctx context.Context) (string, error)

// Secret is safe for parallel use. Make it with New.
type Secret struct {
	Now    func() time.Time // nil: time.Now
	Jitter func() float64   // in [0,1); nil: math/rand

	fetch Fetcher
	ttl   time.Duration
	turn  chan struct{} // a mutex that a context can leave; guards what follows

	values map[string]any // nil: never read
	failed error          // of the last attempt
	tried  time.Time
	stale  time.Time
}

// New returns a secret that reads from fetch at its first use and again ttl later.
func New(fetch Fetcher, ttl time.Duration) *Secret {
	return &Secret{fetch: fetch, ttl: ttl, turn: make(chan struct{}, 1)}
}

// Value returns the text under key, or an error that is ErrNoValue if there is none. While the source fails it goes on
// returning what was read last.
func (s *Secret) Value(ctx context.Context, key string) (string, error) {
	if err := s.lock(ctx); err != nil {
		return "", err
	}
	defer s.unlock()
	if now := s.now(); !now.Before(s.stale) && s.mayTry(now) {
		s.load(ctx)
	}
	if s.values == nil {
		return "", s.failed
	}
	if text, _ := s.values[key].(string); text != "" {
		return text, nil
	}
	return "", &waiting{fmt.Errorf("%s: %w", key, ErrNoValue)}
}

// Of returns Value for one key, for whoever needs no other.
func (s *Secret) Of(key string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) { return s.Value(ctx, key) }
}

// Maybe is Of for what an installation may lack: then it is empty.
func (s *Secret) Maybe(key string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		v, err := s.Value(ctx, key)
		if errors.Is(err, ErrNoValue) {
			return "", nil
		}
		return v, err
	}
}

// Refresh reads the secret again, for a caller whose token was refused. It does nothing if the source was asked within
// the last ten seconds. If it fails, Value goes on with what it has.
func (s *Secret) Refresh(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.mayTry(s.now()) {
		s.load(ctx)
	}
	return s.failed
}

func (s *Secret) lock(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the secret: %w", ctx.Err())
	}
}

func (s *Secret) unlock() { <-s.turn }

func (s *Secret) mayTry(now time.Time) bool {
	return s.tried.IsZero() || now.Sub(s.tried) >= minInterval
}

// load asks the source once. An attempt that its caller gave up on doesn't count against the next one.
func (s *Secret) load(ctx context.Context) {
	text, err := s.fetch(ctx)
	if err == nil {
		err = s.parse(text)
	}
	if err != nil {
		s.failed = &waiting{fmt.Errorf("read secret: %w", err)}
		if ctx.Err() == nil {
			s.tried = s.now()
		}
		return
	}
	s.failed, s.tried = nil, s.now()
	s.stale = s.tried.Add(time.Duration(float64(s.ttl) * (0.9 + 0.2*s.jitter())))
}

func (s *Secret) parse(text string) error {
	var values map[string]any
	if json.Unmarshal([]byte(text), &values) != nil || values == nil {
		return errors.New("not a JSON object") // the decoder's own error quotes the input
	}
	s.values = values
	return nil
}

func (s *Secret) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Secret) jitter() float64 {
	if s.Jitter != nil {
		return s.Jitter()
	}
	return rand.Float64()
}

// waiting is an error that passes when somebody mends the secret or its source comes back.
type waiting struct{ error }

func (w *waiting) Unwrap() error   { return w.error }
func (w *waiting) Temporary() bool { return true }

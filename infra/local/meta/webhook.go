package meta

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	postTimeout  = 20 * time.Second // Meta publishes no number
	maxBatch     = 100              // updates in one POST; Meta: up to 1,000
	longestPause = time.Minute      // between two attempts; Meta's grow to hours
	giveUpAfter  = 7 * 24 * time.Hour
	shuffleFor   = 3 * time.Second
	batchEvery   = 2 * time.Second // how often a POST is made when updates are put together
)

// update is one message, receipt or event on its way to the webhook.
type update struct {
	Field    string // of the change; empty: messages
	Number   string // empty: an event of the account, which has no metadata
	Customer string // or group: whose updates are posted in order; empty: those of the account
	Kind     string // the list of the value that Item is in; empty: Item is the value itself
	Item     object
	Contact  object // nil: none
	ID       string // of the customer's message, for its ticks
	From     time.Time
	Alone    bool // large enough for a POST of its own
}

// post is one POST: the very bytes, so that every attempt carries the same.
type post struct {
	Body     []byte
	Messages []string // customers' messages in it, whose ticks depend on it
	Attempts int
	First    time.Time
	Next     time.Time
}

// post hands an update to its lane: one customer's updates are posted in order, several together if they pile up.
func (s *Simulator) post(u *update) {
	u.From = time.Now()
	h := fnv.New32a()
	io.WriteString(h, u.Customer)
	lane := h.Sum32() % lanes
	switch s.faults.Webhooks {
	case "shuffled":
		u.From = u.From.Add(rand.N(shuffleFor))
	case "batched":
		u.From, lane = u.From.Truncate(batchEvery).Add(batchEvery), 0
	}
	s.state.Updates[lane] = append(s.state.Updates[lane], u)
	s.changed()
	ring(s.wakes[lane])
}

// postLane posts what is in a lane, one POST at a time, until ctx ends.
func (s *Simulator) postLane(ctx context.Context, lane int) {
	for ctx.Err() == nil {
		p, wait := s.nextPost(lane)
		if p != nil {
			s.deliver(ctx, lane, p)
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.wakes[lane]:
		case <-t.C:
		}
		t.Stop()
	}
}

// nextPost returns what to post now, a POST to repeat first; or nil and how long there is nothing to do.
func (s *Simulator) nextPost(lane int) (*post, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, wait := time.Now(), time.Hour
	if s.faults.Webhooks == "held" {
		return nil, wait
	}
	for _, p := range s.state.Posts[lane] {
		if !p.Next.After(now) {
			return p, 0
		}
		wait = min(wait, p.Next.Sub(now))
	}
	ready, later, next := pick(s.state.Updates[lane], now)
	wait = min(wait, next)
	if len(ready) == 0 {
		return nil, wait
	}
	if s.faults.Webhooks == "shuffled" {
		rand.Shuffle(len(ready), func(i, j int) { ready[i], ready[j] = ready[j], ready[i] })
	}
	s.state.Updates[lane] = later
	p := &post{Body: s.envelope(ready), First: s.opts.Now()}
	for _, u := range ready {
		if u.ID != "" {
			p.Messages = append(p.Messages, u.ID)
		}
	}
	s.state.Posts[lane] = append(s.state.Posts[lane], p)
	s.changed()
	return p, 0
}

// pick takes what may be posted together now. The duration is until something else may be.
func pick(updates []*update, now time.Time) (ready, later []*update, wait time.Duration) {
	wait = time.Hour
	for _, u := range updates {
		full := len(ready) == maxBatch || len(ready) > 0 && (u.Alone || ready[0].Alone)
		if full || u.From.After(now) {
			later = append(later, u)
			wait = min(wait, u.From.Sub(now))
			continue
		}
		ready = append(ready, u)
	}
	return ready, later, wait
}

// deliver makes one attempt and notes how it ended.
func (s *Simulator) deliver(ctx context.Context, lane int, p *post) {
	err := s.attempt(ctx, p.Body)
	if ctx.Err() != nil {
		return // stopped in the middle: posted again after the restart, as Meta would
	}
	s.mu.Lock()
	twice := err == nil && s.faults.Webhooks == "twice"
	s.mu.Unlock()
	if twice {
		err = s.attempt(ctx, p.Body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed()
	p.Attempts++
	trouble := ""
	if err != nil {
		wait := min(longestPause, s.opts.Delays.Retry<<min(p.Attempts-1, 20))
		if wait <= 0 {
			wait = longestPause
		}
		p.Next = time.Now().Add(wait)
		trouble = err.Error()
	}
	if err == nil || s.opts.Now().After(p.First.Add(giveUpAfter)) {
		s.state.Posts[lane] = slices.DeleteFunc(s.state.Posts[lane], func(o *post) bool { return o == p })
	}
	s.report(trouble)
	for _, id := range p.Messages {
		m := s.messages[id]
		m.Problem = trouble
		if err == nil && m.Status == "accepted" {
			m.Status = "delivered"
		}
		s.show(m)
	}
}

// attempt posts a body once. The error says in plain words what is wrong with the answer.
func (s *Simulator) attempt(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opts.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the webhook's address does not work: %s", s.opts.WebhookURL)
	}
	mac := hmac.New(sha256.New, []byte(s.opts.AppSecret))
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "facebookexternalua")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := s.client.Do(req)
	if err != nil {
		return errors.New(plainWords(err))
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the webhook answers %d: it does not accept the signature (is the app secret the same on both sides?)", resp.StatusCode)
	}
	return fmt.Errorf("the webhook answers %d", resp.StatusCode)
}

func plainWords(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("the webhook does not answer within %d seconds", int(postTimeout.Seconds()))
	case errors.As(err, new(*net.OpError)):
		return "nothing listens at the webhook's address (is the stack running?)"
	}
	return "the webhook breaks the connection without an answer"
}

// RetryNow posts at once what waits for its next attempt.
func (s *Simulator) RetryNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for lane, posts := range s.state.Posts {
		for _, p := range posts {
			p.Next = time.Time{}
		}
		ring(s.wakes[lane])
	}
}

// webhookState is what the page says about the webhook.
type webhookState struct {
	URL     string `json:"url"`
	Problem string `json:"problem"` // empty: the last POST was accepted
	Waiting int    `json:"waiting"` // POSTs that wait for another attempt
}

func (s *Simulator) webhookState() webhookState {
	state := webhookState{URL: s.opts.WebhookURL, Problem: s.problem}
	for _, posts := range s.state.Posts {
		for _, p := range posts {
			if p.Attempts > 0 {
				state.Waiting++
			}
		}
	}
	if s.saveErr != nil {
		state.Problem = "the simulated Meta cannot save its state"
	}
	return state
}

// report tells the pages how the webhook does.
func (s *Simulator) report(problem string) {
	before := s.webhookState()
	s.problem = problem
	if after := s.webhookState(); after != before || problem != "" {
		s.tell("webhook", after)
	}
}

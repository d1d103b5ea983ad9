package pipedrive

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// How Pipedrive delivers: https://pipedrive.readme.io/docs/guide-for-webhooks-v2#retry-logic
const (
	hookTimeout = 10 * time.Second
	bansAfter   = 10 // first attempts that failed
	banned      = 30 * time.Minute
	givesUp     = 3 * 24 * time.Hour // without a delivery; then the webhook is deleted
)

var retries = []time.Duration{3 * time.Second, 30 * time.Second, 150 * time.Second}

// ban is what a webhook's failures have led to.
type ban struct {
	failures int
	until    time.Time
}

// emit tells the webhooks what happened to a note.
func (s *Simulator) emit(action, source string, user int, n, before *note) {
	for _, h := range s.activeHooks() {
		if h.Object != "note" && h.Object != "*" || h.Action != action && h.Action != "*" {
			continue
		}
		b := s.bans[h.ID]
		if b == nil {
			b = &ban{}
			s.bans[h.ID] = b
		}
		if s.options.Now().Before(b.until) {
			continue // lost for good
		}
		event := s.event(h, action, source, user, n, before)
		s.deliveries.Go(func() { s.deliver(h.ID, b, event) })
	}
}

// event is the body of a webhook, version 2. The ids of its meta block are strings.
func (s *Simulator) event(h *hook, action, source string, user int, n, before *note) map[string]any {
	subject := n
	if subject == nil {
		subject = before
	}
	data := func(n *note) any {
		if n == nil {
			return nil
		}
		return map[string]any{
			"id": n.ID, "content": n.Content, "person_id": n.Person, "deal_id": nil, "org_id": nil, "lead_id": nil,
			"user_id": n.User, "active_flag": !n.Deleted, "add_time": rfc3339(n.Added), "update_time": rfc3339(n.Updated),
		}
	}
	return map[string]any{
		"meta": map[string]any{
			"action": action, "entity": "note", "entity_id": strconv.FormatInt(subject.ID, 10), "id": rand.Text(), "company_id": "1",
			"correlation_id": rand.Text(), "is_bulk_edit": false, "timestamp": s.now().Format("2006-01-02T15:04:05.000Z"),
			"type": "general", "user_id": strconv.Itoa(user), "version": "2.0", "webhook_id": strconv.FormatInt(h.ID, 10),
			"webhook_owner_id": strconv.Itoa(integrationUser), "change_source": source, "attempt": 1,
			"host": "example.pipedrive.com", "permitted_user_ids": []string{"1", "2"},
		},
		"data": data(n), "previous": data(before),
	}
}

// deliver tries four times. Only the first attempt counts for the ban.
func (s *Simulator) deliver(id int64, b *ban, event map[string]any) {
	for attempt := 1; ; attempt++ {
		s.mu.Lock()
		h := s.hooks[id]
		s.mu.Unlock()
		if h.Removed != nil || s.closing.Err() != nil {
			return
		}
		event["meta"].(map[string]any)["attempt"] = attempt
		if s.post(h, event) {
			s.delivered(id)
			return
		}
		if attempt == 1 {
			s.failed(b)
		}
		if attempt > len(retries) {
			s.undelivered(id)
			return
		}
		if s.options.Sleep(s.closing, retries[attempt-1]) != nil {
			return
		}
	}
}

func (s *Simulator) post(h *hook, event map[string]any) bool {
	body, err := json.Marshal(event)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(s.closing, hookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Pipedrive Webhooks")
	if h.User != "" || h.Password != "" {
		r.SetBasicAuth(h.User, h.Password)
	}
	client := *s.options.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(r)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode >= 200 && res.StatusCode <= 299
}

func (s *Simulator) failed(b *ban) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.failures++; b.failures >= bansAfter {
		b.failures, b.until = 0, s.options.Now().Add(banned)
	}
}

func (s *Simulator) delivered(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := *s.hooks[id]
	h.Delivered = s.now()
	_ = s.commit(change{Hook: &h}) // lost with the disk, like everything
}

func (s *Simulator) undelivered(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hooks[id]; h.Removed == nil && s.now().Sub(h.Delivered) >= givesUp {
		_ = s.removeHook(h, "no successful deliveries")
	}
}

// Flush waits until every webhook is delivered or given up.
func (s *Simulator) Flush() { s.deliveries.Wait() }

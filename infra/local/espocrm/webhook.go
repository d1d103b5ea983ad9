package espocrm

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How webhooks are sent. https://docs.espocrm.com/administration/webhooks/#config-parameters
const (
	hookTimeout  = 10 * time.Second
	hookBatch    = 50
	hookAttempts = 4
	hookRetry    = 10 * time.Minute
)

// beforeWebhook keeps the rules for a new webhook: what it listens to must be an object, and a note isn't one.
func (s *Simulator) beforeWebhook(r *request, rec *record) error {
	scope, kind, _ := strings.Cut(rec.text("event"), ".")
	e := s.entities[scope]
	switch {
	case e == nil || scope == notes || scope == attachments:
		return forbidden("Entity type is not available for Webhooks.")
	case s.may(r.user, scope, "read") != nil:
		return forbidden("Entity type is forbidden.")
	case !slices.Contains([]string{"create", "update", "delete"}, kind) && !strings.HasPrefix(kind, "fieldUpdate."):
		return forbidden("Not supported event.")
	}
	if !r.user.admin {
		rec.Attr["userId"] = r.user.id
	}
	rec.Attr["secretKey"] = strings.ToLower(rand.Text())
	return nil
}

// queue puts a new record in line for the webhooks that want it.
func (s *Simulator) queue(rec *record, by user) error {
	var hooks []*record
	s.each(webhooks, func(hook *record) {
		own := hook.Attr["skipOwn"] == true && hook.text("userId") == by.id && s.options.Version > 8
		if hook.text("event") == rec.Type+".create" && hook.Attr["isActive"] == true && !own {
			hooks = append(hooks, hook)
		}
	})
	for _, hook := range hooks {
		data := map[string]any{"id": rec.ID}
		for name, value := range rec.Attr {
			data[name] = value
		}
		delete(data, "createdByName") // what is looked up isn't there yet
		item := s.newRecord(queueItems, by)
		item.Attr["webhookId"], item.Attr["data"], item.Attr["attempts"] = hook.ID, data, float64(0)
		if err := s.commit(change{Record: item}); err != nil {
			return err
		}
	}
	return nil
}

// RunJob is the scheduled job "Process Webhook Queue", which an instance runs every five minutes: it sends what is due.
func (s *Simulator) RunJob(ctx context.Context) error {
	for _, batch := range s.due() {
		status := s.send(ctx, batch)
		if err := s.settle(batch, status); err != nil {
			return err
		}
	}
	return nil
}

// batch is what goes to one webhook at once.
type batch struct {
	hook  *record
	items []*record
}

func (s *Simulator) due() []batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []batch
	now := s.options.Now().UTC().Format(datetime)
	s.each(webhooks, func(hook *record) {
		b := batch{hook: hook}
		s.each(queueItems, func(item *record) {
			if item.text("webhookId") == hook.ID && item.text("processAt") <= now && len(b.items) < hookBatch {
				b.items = append(b.items, item)
			}
		})
		if b.items != nil {
			all = append(all, b)
		}
	})
	return all
}

// send makes the call; an answer that doesn't come is status 0, one that is late 408.
func (s *Simulator) send(ctx context.Context, b batch) int {
	var data []any
	for _, item := range b.items {
		data = append(data, item.Attr["data"])
	}
	payload, err := json.Marshal(data)
	if err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.hook.text("url"), bytes.NewReader(payload))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	s.sign(req.Header, b.hook, payload)
	res, err := s.options.HTTP.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return http.StatusRequestTimeout
		}
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// sign adds the signatures: since version 9 a new one with a hexadecimal sum beside the old one with a raw one.
// https://docs.espocrm.com/administration/webhooks/#signature-checking
func (s *Simulator) sign(h http.Header, hook *record, payload []byte) {
	mac := hmac.New(sha256.New, []byte(hook.text("secretKey")))
	mac.Write(payload)
	sum := mac.Sum(nil)
	h.Set("X-Signature", base64.StdEncoding.EncodeToString([]byte(hook.ID+":"+string(sum))))
	if s.options.Version > 8 {
		h.Set("Signature", base64.StdEncoding.EncodeToString([]byte(hook.ID+":"+hex.EncodeToString(sum))))
	}
}

// settle does with a batch what the answer asks for.
func (s *Simulator) settle(b batch, status int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status == http.StatusGone {
		hook := b.hook.clone()
		hook.Deleted = true
		return s.commit(change{Record: hook})
	}
	again := slices.Contains([]int{0, 401, 403, 404, 405, 408, 500, 503}, status)
	for _, item := range b.items {
		item = item.clone()
		attempts, _ := item.Attr["attempts"].(float64)
		item.Attr["attempts"] = attempts + 1
		item.Attr["processAt"] = s.options.Now().Add(hookRetry).UTC().Format(datetime)
		item.Deleted = !again || attempts+1 >= hookAttempts // sent, or given up
		if err := s.commit(change{Record: item}); err != nil {
			return err
		}
	}
	return nil
}

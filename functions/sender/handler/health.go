package handler

import (
	"context"
	"sync"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
)

// healthFor is how long this process goes by what it read of a number. A burst of messages reads it once.
const healthFor = 5 * time.Second

// healths is what this process knows of numbers. The zero value knows nothing.
type healths struct {
	mu    sync.Mutex
	known map[chat.NumberID]health
}

type health struct {
	number  store.Number
	account store.Account
	read    time.Time
}

// health returns what is known of a number and its account.
func (h *Handler) health(ctx context.Context, n chat.NumberID) (store.Number, store.Account, error) {
	now := h.now()
	h.healths.mu.Lock()
	k, ok := h.healths.known[n]
	h.healths.mu.Unlock()
	if ok && now.Sub(k.read) < healthFor {
		return k.number, k.account, nil
	}
	number, account, err := h.Store.Health(ctx, n)
	if err != nil {
		return number, account, err
	}
	h.healths.mu.Lock()
	defer h.healths.mu.Unlock()
	if h.healths.known == nil {
		h.healths.known = map[chat.NumberID]health{}
	}
	h.healths.known[n] = health{number, account, now}
	return number, account, nil
}

func (h *healths) forget(n chat.NumberID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.known, n)
}

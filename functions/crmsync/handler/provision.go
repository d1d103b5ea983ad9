package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	gosync "sync"

	"threadline/shared/crm"
)

// What a CRM lacks is made when it is first used, and whenever it says that it lacks something. That it was made is on the
// table; another public address makes it due again, because hooks name it.

// ready is what this process knows to be provisioned. The zero value knows nothing.
type ready struct {
	mu    gosync.Mutex
	names map[string]bool
}

func (r *ready) is(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names[name]
}

func (r *ready) now(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names = map[string]bool{}
	}
	r.names[name] = true
}

// provisioned does something in a CRM that has what it needs.
func (h *Handler) provisioned(ctx context.Context, c crm.Connector, do func() error) error {
	if err := h.first(ctx, c); err != nil {
		return err
	}
	err := do()
	if !errors.Is(err, crm.ErrNotProvisioned) {
		return err
	}
	if err := h.provision(ctx, c); err != nil {
		return err
	}
	return do()
}

// first provisions a CRM that is used for the first time.
func (h *Handler) first(ctx context.Context, c crm.Connector) error {
	if h.ready.is(c.Name()) {
		return nil
	}
	name, mark := "provision "+c.Name(), "for "+h.PublicURL
	done, err := h.Store.Cursor(ctx, name)
	if err != nil {
		return err
	}
	if done != mark {
		if err := h.provision(ctx, c); err != nil {
			return err
		}
		if err := h.begin(ctx, c); err != nil {
			return err
		}
		if err := h.Store.SetCursor(ctx, name, mark); err != nil {
			return err
		}
	}
	h.ready.now(c.Name())
	return nil
}

func (h *Handler) provision(ctx context.Context, c crm.Connector) error {
	slog.InfoContext(ctx, "provisioning", "connector", c.Name())
	err := c.Provision(ctx)
	if refusal, ok := errors.AsType[*crm.Error](err); ok && refusal.Class == crm.Refused {
		stopped := *refusal // it isn't the message that the CRM refuses
		stopped.Class = crm.Stopped
		err = &stopped
	}
	if err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	return nil
}

// begin notes from where on the CRM is asked for what is to be sent: what was asked for before isn't sent.
func (h *Handler) begin(ctx context.Context, c crm.Connector) error {
	f, ok := c.(crm.Fetcher)
	if !ok || h.Sender == nil {
		return nil
	}
	since, err := h.Store.Cursor(ctx, c.Name())
	if err != nil || since != "" {
		return err
	}
	return h.fetch(ctx, c, f)
}

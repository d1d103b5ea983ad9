package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/metric"
	"threadline/shared/phone"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/store"
)

// What somebody in the CRM wants to be sent. It goes through the REST API, like everything that is asked for, under keys
// that are the request's: asking twice is asking once.

// Sender asks for messages to be sent; *REST does. A problem is why that never happens, in words.
type Sender interface {
	Send(ctx context.Context, o Outgoing) (problem string, err error)
	// Upload returns the id of a file for a message; open's error if that is what failed.
	Upload(ctx context.Context, f crm.RequestFile, open func(context.Context) (io.ReadCloser, error)) (id, problem string, err error)
}

// Outgoing is what is asked of the API.
type Outgoing struct {
	Key      string          `json:"-"` // the idempotency key
	To       any             `json:"to"`
	Text     string          `json:"text,omitempty"`
	Template json.RawMessage `json:"template,omitempty"`
	Media    *Media          `json:"media,omitempty"`
	Origin   chat.Origin     `json:"origin"`
}

// Media is an uploaded file in a message.
type Media struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Caption string `json:"caption,omitempty"`
}

// delivery handles what a CRM said.
func (h *Handler) delivery(ctx context.Context, qm queue.Message) error {
	var d crm.Delivery
	if err := json.Unmarshal(qm.Body, &d); err != nil || d.V != 1 {
		return fmt.Errorf("read delivery of version %d: it isn't one that this release writes", d.V)
	}
	c, err := h.connector(ctx, d.Connector)
	if c == nil || err != nil {
		return err
	}
	for _, r := range d.Requests {
		if err := h.request(ctx, c, r); err != nil {
			return err
		}
	}
	if d.Fetch {
		return h.look(ctx, d.Connector, qm)
	}
	return nil
}

// checkEvery is how often a CRM's credentials are tried while nothing else does.
const checkEvery = 6 * time.Hour

// tick looks at a CRM because it is time to. What fails waits for the next tick: entries that waited would pile up.
func (h *Handler) tick(ctx context.Context, name string, qm queue.Message) error {
	err := h.look(ctx, name, qm)
	if refusal, ok := errors.AsType[*crm.Error](err); ok && refusal.Class == crm.Refused {
		h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", name)
		slog.ErrorContext(ctx, "the CRM doesn't let itself be asked", "connector", name, "error", redact.Error(refusal))
		return nil
	}
	if chat.Temporary(err) {
		slog.WarnContext(ctx, "the CRM is looked at again with the next tick", "connector", name, "error", redact.Error(err))
		return nil
	}
	return err
}

// look asks a CRM for what is to be sent, and now and then whether it lets us in at all.
func (h *Handler) look(ctx context.Context, name string, qm queue.Message) error {
	c, err := h.connector(ctx, name)
	if c == nil || err != nil {
		return err
	}
	return h.through(ctx, name, qm.ID, func() error {
		if err := h.check(ctx, c); err != nil {
			return err
		}
		return h.provisioned(ctx, c, func() error {
			f, ok := c.(crm.Fetcher)
			if !ok || h.Sender == nil {
				return nil
			}
			return h.fetch(ctx, c, f)
		})
	})
}

func (h *Handler) check(ctx context.Context, c crm.Connector) error {
	name := "check " + c.Name()
	last, err := h.Store.Cursor(ctx, name)
	if err != nil {
		return err
	}
	if at, err := time.Parse(time.RFC3339, last); err == nil && h.now().Sub(at) < checkEvery {
		return nil
	}
	if err := c.Check(ctx); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if last != "" { // hooks get lost: a person deletes one, a vendor gives one up
		if err := h.provision(ctx, c); err != nil {
			return err
		}
	}
	return h.Store.SetCursor(ctx, name, h.now().UTC().Format(time.RFC3339))
}

func (h *Handler) fetch(ctx context.Context, c crm.Connector, f crm.Fetcher) error {
	since, err := h.Store.Cursor(ctx, c.Name())
	if err != nil {
		return err
	}
	requests, next, err := f.FetchOutbound(ctx, since)
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	// What is done is noted for each: one that fails holds up no other, and a time that is too short for all is enough for some.
	var failed []error
	for _, r := range requests {
		if err := h.request(ctx, c, r); err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := errors.Join(append(failed, ctx.Err())...); err != nil || next == since {
		return err
	}
	return h.Store.SetCursor(ctx, c.Name(), next)
}

// keyOf is the idempotency key of a request.
func keyOf(connector string, r crm.Request) string { return "crm/" + connector + "/" + r.ID }

// request has its messages sent, or tells the CRM why not all of them are.
func (h *Handler) request(ctx context.Context, c crm.Connector, r crm.Request) error {
	if h.Sender == nil || r.ID == "" {
		return nil
	}
	all := parts(c.Name(), r)
	said, before, err := h.keptWith(ctx, c.Name(), all[0].id)
	if err != nil || said.Done {
		return err
	}
	if before && len(r.Files) > 0 {
		// What was asked for first counts: which message a file is depends on all that is asked for.
		r, all = said.Request, parts(c.Name(), said.Request)
	}
	if err := h.carryOut(ctx, c, r, all); err != nil {
		return err
	}
	said, _, err = h.keptWith(ctx, c.Name(), all[0].id)
	if err != nil {
		return err
	}
	said.Request, said.Done = r, true
	return h.Store.SetRequest(ctx, all[0].id, c.Name(), encode(said))
}

// carryOut asks for the messages of a request.
func (h *Handler) carryOut(ctx context.Context, c crm.Connector, r crm.Request, all []part) error {
	to, err := h.recipient(ctx, c.Name(), r)
	if err != nil {
		return err
	}
	if to == nil {
		return h.report(ctx, c, r, crm.Outcome{Problem: "Not sent: nobody on WhatsApp is known for this record. Write its phone number with the country code."})
	}
	var o crm.Outcome
	for _, p := range all {
		p.out.To = to
		said, err := h.ask(ctx, c, p, kept{Request: r})
		if err != nil {
			return err
		}
		if o.Problem = lines(o.Problem, said); said == "" {
			if err := h.remember(ctx, c.Name(), p.id, r); err != nil {
				return err
			}
		}
	}
	if o.Problem != "" && len(r.Files) > 0 {
		if o, _, err = h.outcome(ctx, c.Name(), r); err != nil {
			return err
		}
	}
	if o.Problem == "" {
		return nil
	}
	return h.report(ctx, c, r, o)
}

// recipient is whom a request is for, as the API takes it; nil if nobody can be found.
func (h *Handler) recipient(ctx context.Context, connector string, r crm.Request) (any, error) {
	if r.Key != "" {
		return map[string]chat.ContactID{"contact": r.Key}, nil
	}
	if r.Contact != "" {
		who, err := h.Store.Owner(ctx, connector, string(r.Contact))
		if err != nil {
			return nil, err
		}
		if who != "" {
			return map[string]chat.ContactID{"contact": who}, nil
		}
	}
	if digits := phone.International(r.Phone); digits != "" {
		return "+" + digits, nil
	}
	return nil, nil
}

// remember links a contact that was made for a request with the record on which it was asked for.
func (h *Handler) remember(ctx context.Context, connector string, id chat.MessageID, r crm.Request) error {
	if r.Contact == "" {
		return nil
	}
	m, err := h.Store.Lookup(ctx, id)
	if chat.CodeOf(err) == chat.NotFound || err == nil && m.Contact == "" {
		return nil // not written through: the number leads to the record
	}
	if err != nil {
		return err
	}
	link, err := h.Store.Link(ctx, m.Contact, connector)
	if err != nil || link.Ref != "" || h.now().Before(link.Busy) { // a record of their own is being made
		return err
	}
	return h.Store.SetLink(ctx, m.Contact, connector, store.Link{Ref: string(r.Contact)})
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came out of JSON
	}
	return string(b)
}

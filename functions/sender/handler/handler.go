// Package handler is the sender: the last checks, one call to Meta, and an honest record of what came of it.
//
// Meta has no idempotency key, so a send whose answer is lost is neither sent nor unsent. The message then is
// `unknown` and waits at the head of its conversation for a receipt to settle it. Without one, the company's choice
// applies: Retry sends once more, twice at most in all; Hold leaves it as it is.
package handler

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/oklog/ulid/v2"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/send"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// leaseFor is how long an attempt may take before it is given up for lost: longer than the function's time-out (30 s),
// shorter than the queue's visibility (60 s).
const leaseFor = 50 * time.Second

// newer is how long an entry that isn't understood may be one of a release whose deployment isn't over.
const newer = time.Hour

// maxAttempts is how often a message may be handed to Meta when the first outcome stays unknown.
const maxAttempts = 2

// Graph sends; *whatsapp.Client does.
type Graph interface {
	Send(ctx context.Context, number string, m whatsapp.Outgoing) (whatsapp.Sent, error)
	Upload(ctx context.Context, number, filename, mimeType string, size int64, body io.Reader) (string, error)
	MarkRead(ctx context.Context, number, messageID string) error
	Typing(ctx context.Context, number, messageID string) error
}

// Files gives out what was uploaded to us; *blob.S3 does.
type Files interface {
	Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error)
}

// Queue takes entries; *queue.Sender does.
type Queue interface {
	Send(ctx context.Context, entries ...queue.Entry) error
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Ambiguity is the company's choice for a send whose outcome stays unknown.
type Ambiguity string

// The choices. By default free text is sent once more; a template and a one-time code are held.
const (
	Default Ambiguity = ""
	Retry   Ambiguity = "retry"
	Hold    Ambiguity = "hold"
)

// Handler handles entries of Outbound.fifo.
type Handler struct {
	Store     *store.Store
	Graph     Graph
	Files     Files
	CRM       Queue
	Metrics   Counter
	Refresh   func(context.Context) error // reads the access token again
	Ambiguous Ambiguity
	After     time.Duration    // how long a receipt may settle an unknown outcome
	Now       func() time.Time // default time.Now
	NewToken  func() string    // names an attempt; default: ULIDs

	healths healths
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

func (h *Handler) newToken() string {
	if h.NewToken == nil {
		return ulid.Make().String()
	}
	return h.NewToken()
}

// Handle brings one message as far as it gets.
func (h *Handler) Handle(ctx context.Context, qm queue.Message) error {
	entry, err := send.Parse(qm.Body)
	if errors.Is(err, send.ErrUnknown) && h.now().Sub(qm.Sent) < newer {
		return chat.E(chat.Unavailable, "", err)
	}
	if err != nil {
		return err
	}
	if entry.Seen != nil {
		return h.seen(ctx, *entry.Seen)
	}
	asked := *entry.Message
	m, _, err := h.Store.Queue(ctx, asked)
	if errors.Is(err, store.ErrOtherRequest) {
		// Two requests raced under one Idempotency-Key. One message is sent: the stored one.
		slog.WarnContext(ctx, "dropped a request whose id is another's", "id", asked.ID)
		m, err = h.Store.Lookup(ctx, asked.ID)
	}
	if chat.CodeOf(err) == chat.NotFound {
		return nil // past its retention
	}
	if err != nil {
		return err
	}
	slog.DebugContext(ctx, "sending", "id", m.ID, "conversation", m.Conversation, "status", m.Status)
	return h.advance(ctx, m)
}

// advance looks where the message stands and takes the next step.
func (h *Handler) advance(ctx context.Context, m chat.Message) error {
	now := h.now()
	switch {
	case m.Status.AtMeta():
		m, err := h.Store.Catch(ctx, m) // the process that sent it may have died before it looked
		if err != nil {
			return err
		}
		return h.dispatch(ctx, m)
	case m.Status == chat.Failed:
		return h.tell(ctx, m) // the process that gave it up may have died before it told
	case m.Send.Lease != "" && now.Before(m.Send.LeaseUntil):
		return queue.Later(m.Send.LeaseUntil.Sub(now), errors.New("another attempt is under way"))
	case m.Send.Lease != "":
		return h.lost(ctx, m, m.Send.LeaseUntil)
	case m.Status == chat.Unknown && now.Before(m.Send.UnknownSince.Add(h.After)):
		return queue.Later(m.Send.UnknownSince.Add(h.After).Sub(now), errors.New("waiting for a receipt to settle the outcome"))
	case m.Status == chat.Unknown && !h.repeats(m):
		return h.doubtful(ctx, m)
	case !now.Before(m.Send.Expires):
		return h.expire(ctx, m)
	}
	return h.attempt(ctx, m)
}

// repeats tells whether a message with an unknown outcome is sent once more.
func (h *Handler) repeats(m chat.Message) bool {
	if m.Send.Attempt >= maxAttempts || !h.now().Before(m.Send.Expires) {
		return false
	}
	if h.Ambiguous == Default {
		return m.Kind != chat.KindTemplate && m.Send.Category != chat.CategoryAuthentication
	}
	return h.Ambiguous == Retry
}

// expire gives up a message that waited too long.
func (h *Handler) expire(ctx context.Context, m chat.Message) error {
	now, err := h.change(ctx, m, func(now *chat.Message) error {
		if now.Status != m.Status || now.Send.Lease != "" {
			return errMoved
		}
		now.Reach(chat.Failed, h.now(), &chat.Problem{Reason: "expired"})
		return nil
	})
	if errors.Is(err, errMoved) {
		return h.advance(ctx, now)
	}
	if err != nil {
		return err
	}
	h.Metrics.Count(ctx, metric.SendFailed, 1)
	return h.tell(ctx, now)
}

// attempt takes the lease, calls Meta and records the outcome.
func (h *Handler) attempt(ctx context.Context, m chat.Message) error {
	doubt, err := h.gate(ctx, m)
	var held heldError
	if errors.As(err, &held) {
		return h.held(ctx, m, held)
	}
	if err != nil {
		return err
	}
	ready, uploadedBefore, err := h.upload(ctx, m)
	if err != nil {
		return h.notUploaded(ctx, m, err)
	}
	out, err := outgoing(ready)
	if err != nil {
		return h.refused(ctx, m, "", &chat.Problem{Reason: "malformed: " + err.Error()})
	}
	token := h.newToken()
	leased, err := h.lease(ctx, m, func(now *chat.Message) error {
		if now.Send.Lease == token {
			return store.Same() // an earlier try of this very write
		}
		if now.Status != m.Status || now.Send.Attempt != m.Send.Attempt || now.Send.Lease != "" {
			return errMoved
		}
		now.Reach(chat.Sending, h.now(), nil)
		now.Send.Lease, now.Send.LeaseUntil = token, h.now().Add(leaseFor)
		now.Send.Attempt++
		return nil
	})
	switch {
	case errors.Is(err, errMoved):
		return h.advance(ctx, leased) // a receipt settled it, or another attempt began
	case errors.Is(err, errOptedOut):
		return h.refused(ctx, m, "", &chat.Problem{Code: whatsapp.CodeOptedOut, Reason: errOptedOut.Error()})
	case err != nil:
		return err
	}
	sent, err := h.Graph.Send(ctx, string(m.Conversation.Number()), out)
	if err != nil {
		again := uploadedBefore && h.forgotten(ctx, ready, err)
		return h.failed(ctx, leased, token, err, again)
	}
	h.works(ctx, m, doubt)
	return h.accepted(ctx, leased, sent)
}

// errMoved says that the message is no longer where the decision to send it was made.
var errMoved = errors.New("the message has moved on")

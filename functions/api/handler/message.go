package handler

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/send"
	"threadline/shared/store"
)

// accepted is the answer to a request that is in the queue. It says nothing else, so that it is the same whenever the
// request is repeated.
type accepted struct {
	ID     chat.MessageID `json:"id"`
	Status chat.Status    `json:"status"`
}

// caller is whose idempotency keys they are: so far everybody has the same API key.
const caller = "api"

// writeThrough is how long an answer waits for what isn't needed for it.
const writeThrough = 3 * time.Second

func (a *API) postMessage(w http.ResponseWriter, r *http.Request) error {
	var req request
	if err := httpapi.Decode(r, &req); err != nil {
		return err
	}
	m, to, err := req.message()
	if err != nil {
		return err
	}
	m.ID = a.newID()
	if key := idempotencyKey(r); key != "" {
		m.ID = send.KeyedID(caller, key)
		if known, err := a.asked(r.Context(), m); err != nil {
			return err
		} else if known {
			return httpapi.JSON(w, http.StatusAccepted, accepted{m.ID, chat.Queued})
		}
	}
	if err := a.address(r.Context(), req, to, &m); err != nil {
		return err
	}
	if err := send.Message(r.Context(), a.Outbound, m); err != nil {
		return chat.E(chat.Unavailable, "the message couldn't be queued: try again, with the same Idempotency-Key if there was one", err)
	}
	if err := a.show(r.Context(), m); err != nil {
		return err
	}
	slog.DebugContext(r.Context(), "queued a message", "id", m.ID, "conversation", m.Conversation)
	return httpapi.JSON(w, http.StatusAccepted, accepted{m.ID, chat.Queued})
}

// idempotencyKey is the header's value. API Gateway's adapter cuts it at commas.
func idempotencyKey(r *http.Request) string {
	return strings.Join(r.Header.Values("Idempotency-Key"), ",")
}

func (a *API) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

func (a *API) newID() chat.MessageID {
	if a.NewID == nil {
		return send.NewID()
	}
	return a.NewID()
}

// asked tells whether the same request came before under the same key; another request under it is a conflict.
func (a *API) asked(ctx context.Context, m chat.Message) (bool, error) {
	before, err := a.Store.Lookup(ctx, m.ID)
	if chat.CodeOf(err) == chat.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if before.Send.Request != m.Send.Request {
		return false, store.ErrOtherRequest
	}
	return true, nil
}

// show writes the message through, so that GET shows it at once. The queue is the truth: the sender makes the same
// put, so that this one may fail.
func (a *API) show(ctx context.Context, m chat.Message) error {
	ctx, cancel := context.WithTimeout(ctx, writeThrough)
	defer cancel()
	_, _, err := a.Store.Queue(ctx, m)
	if errors.Is(err, store.ErrOtherRequest) {
		return err
	}
	if err != nil {
		slog.WarnContext(ctx, "write a queued message through", "id", m.ID, "error", redact.Error(err))
	}
	return nil
}

// address finds out what the message is about, whose it is, from which number and until when. What can be wrong about the
// request itself comes first: a contact that is made for it stays.
func (a *API) address(ctx context.Context, req request, to recipient, m *chat.Message) (err error) {
	m.At = a.now().UTC().Truncate(time.Millisecond)
	if err := a.file(ctx, m); err != nil {
		return err
	}
	if req.Reaction != nil {
		m.ReplyTo, err = a.quoted(ctx, "reaction.message_id", req.Reaction.Message)
	} else {
		m.ReplyTo, err = a.quoted(ctx, "reply_to", req.ReplyTo)
	}
	if err != nil {
		return err
	}
	thread, err := a.place(ctx, req, to, m)
	if err != nil {
		return err
	}
	m.Effects = route.Plan(*m, a.Connectors)
	m.Reach(chat.Queued, m.At, nil)
	if req.Template != nil {
		listed, err := a.template(ctx, m.Conversation.Number(), *req.Template)
		if err != nil {
			return err
		}
		// The request can make its category stricter, and no less strict.
		m.Send.Category = stricter(cmp.Or(req.Category, chat.CategoryService), strings.ToLower(listed.Category))
		listed.Category = cmp.Or(listed.Category, req.Category)
		m.Text = words(listed.Render(req.Template.Components))
	}
	expire(m, req.Category, thread)
	return nil
}

// quoted is Meta's id of the message that is answered, which may be given by either id. One that we don't have may be
// older than we are.
func (a *API) quoted(ctx context.Context, field, id string) (string, error) {
	if !chat.MessageID(id).Ours() && !strings.HasPrefix(id, "u_") {
		return id, nil
	}
	m, err := a.Store.Lookup(ctx, chat.MessageID(id))
	if chat.CodeOf(err) == chat.NotFound || (err == nil && m.ProviderID == "") {
		return "", invalid(field, "WhatsApp doesn't know that message (yet)")
	}
	return m.ProviderID, err
}

// How long a message may wait to be sent.
const (
	templateLife = 24 * time.Hour
	codeLife     = 10 * time.Minute
)

// expire says until when the message may wait: free-form ones until the end of the service window. Where no window is
// known to be open, Meta decides: it knows of messages that never reached us.
func expire(m *chat.Message, category string, thread chat.Conversation) {
	m.Send.Expires = m.At.Add(templateLife)
	if category == chat.CategoryAuthentication || m.Send.Category == chat.CategoryAuthentication {
		m.Send.Expires = m.At.Add(codeLife)
	}
	if end := thread.WindowEnd(); end.After(m.At) {
		m.Send.Answers = thread.LastFrom
		if m.Kind != chat.KindTemplate {
			m.Send.Expires = end
		}
	}
}

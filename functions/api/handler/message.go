package handler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/phone"
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

// address finds out whose message it is, from which number and until when.
func (a *API) address(ctx context.Context, req request, to recipient, m *chat.Message) error {
	m.At = a.now().UTC().Truncate(time.Millisecond)
	if err := a.place(ctx, req, to, m); err != nil {
		return err
	}
	if err := a.file(ctx, m); err != nil {
		return err
	}
	m.Effects = route.Plan(*m, a.Connectors)
	m.Reach(chat.Queued, m.At, nil)
	quoted := "reply_to"
	if m.Kind == chat.KindReaction {
		quoted = "reaction.message_id"
	}
	var err error
	if m.ReplyTo, err = a.quoted(ctx, quoted, cmp.Or(req.ReplyTo, m.ReplyTo)); err != nil {
		return err
	}
	if req.Template != nil {
		listed, err := a.template(ctx, m.Conversation.Number(), *req.Template)
		if err != nil {
			return err
		}
		// The request can make its category stricter, and no less strict.
		m.Send.Category = stricter(cmp.Or(req.Category, service), listed)
	}
	return a.expire(ctx, m, req.Category)
}

// place finds the message's conversation: the person's on one of our numbers, or the one that was named.
func (a *API) place(ctx context.Context, req request, to recipient, m *chat.Message) error {
	asked := chat.NumberID(req.Number)
	if to.Conversation != "" {
		c, err := a.Store.Conversation(ctx, to.Conversation)
		if chat.CodeOf(err) == chat.NotFound {
			return invalid("to.conversation", "there is no such conversation")
		}
		if err != nil {
			return err
		}
		asked = cmp.Or(asked, c.Number)
		if asked != c.Number {
			return invalid("number", "the conversation is another number's")
		}
		if c.Group != "" {
			m.Conversation, m.Send.To = c.ID, chat.Address{Group: c.Group}
			return nil
		}
		to = recipient{Contact: c.Contact}
	}
	who, err := a.recipient(ctx, to, m)
	if err != nil {
		return err
	}
	n, err := a.number(ctx, asked, who)
	if err != nil {
		return err
	}
	m.Contact, m.Conversation = who.ID, chat.Direct(n, who.ID)
	return nil
}

func (a *API) recipient(ctx context.Context, to recipient, m *chat.Message) (chat.Contact, error) {
	if to.Contact == "" {
		m.Send.To = chat.Address{Phone: to.Phone, BSUID: to.BSUID}
		return a.Store.Person(ctx, chat.Seen{
			Phone: to.Phone, BSUID: to.BSUID, Variants: phone.Variants(to.Phone), At: m.At, Source: chat.SourceRequest,
		})
	}
	who, err := a.Store.Contact(ctx, to.Contact)
	if chat.CodeOf(err) == chat.NotFound {
		return who, invalid("to.contact", "there is no such contact")
	}
	if err != nil {
		return who, err
	}
	ids, err := a.Store.Identities(ctx, who)
	if err != nil {
		return who, err
	}
	for _, id := range ids {
		switch id.Kind {
		case chat.AliasWAID:
			m.Send.To = chat.Address{Phone: id.Value}
			return who, nil
		case chat.AliasBSUID:
			m.Send.To = chat.Address{BSUID: id.Value}
			return who, nil
		}
	}
	return who, invalid("to.contact", "nobody knows how to reach this contact: use a phone number")
}

// number is where the message is sent from: the one asked for, else the conversation's, else the first that is
// configured, else the only one that messages came through.
func (a *API) number(ctx context.Context, asked chat.NumberID, who chat.Contact) (chat.NumberID, error) {
	ours := func(n chat.NumberID) bool { return len(a.Numbers) == 0 || slices.Contains(a.Numbers, string(n)) }
	if asked != "" {
		if !ours(asked) {
			return "", invalid("number", "this installation doesn't send from that phone_number_id")
		}
		return asked, nil
	}
	threads, err := a.Store.ConversationsOf(ctx, who)
	if err != nil {
		return "", err
	}
	// Where the customer wrote last, rather than where somebody once tried to write to them.
	slices.SortStableFunc(threads, func(a, b chat.Conversation) int { return b.LastInbound.Compare(a.LastInbound) })
	for _, c := range threads {
		if ours(c.Number) {
			return c.Number, nil
		}
	}
	if len(a.Numbers) > 0 {
		return chat.NumberID(a.Numbers[0]), nil
	}
	seen, err := a.Store.Numbers(ctx)
	switch {
	case err != nil:
		return "", err
	case len(seen) == 0:
		return "", invalid("number", "no business number is known yet: give the phone_number_id to send from")
	case len(seen) > 1:
		return "", invalid("number", fmt.Sprintf("%d business numbers are known: give the phone_number_id to send from", len(seen)))
	}
	return seen[0].ID, nil
}

// quoted is Meta's id of the message that is answered, which may be given by either id. One that we don't have may be
// older than we are.
func (a *API) quoted(ctx context.Context, field, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	m, err := a.Store.Lookup(ctx, chat.MessageID(id))
	missing := chat.CodeOf(err) == chat.NotFound
	switch {
	case missing && !chat.MessageID(id).Ours():
		return id, nil
	case missing, err == nil && m.ProviderID == "":
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
func (a *API) expire(ctx context.Context, m *chat.Message, category string) error {
	m.Send.Expires = m.At.Add(templateLife)
	if category == authentication || m.Send.Category == authentication {
		m.Send.Expires = m.At.Add(codeLife)
	}
	c, err := a.Store.Conversation(ctx, m.Conversation)
	if chat.CodeOf(err) == chat.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if end := c.WindowEnd(); end.After(m.At) {
		m.Send.Answers = c.LastFrom
		if m.Kind != chat.KindTemplate {
			m.Send.Expires = end
		}
	}
	return nil
}

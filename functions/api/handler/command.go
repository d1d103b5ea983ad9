package handler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/send"
	"threadline/shared/store"
)

// What the router or the sender does at somebody's request. 202 means that it is in a durable queue.

type done struct {
	ID     string `json:"id"` // of the request
	Status string `json:"status"`
}

// command queues a request for the router.
func (a *API) command(w http.ResponseWriter, r *http.Request, c route.Command) error {
	c.At = a.now().UTC().Truncate(time.Millisecond)
	c.ID = string(a.newID())
	if key := idempotencyKey(r); key != "" {
		c.ID = string(send.KeyedID(caller+" command", key))
	}
	sum := sha256.Sum256([]byte(c.ID))
	e := queue.Entry{Body: c.Body(), Group: c.Group(), DedupID: hex.EncodeToString(sum[:])}
	if err := a.Inbound.Send(r.Context(), e); err != nil {
		return chat.E(chat.Unavailable, "the request couldn't be queued: try again", err)
	}
	return httpapi.JSON(w, http.StatusAccepted, done{c.ID, "queued"})
}

// mergeContact joins two contacts that are one person. It can be taken back.
func (a *API) mergeContact(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		With chat.ContactID `json:"with"`
	}
	if err := httpapi.Decode(r, &body); err != nil {
		return err
	}
	c := route.Command{Command: route.Merge, Contact: chat.ContactID(r.PathValue("id")), With: body.With}
	one, err := a.Store.Contact(r.Context(), c.Contact)
	if err != nil {
		return err
	}
	other, err := a.Store.Contact(r.Context(), c.With)
	switch {
	case chat.CodeOf(err) == chat.NotFound:
		return invalid("with", "there is no such contact")
	case err != nil:
		return err
	case one.ID == other.ID:
		return chat.E(chat.Conflict, "these are one contact already", nil)
	}
	return a.command(w, r, c)
}

// unmergeContact makes a contact that was joined to another one of its own again.
func (a *API) unmergeContact(w http.ResponseWriter, r *http.Request) error {
	id := chat.ContactID(r.PathValue("id"))
	speaks, err := a.Store.Contact(r.Context(), id)
	if err != nil {
		return err
	}
	if speaks.ID == id {
		return chat.E(chat.Conflict, "this contact isn't joined to another: name the one that was joined, see `joined` of its survivor", nil)
	}
	return a.command(w, r, route.Command{Command: route.Unmerge, Contact: id})
}

// refetchMedia tries again to get a customer's file that failed.
func (a *API) refetchMedia(w http.ResponseWriter, r *http.Request) error {
	m, err := a.Store.Lookup(r.Context(), chat.MessageID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if m.Direction != chat.In || m.Attachment == nil || m.Attachment.State != chat.FileFailed || m.Attachment.MediaID == "" {
		return chat.E(chat.Conflict, "the message has no file that could be fetched again", nil)
	}
	return a.command(w, r, route.Command{Command: route.Refetch, Conversation: m.Conversation, Message: store.SortKey(m)})
}

// readConversation shows the customer that their newest message was read, and on request that somebody is typing.
func (a *API) readConversation(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Typing bool `json:"typing"`
	}
	if err := httpapi.Decode(r, &body); err != nil {
		return err
	}
	c, err := a.Store.Conversation(r.Context(), chat.ConversationID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if c.LastFrom == "" {
		return chat.E(chat.Conflict, "there is no message of the customer that could be shown as read", nil)
	}
	return a.read(r.Context(), w, send.Seen{Conversation: c.ID, ProviderID: c.LastFrom, Typing: body.Typing})
}

func (a *API) read(ctx context.Context, w http.ResponseWriter, s send.Seen) error {
	s.At = a.now().UTC().Truncate(time.Millisecond)
	if err := send.Read(ctx, a.Outbound, s); err != nil {
		return chat.E(chat.Unavailable, "the request couldn't be queued: try again", err)
	}
	return httpapi.JSON(w, http.StatusAccepted, done{Status: "queued"})
}

package handler

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/send"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What the router or the sender does at somebody's request. 202 means that it is in a durable queue.

type done struct {
	ID     string `json:"id,omitempty"` // of the request
	Status string `json:"status"`
}

// name gives a command its id, which the queue and the router know it again by. It is made of the Idempotency-Key and of
// what is asked for: another request under the same key is another command.
func (a *API) name(r *http.Request, c *route.Command) (keyed bool) {
	id := a.newID()
	key := idempotencyKey(r)
	if key != "" {
		parts := []string{key, string(c.Contact), string(c.With), string(c.Conversation), c.Message}
		if c.Hours != 0 || c.Connector != "" {
			parts = append(parts, c.Connector, strconv.Itoa(c.Hours))
		}
		what := fmt.Sprintf("%q", parts)
		id = send.KeyedID(caller+" "+c.Command, what)
	}
	c.ID = "c_" + strings.TrimPrefix(string(id), "m_")
	return key != ""
}

// decide queues a request about who is who for the router. Under a key it is as old as when it first came: repeated, it
// doesn't undo what somebody decided since.
func (a *API) decide(w http.ResponseWriter, r *http.Request, c route.Command, keyed bool) (err error) {
	c.At = a.now().UTC().Truncate(time.Millisecond)
	if keyed {
		if c.At, err = a.Store.Ask(r.Context(), c.ID, c.At); err != nil {
			return err
		}
	}
	return a.command(w, r, c)
}

// command queues a request for the router.
func (a *API) command(w http.ResponseWriter, r *http.Request, c route.Command) error {
	sum := sha256.Sum256([]byte(c.ID))
	e := queue.Entry{Body: c.Body(), Group: c.Group(), DedupID: hex.EncodeToString(sum[:])}
	if err := a.Inbound.Send(r.Context(), e); err != nil {
		return notQueued(err)
	}
	return queued(w, c.ID)
}

func queued(w http.ResponseWriter, id string) error {
	return httpapi.JSON(w, http.StatusAccepted, done{id, "queued"})
}

func notQueued(err error) error {
	return chat.E(chat.Unavailable, "the request couldn't be queued: try again", err)
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
	case c.Contact == c.With:
		return invalid("with", "a contact can't be joined with itself")
	}
	keyed := a.name(r, &c)
	if one.ID == other.ID {
		return a.decided(w, r, c, keyed, "these are one contact already")
	}
	return a.decide(w, r, c, keyed)
}

// unmergeContact makes a contact that was joined to another one of its own again.
func (a *API) unmergeContact(w http.ResponseWriter, r *http.Request) error {
	c := route.Command{Command: route.Unmerge, Contact: chat.ContactID(r.PathValue("id"))}
	speaks, err := a.Store.Contact(r.Context(), c.Contact)
	if err != nil {
		return err
	}
	keyed := a.name(r, &c)
	if speaks.ID == c.Contact {
		return a.decided(w, r, c, keyed, "this contact isn't joined to another: name the one that was joined, see `joined` of its survivor")
	}
	return a.decide(w, r, c, keyed)
}

// decided answers a command that would change nothing: as the first time if it came before, and else with a conflict.
func (a *API) decided(w http.ResponseWriter, r *http.Request, c route.Command, keyed bool, conflict string) error {
	if keyed {
		first, err := a.Store.Asked(r.Context(), c.ID)
		if err != nil {
			return err
		}
		if !first.IsZero() {
			return queued(w, c.ID)
		}
	}
	return chat.E(chat.Conflict, conflict, nil)
}

// refetchMedia tries again to get a customer's file that failed.
func (a *API) refetchMedia(w http.ResponseWriter, r *http.Request) error {
	m, err := a.Store.Lookup(r.Context(), chat.MessageID(r.PathValue("id")))
	if err != nil {
		return err
	}
	c := route.Command{Command: route.Refetch, Conversation: m.Conversation, Message: store.SortKey(m)}
	keyed := a.name(r, &c)
	switch f := m.Attachment; {
	case f == nil || f.MediaID == "" || f.State == chat.Remote:
		return chat.E(chat.Conflict, "the message has no file that came through WhatsApp", nil)
	case f.State != chat.FileFailed && keyed:
		return queued(w, c.ID) // what was asked for is done, or about to be
	case f.State != chat.FileFailed:
		return chat.E(chat.Conflict, "the file is here, or on its way", nil)
	case !m.Imported && a.now().Sub(m.At) >= whatsapp.MediaLife:
		return chat.E(chat.Conflict, "Meta kept the file for 7 days: it is gone", nil)
	}
	c.At = a.now().UTC().Truncate(time.Millisecond)
	return a.command(w, r, c)
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
	s := send.Seen{Conversation: c.ID, ProviderID: c.LastFrom, Typing: body.Typing, At: a.now().UTC().Truncate(time.Millisecond)}
	if err := send.Read(r.Context(), a.Outbound, s); err != nil {
		return notQueued(err)
	}
	return queued(w, "")
}

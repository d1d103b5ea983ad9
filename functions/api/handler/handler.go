// Package handler is the REST API: it asks the pipeline to send, and shows what the table knows.
//
// It guarantees that a message that was answered 202 is in the queue, and that the same Idempotency-Key is the same
// message and the same answer, however often it comes.
package handler

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"strconv"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/httpapi"
	"threadline/shared/phone"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Queue takes entries; *queue.Sender does.
type Queue interface {
	Send(ctx context.Context, entries ...queue.Entry) error
}

// Graph tells of numbers and templates; *whatsapp.Client does.
type Graph interface {
	Number(ctx context.Context, id string) (whatsapp.NumberInfo, error)
	ListTemplates(ctx context.Context, waba string) ([]whatsapp.TemplateInfo, error)
	Templates(ctx context.Context, waba, name string) ([]whatsapp.TemplateInfo, error)
}

// Files tells whether an object is there; *blob.S3 does.
type Files interface {
	Head(ctx context.Context, key string) (blob.Info, error)
}

// Links signs requests to the bucket; *blob.Signer does.
type Links interface {
	Link(ctx context.Context, key string, o blob.LinkOptions) (string, error)
	UploadLink(ctx context.Context, key string, size int64, o blob.PutOptions, within time.Duration) (blob.Upload, error)
}

// API answers /api/v1/, /m/ and /crm/.
type API struct {
	Store      *store.Store
	Outbound   Queue
	Inbound    Queue
	Files      Files
	Links      Links
	Graph      Graph                   // nil: Meta isn't asked
	Numbers    []string                // the phone_number_ids to send from, the first by default
	Connectors []string                // what an accepted message is put into
	Receivers  map[string]crm.Receiver // the CRMs that call us
	Panels     map[string]crm.Paneler  // the CRMs that show conversations
	CRM        Queue                   // CRM.fifo: what they say
	PublicURL  string                  // scheme and host of this API as others see it
	Key        func(context.Context) (string, error)
	Now        func() time.Time      // default time.Now
	NewID      func() chat.MessageID // default send.NewID

	lists lists
	polls polls
}

//go:embed openapi.json
var openAPI []byte

// Handler returns the routes.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(openAPI)
	})
	for pattern, f := range map[string]httpapi.HandlerFunc{
		"POST /api/v1/messages":                   a.postMessage,
		"GET /api/v1/messages/{id}":               a.getMessage,
		"POST /api/v1/messages/{id}/refetch":      a.refetchMedia,
		"POST /api/v1/media":                      a.postMedia,
		"GET /api/v1/templates":                   a.listTemplates,
		"GET /api/v1/numbers":                     a.listNumbers,
		"GET /api/v1/contacts":                    a.findContacts,
		"GET /api/v1/contacts/{id}":               a.getContact,
		"POST /api/v1/contacts/{id}/merge":        a.mergeContact,
		"POST /api/v1/contacts/{id}/unmerge":      a.unmergeContact,
		"GET /api/v1/conversations":               a.listConversations,
		"GET /api/v1/conversations/{id}":          a.getConversation,
		"GET /api/v1/conversations/{id}/messages": a.listMessages,
		"POST /api/v1/conversations/{id}/read":    a.readConversation,
		"GET /api/v1/crm/reconciliation":          a.listReconciliation,
		"POST /api/v1/crm/reconciliation":         a.reconcile,
		"GET /api/v1/crm/backfill":                a.listBackfills,
		"POST /api/v1/crm/backfill":               a.backfill,
	} {
		mux.Handle(pattern, httpapi.RequireKey(a.Key, explained(f)))
	}
	mux.Handle("GET /m/{token}", explained(a.getFile))
	mux.Handle("POST /crm/{connector}/events", explained(a.receiveEvents))
	mux.Handle("GET /crm/{connector}/panel", explained(a.showPanel))
	return oneSegment("/api/v1/messages/", []string{"/refetch"}, httpapi.New(mux, httpapi.Options{ErrorText: redact.Error}))
}

// explained tells clients what to do about failures that aren't theirs: they will pass.
func explained(f httpapi.HandlerFunc) httpapi.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := f(w, r)
		var e *chat.Error
		known := errors.As(err, &e)
		switch {
		case known && !passes(e):
			return err
		case !known && (err == nil || r.Context().Err() == nil):
			return err
		}
		w.Header().Set("Retry-After", "1")
		if known && e.Kind == chat.Unavailable && e.Message != "" {
			return err
		}
		return chat.E(chat.Unavailable, "the data can't be reached at the moment: try again", err)
	}
}

// passes tells whether the same request may succeed in a moment. A conflict does where two writers met, which is its
// cause; one without a cause is between the request and how things stand.
func passes(e *chat.Error) bool {
	return e.Temporary() && (e.Kind != chat.Conflict || e.Err != nil)
}

func (a *API) getMessage(w http.ResponseWriter, r *http.Request) error {
	m, err := a.Store.Lookup(r.Context(), chat.MessageID(r.PathValue("id")))
	if chat.CodeOf(err) == chat.NotFound {
		w.Header().Set("Retry-After", "1") // a message just asked for may not be stored yet
	}
	if err != nil {
		return err
	}
	views, err := a.viewMessages(r.Context(), m)
	if err != nil {
		return err
	}
	views[0].WaitingFor, err = a.waitingFor(r.Context(), m)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, views[0])
}

func (a *API) findContacts(w http.ResponseWriter, r *http.Request) error {
	number, err := digits("phone", r.URL.Query().Get("phone"))
	if err != nil {
		return err
	}
	known, err := a.Store.FindContacts(r.Context(), number, phone.Variants(number))
	if err != nil {
		return err
	}
	found := []contactView{}
	for _, c := range known {
		v, err := a.viewContact(r.Context(), c)
		if err != nil {
			return err
		}
		found = append(found, v)
	}
	return httpapi.JSON(w, http.StatusOK, map[string]any{"contacts": found})
}

func (a *API) getContact(w http.ResponseWriter, r *http.Request) error {
	c, err := a.Store.Contact(r.Context(), chat.ContactID(r.PathValue("id")))
	if err != nil {
		return err
	}
	v, err := a.viewContact(r.Context(), c)
	if err != nil {
		return err
	}
	links, err := a.Store.Links(r.Context(), c.ID)
	if err != nil {
		return err
	}
	v.CRM = make(map[string]recordView, len(links))
	for connector, l := range links {
		v.CRM[connector] = recordView{l.Ref, l.Others}
	}
	return httpapi.JSON(w, http.StatusOK, v)
}

func (a *API) listConversations(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := pageSize(q.Get("limit"))
	if err != nil {
		return err
	}
	f := store.Filter{State: chat.State(q.Get("state")), Owner: q.Get("owner"), Team: q.Get("team")}
	switch f.State {
	case "", chat.WithBot, chat.InQueue, chat.Assigned, chat.Resolved:
	default:
		return invalid("state", "use bot, queued, assigned or resolved")
	}
	found, next, err := a.Store.Conversations(r.Context(), f, q.Get("cursor"), limit)
	if err != nil {
		return err
	}
	views := make([]conversationView, len(found))
	for i, l := range found {
		views[i] = viewConversation(l.Conversation, l.With)
	}
	return httpapi.JSON(w, http.StatusOK, page("conversations", views, next))
}

func (a *API) getConversation(w http.ResponseWriter, r *http.Request) error {
	c, err := a.Store.Conversation(r.Context(), chat.ConversationID(r.PathValue("id")))
	if err != nil {
		return err
	}
	var who chat.Contact
	if c.Contact != "" {
		if who, err = a.Store.Contact(r.Context(), c.Contact); err != nil {
			return err
		}
	}
	return httpapi.JSON(w, http.StatusOK, viewConversation(c, who))
}

func (a *API) listMessages(w http.ResponseWriter, r *http.Request) error {
	limit, err := pageSize(r.URL.Query().Get("limit"))
	if err != nil {
		return err
	}
	found, next, err := a.Store.Messages(r.Context(), chat.ConversationID(r.PathValue("id")), r.URL.Query().Get("cursor"), limit)
	if err != nil {
		return err
	}
	views, err := a.viewMessages(r.Context(), found...)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, page("messages", views, next))
}

// page is a list with the cursor of the next one.
func page[T any](name string, items []T, next string) map[string]any {
	p := map[string]any{name: items}
	if next != "" {
		p["next_cursor"] = next
	}
	return p
}

// The sizes of a page.
const (
	defaultPage = 50
	maxPage     = 100
)

func pageSize(limit string) (int, error) {
	if limit == "" {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(limit)
	if err != nil || n < 1 || n > maxPage {
		return 0, invalid("limit", "use a number from 1 to 100")
	}
	return n, nil
}

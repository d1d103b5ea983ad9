package handler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/queue"
	"threadline/shared/redact"
)

// What a CRM calls us for: POST /crm/<connector>/events. It is verified as its vendor prescribes, queued, and answered; what
// it asks for is done behind the queue, once, however often it is told.

func (a *API) receiveEvents(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("connector")
	receiver := a.Receivers[name]
	if receiver == nil {
		return chat.E(chat.NotFound, "no CRM of that name calls here", nil)
	}
	body, err := io.ReadAll(r.Body) // of bounded size, as all requests are
	if err != nil {
		return err
	}
	said, err := receiver.ParseInbound(r.Context(), crm.Call{
		Method: r.Method, URL: a.PublicURL + r.URL.RequestURI(), Header: r.Header, Body: body, At: a.now().UTC(),
	})
	if err != nil {
		return unread(r.Context(), name, err)
	}
	if err := a.queueDeliveries(r.Context(), name, said); err != nil {
		return chat.E(chat.Unavailable, "what was told couldn't be queued: tell it again", err)
	}
	slog.DebugContext(r.Context(), "the CRM called", "connector", name, "requests", len(said.Requests), "fetch", said.Fetch)
	if said.ContentType != "" {
		w.Header().Set("Content-Type", said.ContentType)
	}
	if said.Status != 0 {
		w.WriteHeader(said.Status)
	}
	_, err = w.Write(said.Answer)
	return err
}

// unread says why a call isn't acted on, without a word of what was wrong with its signature.
func unread(ctx context.Context, name string, err error) error {
	slog.WarnContext(ctx, "refused a CRM's call", "connector", name, "error", redact.Error(err))
	failure, classified := errors.AsType[*crm.Error](err)
	switch {
	case errors.Is(err, crm.ErrForged):
		return chat.E(chat.Unauthorized, "the call isn't signed, or with another secret", err)
	case classified && failure.Class == crm.Refused:
		return chat.E(chat.Invalid, "the call can't be read", err)
	}
	return chat.E(chat.Unavailable, "the call can't be checked now: tell it again", err)
}

// queueDeliveries queues what was told: each request in the line of its contact, and one wish to fetch.
func (a *API) queueDeliveries(ctx context.Context, connector string, said crm.Inbound) error {
	var entries []queue.Entry
	for _, r := range said.Requests {
		d := crm.Delivery{V: 1, Kind: crm.KindDelivery, Connector: connector, Requests: []crm.Request{r}}
		line := string(r.Contact)
		if line == "" {
			line = r.ID
		}
		entries = append(entries, delivery(d, line, connector+" "+r.ID))
	}
	if said.Fetch {
		d := crm.Delivery{V: 1, Kind: crm.KindDelivery, Connector: connector, Fetch: true}
		// Never collapsed with an earlier one: that may have been asked just before this was written.
		entries = append(entries, delivery(d, "", fmt.Sprint(connector, " ", a.now().UnixNano())))
	}
	if len(entries) == 0 {
		return nil
	}
	return a.CRM.Send(ctx, entries...)
}

func delivery(d crm.Delivery, line, id string) queue.Entry {
	body, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts and times
	}
	return queue.Entry{Body: queue.ASCII(body), Group: digest("delivery", d.Connector, line), DedupID: digest(id)}
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

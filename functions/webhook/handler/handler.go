// Package handler takes Meta's webhooks. It answers 200 only when every update of the POST is in a durable queue, and
// does nothing else: no table, no call to Meta, no body in a log.
package handler

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"threadline/shared/blob"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/secret"
	"threadline/shared/whatsapp"
)

// Secrets gives out keys and tokens; *secret.Secret does.
type Secrets interface {
	Value(ctx context.Context, key string) (string, error)
	Refresh(ctx context.Context) error
}

// Queue takes entries; *queue.Sender does.
type Queue interface {
	Send(ctx context.Context, entries ...queue.Entry) error
}

// Blobs keeps updates that are too long for the queue; *blob.S3 does.
type Blobs interface {
	Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Handler answers /webhook.
type Handler struct {
	Secrets Secrets
	Inbound Queue // in order for each customer
	Bulk    Queue // what was written before the number was connected: there is a lot of it, and nobody waits for it
	Claims  Blobs
	Metrics Counter
}

// entry is what travels on a queue: an update, or where a long one lies.
type entry struct {
	V     int    `json:"v"`
	Claim string `json:"claim,omitempty"`
	*whatsapp.Update
}

// Handle takes an HTTP API event. It never returns an error: Meta repeats whatever isn't answered 200.
func (h *Handler) Handle(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	switch e.RequestContext.HTTP.Method {
	case http.MethodGet:
		return h.verify(ctx, e), nil
	case http.MethodPost:
		return h.receive(ctx, e), nil
	}
	r := answer(http.StatusMethodNotAllowed, "use GET or POST")
	r.Headers["Allow"] = "GET, POST"
	return r, nil
}

// verify answers Meta's question whether the webhook is ours.
func (h *Handler) verify(ctx context.Context, e events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	token, err := h.Secrets.Value(ctx, secret.VerifyToken)
	if err != nil {
		return h.unavailable(ctx, "read the verify token", err)
	}
	query, err := url.ParseQuery(e.RawQueryString)
	if err != nil {
		return answer(http.StatusBadRequest, "the query can't be read")
	}
	challenge, ok := whatsapp.Challenge(query, token)
	if !ok {
		return answer(http.StatusForbidden, "the verify token is wrong")
	}
	return answer(http.StatusOK, challenge)
}

// receive queues what a POST holds.
func (h *Handler) receive(ctx context.Context, e events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	if base64.StdEncoding.DecodedLen(len(e.Body)) > whatsapp.MaxBody+2 && (e.IsBase64Encoded || len(e.Body) > whatsapp.MaxBody) {
		return answer(http.StatusRequestEntityTooLarge, "the body is over 3 MiB")
	}
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return answer(http.StatusBadRequest, "the body isn't base64")
		}
	}
	if len(body) > whatsapp.MaxBody {
		return answer(http.StatusRequestEntityTooLarge, "the body is over 3 MiB")
	}
	if ok, err := h.signed(ctx, body, header(e.Headers, "x-hub-signature-256")); err != nil {
		return h.unavailable(ctx, "read the app secret", err)
	} else if !ok {
		h.Metrics.Count(ctx, metric.SignatureRejected, 1)
		return answer(http.StatusUnauthorized, "the signature is missing or wrong")
	}
	updates, err := whatsapp.Split(body)
	if err != nil { // Meta signed it, so it is kept for somebody to look at
		quoted, _ := json.Marshal(map[string]string{"not_json": base64.StdEncoding.EncodeToString(body)})
		updates = []whatsapp.Update{{Kind: whatsapp.KindEvent, Body: quoted}}
	}
	if err := h.enqueue(ctx, updates); err != nil {
		return h.unavailable(ctx, "queue the updates", err)
	}
	slog.DebugContext(ctx, "queued a webhook", "updates", len(updates), "bytes", len(body))
	return answer(http.StatusOK, "")
}

// signed checks the signature against the present app secret and the previous one. A failure may mean that the secret
// was changed since it was read, so it is read once more.
func (h *Handler) signed(ctx context.Context, body []byte, signature string) (bool, error) {
	for _, refresh := range []bool{false, true} {
		if refresh {
			if err := h.Secrets.Refresh(ctx); err != nil {
				slog.WarnContext(ctx, "refresh the secret", "error", redact.Error(err))
			}
		}
		now, err := h.Secrets.Value(ctx, secret.AppSecret)
		if err != nil {
			return false, err
		}
		previous, err := h.Secrets.Value(ctx, secret.AppSecretPrevious)
		if err != nil {
			previous = "" // there is none: no rotation under way
		}
		if whatsapp.NewVerifier(now, previous).Verify(body, signature) == nil {
			return true, nil
		}
		if signature == "" {
			return false, nil // nothing that another secret could mend
		}
	}
	return false, nil
}

// enqueue puts every update on its queue, or returns an error.
func (h *Handler) enqueue(ctx context.Context, updates []whatsapp.Update) error {
	var inbound, bulk []queue.Entry
	for _, u := range updates {
		e, err := h.entry(ctx, u)
		if err != nil {
			return err
		}
		if u.Kind == whatsapp.KindHistory {
			bulk = append(bulk, e)
		} else {
			inbound = append(inbound, e)
		}
	}
	if err := h.put(ctx, h.Inbound, inbound); err != nil {
		return err
	}
	return h.put(ctx, h.Bulk, bulk)
}

// entry makes an update's entry. One that is too long goes to an object, with a pointer on the queue.
func (h *Handler) entry(ctx context.Context, u whatsapp.Update) (queue.Entry, error) {
	body, err := json.Marshal(entry{V: 1, Update: &u})
	if err != nil {
		return queue.Entry{}, fmt.Errorf("encode update: %w", err)
	}
	e := queue.Entry{Body: whatsapp.ASCII(body), Group: u.GroupKey()}
	if len(e.Body) > queue.MaxBody {
		return h.claim(ctx, e)
	}
	e.DedupID = digest(e.Body)
	return e, nil
}

// put sends entries. What SQS refuses goes to an object too.
func (h *Handler) put(ctx context.Context, q Queue, entries []queue.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	err := q.Send(ctx, entries...)
	refused := queue.Refused(err)
	if len(refused) == 0 {
		return err
	}
	// Once more, all of it: what got through is collapsed by its deduplication id, or by whoever stores it, and order
	// within a group is kept.
	isRefused := map[string]bool{}
	for _, e := range refused {
		isRefused[e.DedupID] = true
	}
	for i, e := range entries {
		if !isRefused[e.DedupID] {
			continue
		}
		if entries[i], err = h.claim(ctx, e); err != nil {
			return err
		}
	}
	return q.Send(ctx, entries...)
}

// claim stores an entry's body as an object and returns the entry that points to it. The name is the body's hash: the
// same update is the same object.
func (h *Handler) claim(ctx context.Context, e queue.Entry) (queue.Entry, error) {
	key := "claim/" + digest(e.Body)
	err := h.Claims.Put(ctx, key, strings.NewReader(string(e.Body)), int64(len(e.Body)), blob.PutOptions{ContentType: "application/json"})
	if err != nil {
		return e, fmt.Errorf("store a long update: %w", err)
	}
	body, err := json.Marshal(entry{V: 1, Claim: key})
	return queue.Entry{Body: body, Group: e.Group, DedupID: digest(body)}, err
}

func (h *Handler) unavailable(ctx context.Context, what string, err error) events.APIGatewayV2HTTPResponse {
	slog.ErrorContext(ctx, what, "error", redact.Error(err))
	return answer(http.StatusInternalServerError, "try again later")
}

func answer(status int, body string) events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{StatusCode: status, Body: body, Headers: map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
	}}
}

// header finds a header; HTTP APIs send their names in lower case, tests and other front ends may not.
func header(hs map[string]string, name string) string {
	for k, v := range hs {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"threadline/shared/chat"
)

// REST is the API of this installation.
type REST struct {
	URL  string // scheme and host
	Key  func(context.Context) (string, error)
	HTTP *http.Client // http.DefaultClient if nil
}

// maxSaid bounds what is read of an answer, in bytes.
const maxSaid = 64 << 10

// Send asks for a message to be sent.
func (r *REST) Send(ctx context.Context, o Outgoing) (problem string, err error) {
	return r.post(ctx, "/api/v1/messages", o.Key, o, http.StatusAccepted, nil)
}

// post makes a request, whose answer goes into out, unless that is nil. An answer of 4xx is about the request and final,
// but for those that say that the key is wrong or the time is.
func (r *REST) post(ctx context.Context, path, idempotencyKey string, in any, want int, out any) (problem string, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	key, err := r.Key(ctx)
	if err != nil {
		return "", unavailable(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	res, err := r.client().Do(req)
	if err != nil {
		return "", unavailable(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxSaid))
	if err != nil {
		return "", unavailable(err)
	}
	if res.StatusCode == want {
		if out != nil && json.Unmarshal(answer, out) != nil {
			return "", unavailable(errors.New("the answer isn't the JSON expected"))
		}
		return "", nil
	}
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(answer, &said) // a gateway's own answer isn't ours
	switch s := res.StatusCode; {
	case said.Error.Message == "":
	case s == http.StatusBadRequest, s == http.StatusNotFound, s == http.StatusConflict, s == http.StatusRequestEntityTooLarge:
		return "Not sent: " + said.Error.Message, nil
	}
	return "", unavailable(fmt.Errorf("status %d", res.StatusCode))
}

func (r *REST) client() *http.Client {
	if r.HTTP == nil {
		return http.DefaultClient
	}
	return r.HTTP
}

func unavailable(err error) error { return chat.E(chat.Unavailable, "", err) }

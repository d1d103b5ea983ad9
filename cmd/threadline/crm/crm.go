// Package crm asks a stack's REST API to bring what is stored into a CRM, and shows how far it is.
//
// It only asks and watches: the stack does the work, and goes on with it when nobody watches any more.
package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// API is a stack's REST API.
type API struct {
	URL  string // such as https://….amazonaws.com/api/v1
	Key  string
	HTTP *http.Client
}

// Backfill is how far everything that is stored is brought into a CRM.
type Backfill struct {
	ID            string    `json:"id"`
	Connector     string    `json:"connector"`
	State         string    `json:"state"` // counting, running, done or stopped
	Since         time.Time `json:"since"`
	Conversations struct {
		Found   int `json:"found"`
		Done    int `json:"done"`
		GivenUp int `json:"given_up"`
	} `json:"conversations"`
	Messages int    `json:"messages"`
	Why      string `json:"why"`
}

// Over tells whether nothing more will happen.
func (b Backfill) Over() bool { return b.State == "done" || b.State == "stopped" }

// Refusal is an answer that isn't the one that was asked for.
type Refusal struct {
	Status  int
	Message string
}

// Error says what the API says.
func (r *Refusal) Error() string {
	if r.Message == "" {
		return fmt.Sprintf("the REST API answers %d", r.Status)
	}
	return r.Message
}

// passing tells whether asking again may help.
func passing(err error) bool {
	refusal, refused := errors.AsType[*Refusal](err)
	return !refused || refusal.Status >= 500 || refusal.Status == http.StatusTooManyRequests
}

// Begin begins a backfill and returns its id.
func (a *API) Begin(ctx context.Context, connector string) (id string, err error) {
	var begun struct {
		ID string `json:"id"`
	}
	err = a.call(ctx, http.MethodPost, "/crm/backfill", map[string]string{"connector": connector}, &begun)
	return begun.ID, err
}

// Last returns a CRM's last backfill, one without an id if there never was any.
func (a *API) Last(ctx context.Context, connector string) (Backfill, error) {
	var list struct {
		Backfills []Backfill `json:"backfills"`
	}
	err := a.call(ctx, http.MethodGet, "/crm/backfill?connector="+url.QueryEscape(connector), nil, &list)
	if err != nil || len(list.Backfills) == 0 {
		return Backfill{}, err
	}
	return list.Backfills[0], nil
}

// How often in a row the API may fail, or know nothing of the backfill, before nobody waits any longer.
const (
	mostFailures = 10
	mostUnbegun  = 60
)

var (
	errReplaced = errors.New("another backfill of this CRM was begun meanwhile")
	errUnbegun  = errors.New("it is queued, but hasn't begun: threadline doctor says what is wrong")
)

// Watch shows a backfill until it is over, asking every so often. An API that is out of reach for a while is asked again.
func (a *API) Watch(ctx context.Context, connector, id string, every time.Duration, show func(Backfill)) (Backfill, error) {
	failures, unbegun, seen := 0, 0, false
	for {
		b, err := a.Last(ctx, connector)
		switch {
		case ctx.Err() != nil:
			return b, ctx.Err()
		case err != nil:
			if failures++; failures > mostFailures || !passing(err) {
				return b, err
			}
		case b.ID != id:
			if unbegun++; seen {
				return b, errReplaced
			} else if unbegun > mostUnbegun {
				return b, errUnbegun
			}
		default:
			failures, seen = 0, true
			if show(b); b.Over() {
				return b, nil
			}
		}
		select {
		case <-ctx.Done():
			return b, ctx.Err()
		case <-time.After(every):
		}
	}
}

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

func (a *API) call(ctx context.Context, method, path string, body, out any) error {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.URL, "/")+path, content)
	if err != nil {
		return fmt.Errorf("ask the REST API: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+a.Key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := a.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("ask the REST API: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask the REST API: %w", err)
	}
	if resp.StatusCode >= 300 {
		var refused struct {
			Error struct{ Message string }
		}
		_ = json.Unmarshal(answer, &refused) // a gateway in between answers in another shape
		return &Refusal{resp.StatusCode, refused.Error.Message}
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("the REST API's answer isn't JSON: is %s its address, which ends with /api/v1?", a.URL)
	}
	return nil
}

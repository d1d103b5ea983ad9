package handler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/whatsapp"
)

// wire is the way to Meta: it answers every request the same, or fails before or after the request was written.
type wire struct {
	status  int
	body    string
	err     error
	written bool
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); w.written && trace != nil {
		trace.WroteHeaders()
	}
	if w.err != nil {
		return nil, w.err
	}
	return &http.Response{
		StatusCode: w.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(w.body)), Request: r,
	}, nil
}

// TestOutcomesOnTheWire: only an error object with a 4xx, or a request that was never written, is known not to be sent.
func TestOutcomesOnTheWire(t *testing.T) {
	const problem = `{"error":{"code":131026,"message":"(#131026) Message undeliverable"}}`
	for _, test := range []struct {
		name string
		wire wire
		want chat.Status
	}{
		{"accepted", wire{status: 200, body: `{"messages":[{"id":"wamid.1"}]}`, written: true}, chat.Accepted},
		{"garbage and 200", wire{status: 200, body: `<html>`, written: true}, chat.Unknown},
		{"no id and 200", wire{status: 200, body: `{"messages":[]}`, written: true}, chat.Unknown},
		{"an error and 400", wire{status: 400, body: problem, written: true}, chat.Failed},
		{"an error and 500", wire{status: 500, body: problem, written: true}, chat.Unknown},
		{"garbage and 400", wire{status: 400, body: `<html>`, written: true}, chat.Unknown},
		{"garbage and 502", wire{status: 502, body: `<html>`, written: true}, chat.Unknown},
		{"a rate limit", wire{status: 400, body: `{"error":{"code":130429}}`, written: true}, chat.Queued},
		{"a token", wire{status: 401, body: `{"error":{"code":190}}`, written: true}, chat.Queued},
		{"dropped", wire{err: io.ErrUnexpectedEOF, written: true}, chat.Unknown},
		{"never connected", wire{err: errors.New("connection refused")}, chat.Queued},
	} {
		r := newRig(t)
		r.h.Graph = &whatsapp.Client{
			Token: func(context.Context) (string, error) { return "token", nil }, HTTP: &http.Client{Transport: test.wire},
		}
		err := r.receive(text())
		if m := r.lookup("m_1"); m.Status != test.want || m.Send.Lease != "" {
			t.Errorf("%s: it is %s (%v)", test.name, m.Status, err)
		}
		if err != nil && strings.Contains(err.Error(), "34600111222") {
			t.Errorf("%s: the error names the customer: %v", test.name, err)
		}
	}
}

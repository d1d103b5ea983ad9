package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// Bounds of what a receiver may ask for.
const (
	maxRequests = 100   // in one call
	maxText     = 4_096 // characters: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
	maxShort    = 200   // characters of a name or a number
)

// aKey is what a request's id may be.
var aKey = regexp.MustCompile(`^[!-~]{1,200}$`)

// inbound is the body of a call to /crm/webhook/events.
type inbound struct {
	V        int       `json:"v"`
	Requests []request `json:"requests"`
}

type request struct {
	ID       string          `json:"id"`
	Contact  string          `json:"contact"`
	Key      string          `json:"key"`
	Phone    string          `json:"phone"`
	Text     string          `json:"text"`
	Template json.RawMessage `json:"template"`
	Actor    string          `json:"actor"`
	At       time.Time       `json:"at"`
}

// ParseInbound believes what is signed, and takes all of the requests or none.
func (c *Connector) ParseInbound(ctx context.Context, call crm.Call) (crm.Inbound, error) {
	secrets, err := c.secrets(ctx, "read requests")
	if err != nil {
		return crm.Inbound{}, err
	}
	if !believable(secrets, call.Header, call.Body, call.At) {
		return crm.Inbound{}, crm.ErrForged
	}
	if call.Method != http.MethodPost {
		return crm.Inbound{}, unreadable("POST_NEEDED")
	}
	var in inbound
	d := json.NewDecoder(bytes.NewReader(call.Body))
	d.DisallowUnknownFields() // a misspelt field is better refused than overlooked
	if err := d.Decode(&in); err != nil {
		return crm.Inbound{}, unreadable("BODY_NOT_AS_AGREED")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return crm.Inbound{}, unreadable("BODY_NOT_AS_AGREED")
	}
	if in.V != 1 || in.Requests == nil || len(in.Requests) > maxRequests {
		return crm.Inbound{}, unreadable("V_1_AND_AT_MOST_100_REQUESTS_NEEDED")
	}
	out := crm.Inbound{Status: http.StatusOK, ContentType: "application/json"}
	for _, r := range in.Requests {
		if reason := r.wrong(); reason != "" {
			return crm.Inbound{}, unreadable(reason)
		}
		out.Requests = append(out.Requests, r.request(call.At))
	}
	out.Answer, err = json.Marshal(struct {
		Accepted int `json:"accepted"`
	}{len(out.Requests)})
	return out, err
}

func unreadable(reason string) error {
	return &crm.Error{Class: crm.Refused, Op: "read requests", Status: http.StatusBadRequest, Reason: reason}
}

// wrong says what is wrong with a request; empty if nothing is.
func (r request) wrong() string {
	switch {
	case !aKey.MatchString(r.ID):
		return "ID_NEEDED"
	case r.Contact == "" && r.Key == "" && r.Phone == "":
		return "CONTACT_KEY_OR_PHONE_NEEDED"
	case r.Key != "" && (r.Contact != "" || r.Phone != ""):
		return "KEY_STANDS_ALONE"
	case r.Contact != "" && !aRef.MatchString(r.Contact), r.Key != "" && !aRef.MatchString(r.Key),
		len(r.Phone) > maxShort, utf8.RuneCountInString(r.Actor) > maxShort:
		return "FIELD_TOO_LONG"
	case (strings.TrimSpace(r.Text) == "") == (r.Template == nil):
		return "TEXT_OR_TEMPLATE_NEEDED"
	case utf8.RuneCountInString(r.Text) > maxText:
		return "TEXT_TOO_LONG"
	case r.Template != nil && !isTemplate(r.Template):
		return "TEMPLATE_NEEDS_NAME_AND_LANGUAGE"
	}
	return ""
}

// isTemplate tells whether a template can be named. The rest of it is judged by whoever sends it.
func isTemplate(raw json.RawMessage) bool {
	var t struct{ Name, Language string }
	return json.Unmarshal(raw, &t) == nil && t.Name != "" && t.Language != ""
}

func (r request) request(came time.Time) crm.Request {
	out := crm.Request{
		ID: r.ID, Contact: crm.ContactRef(r.Contact), Key: chat.ContactID(r.Key), Phone: r.Phone, Text: r.Text, Template: r.Template, Actor: r.Actor, At: r.At.UTC(),
	}
	if r.At.IsZero() {
		out.At = came.UTC()
	}
	return out
}

// Report tells the receiver what became of a request. One that has forgotten it needs no telling.
func (c *Connector) Report(ctx context.Context, r crm.Request, o crm.Outcome) error {
	_, err := c.put(ctx, "report on a request", document{
		Type: typeReport, Request: &reportPart{ID: r.ID, Sent: o.Problem == "", Unknown: o.Unknown, Problem: o.Problem},
	})
	if errors.Is(err, crm.ErrGone) {
		return nil
	}
	return err
}

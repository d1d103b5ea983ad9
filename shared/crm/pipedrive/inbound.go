package pipedrive

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
)

// event is a webhook of version 2. https://pipedrive.readme.io/docs/guide-for-webhooks-v2#webhook-format
type event struct {
	Meta struct {
		Action string  `json:"action"`
		Entity string  `json:"entity"`
		ID     looseID `json:"entity_id"`
		Source string  `json:"change_source"` // app or api
	} `json:"meta"`
	Data json.RawMessage `json:"data"`
}

// ParseInbound reads a webhook. Pipedrive doesn't sign: the name and password that it was given are all the proof. A note
// made through the API is none of a person's, ours in the first place.
func (c *Connector) ParseInbound(ctx context.Context, call crm.Call) (crm.Inbound, error) {
	if err := c.verify(ctx, call); err != nil {
		return crm.Inbound{}, err
	}
	const op = "read webhook"
	var e event
	if json.Unmarshal(call.Body, &e) != nil {
		return crm.Inbound{}, &crm.Error{Class: crm.Refused, Op: op, Reason: "NOT_JSON"}
	}
	if e.Meta.Entity != "note" || e.Meta.Action != "create" && e.Meta.Action != "change" || e.Meta.Source == "api" {
		return crm.Inbound{}, nil
	}
	var n note
	_ = json.Unmarshal(e.Data, &n) // what it doesn't say is asked for
	if n.ID, _ = strconv.ParseInt(string(e.Meta.ID), 10, 64); n.ID == 0 || n.Content == "" {
		return crm.Inbound{Fetch: true}, nil // the API shows it; ten calls that are refused, and Pipedrive stops calling
	}
	r, ok := n.request(call.At)
	if !ok {
		return crm.Inbound{}, nil
	}
	return crm.Inbound{Requests: []crm.Request{r}}, nil
}

// verify compares hashes, so that the time it takes says nothing about the password.
func (c *Connector) verify(ctx context.Context, call crm.Call) error {
	password, err := c.hookPassword(ctx)
	if e, ok := errors.AsType[*crm.Error](err); ok && e.Class == crm.Stopped {
		return fmt.Errorf("no password is set for webhooks: %w", crm.ErrForged)
	}
	if err != nil {
		return err
	}
	r := http.Request{Header: call.Header}
	gotUser, gotPassword, _ := r.BasicAuth()
	user := sha256.Sum256([]byte(gotUser))
	pass := sha256.Sum256([]byte(gotPassword))
	wantUser := sha256.Sum256([]byte(c.config.HookUser))
	wantPass := sha256.Sum256([]byte(password))
	if subtle.ConstantTimeCompare(user[:], wantUser[:])&subtle.ConstantTimeCompare(pass[:], wantPass[:]) != 1 {
		return fmt.Errorf("basic authentication: %w", crm.ErrForged)
	}
	return nil
}

var isNumber = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// command begins a note that is to be sent.
const command = "/wa"

// asksFor begins the ref of a note that somebody wrote to have a message sent.
const asksFor = "asks/"

// request reads what a note wants to be sent. One note is one message, however often it is edited: its id is the
// request's. A note that carries the reference we put on it has been dealt with. One that shows an entry of ours, because
// somebody wrote above it or copied it, would send the customer's own words back, and is none.
func (n note) request(otherwise time.Time) (crm.Request, bool) {
	if n.ID == 0 || n.deleted() || strings.Contains(n.Content, asked(n.ID)) {
		return crm.Request{}, false
	}
	said := plain(n.Content)
	if len(said) <= len(command) || !strings.EqualFold(said[:len(command)], command) || anyMark.MatchString(said) {
		return crm.Request{}, false
	}
	said = said[len(command):]
	words := strings.TrimSpace(said)
	if words == "" || strings.TrimLeft(said, " \n\t\u00a0") == said {
		return crm.Request{}, false // "/wait" is no command
	}
	at := when(n.Added)
	if changed := when(n.Updated); changed.After(at) {
		at = changed
	}
	if at.IsZero() {
		at = otherwise
	}
	person := crm.ContactRef(n.Person)
	if !isNumber.MatchString(string(n.Person)) {
		person = "" // the note is on a deal or an organization only
	}
	return crm.Request{
		ID: "note/" + text(n.ID), Contact: person, Text: words, Actor: n.User.Name, At: at,
		Entry: crm.EntryRef(asksFor + text(n.ID)),
	}, true
}

// asked is our reference on a note that somebody else wrote.
func asked(noteID int64) string { return reference("note " + text(noteID)) }

// when reads a time in the form of API v1 or v2; the zero time if it is neither.
func when(s string) time.Time {
	for _, form := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// looseID is a number, or a yes or no, that Pipedrive writes as one, or as a string, or leaves out.
type looseID string

func (i *looseID) UnmarshalJSON(b []byte) error {
	if *i = looseID(strings.Trim(string(b), `"`)); *i == "null" {
		*i = ""
	}
	return nil
}

package salesforce

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"threadline/shared/crm"
)

// outboundObject is where people queue what is to be sent, in an org with the metadata.
const outboundObject = "WA_Outbound__c"

// maxProblem is how long Problem__c may be.
const maxProblem = 255

// maxQueued is how much of the queue is read at once; what is reported leaves room for the rest.
const maxQueued = "500"

// maxUntold is how many records may refuse to say why they can't be sent, before the rest is left for the next reading.
const maxUntold = 5

// outbound is a message that somebody queued.
type outbound struct {
	ID, CreatedDate string
	Contact         string `json:"Contact__c"`
	Text            string `json:"Text__c"`
	Template        string `json:"Template__c"`
	CreatedBy       *struct{ Name string }
	Record          *struct{ MobilePhone, Phone string } `json:"Contact__r"`
}

// queuedFor is how long a message may be queued: what Threadline knows of it is kept for longer, so that one whose status
// nobody lets us change isn't sent a second time.
const queuedFor = 14 * 24 * time.Hour

// FetchOutbound reads what is queued. The cursor is where it began: what was reported isn't queued any more, and what
// was written while we read isn't missed. What can't be sent is said on the record; where that isn't let be it is said with
// the next reading, and the others go on.
func (c *Connector) FetchOutbound(ctx context.Context, since string) ([]crm.Request, string, error) {
	if since == "" {
		return nil, moment(c.config.Now()), nil
	}
	from, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return nil, "", &crm.Error{Class: crm.Refused, Op: "read cursor", Reason: "NOT_A_TIME"}
	}
	if oldest := c.config.Now().Add(-queuedFor); from.Before(oldest) {
		from = oldest
	}
	l, err := c.layoutOf(ctx)
	if err != nil || !l.metadata {
		return nil, since, err
	}
	rows, err := query[outbound](ctx, c, "read queued messages", outboundObject, queryPath(
		"SELECT Id, Contact__c, Contact__r.MobilePhone, Contact__r.Phone, Text__c, Template__c, CreatedDate, CreatedBy.Name FROM "+
			outboundObject+" WHERE Status__c = 'Queued' AND CreatedDate >= "+moment(from)+" ORDER BY CreatedDate, Id LIMIT "+maxQueued))
	if err != nil {
		return nil, since, err
	}
	var requests []crm.Request
	untold := 0
	for _, row := range rows {
		r, problem := row.request()
		switch {
		case problem == "":
			requests = append(requests, r)
		case untold < maxUntold && c.Report(ctx, r, crm.Outcome{Problem: problem}) != nil:
			untold++
		}
	}
	return requests, since, nil
}

// request reads a row; problem says in words why it can't be sent.
func (o outbound) request() (r crm.Request, problem string) {
	r = crm.Request{ID: long(o.ID), Contact: crm.ContactRef(long(o.Contact)), Text: lines(o.Text)}
	if o.Record != nil {
		r.Phone = cmp.Or(o.Record.MobilePhone, o.Record.Phone)
	}
	if o.CreatedBy != nil {
		r.Actor = o.CreatedBy.Name
	}
	r.At, _ = time.Parse("2006-01-02T15:04:05.000-0700", o.CreatedDate)
	template, ok := object(json.RawMessage(o.Template))
	switch {
	case !ok:
		return r, "Not sent: the template isn't a JSON object."
	case template == nil && strings.TrimSpace(r.Text) == "":
		return r, "Not sent: there is neither a text nor a template."
	case template != nil:
		r.Text, r.Template = "", template
	}
	return r, ""
}

// Report writes the outcome on the queued message. A request of another kind is answered by the entry on the timeline
// if it was sent or may have been, and by a task on the contact if it wasn't.
func (c *Connector) Report(ctx context.Context, r crm.Request, o crm.Outcome) error {
	l, err := c.layoutOf(ctx)
	if err != nil {
		return err
	}
	if l.metadata && isID(r.ID) {
		status := "Sent"
		switch {
		case o.Unknown:
			status = "Unknown"
		case o.Problem != "":
			status = "Failed"
		}
		err := c.patch(ctx, "report outcome", outboundObject, r.ID, map[string]any{"Status__c": status, "Problem__c": shorten(o.Problem, maxProblem)})
		if !errors.Is(err, crm.ErrGone) {
			return err
		}
	}
	if o.Problem == "" || o.Unknown || r.Contact == "" {
		return nil
	}
	return c.reportTask(ctx, l, r, o.Problem)
}

// reportTask makes a task once that says why nothing was sent.
func (c *Connector) reportTask(ctx context.Context, l layout, r crm.Request, problem string) error {
	contact, err := contactID(r.Contact)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte("report " + r.ID))
	key := hex.EncodeToString(sum[:20])
	_, there, err := c.findTask(ctx, contact, r.At, key)
	if withoutTasks(l, err) {
		return &crm.Error{Class: crm.Stopped, Op: "report outcome", Status: http.StatusOK, Reason: "NO_RIGHT_TO_TASKS", Scopes: []string{taskObject}}
	}
	if there || err != nil {
		return err
	}
	_, err = c.insert(ctx, "report outcome", taskObject, map[string]any{
		"WhoId": contact, "Status": l.done, "ActivityDate": day(r.At),
		"Subject":     "WhatsApp · not sent",
		"Description": shorten(problem, 1000) + "\n\n" + marker + key,
	})
	return c.whereabouts(ctx, contact, err)
}

package handler

import (
	"net/http"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/route"
	"threadline/shared/store"
)

// Whether what is stored is in the CRMs too, and how what was stored before gets there.

// attention is the section of the runbook for what a person has to look at.
const attention = "attention-needed"

// findingView says how things stand with a conversation's messages of an hour in a CRM.
type findingView struct {
	Connector    string              `json:"connector"`
	Conversation chat.ConversationID `json:"conversation"`
	Hour         time.Time           `json:"hour"`
	State        store.Verdict       `json:"state"`
	Stored       int                 `json:"stored"`
	Synced       int                 `json:"synced"`
	Missing      int                 `json:"missing"`
	Waiting      int                 `json:"waiting"`
	Refused      int                 `json:"refused"`
	Repaired     int                 `json:"repaired"`
	Reason       string              `json:"reason,omitempty"`
	Since        time.Time           `json:"since"`
	Checked      time.Time           `json:"checked"`
	Runbook      string              `json:"runbook,omitempty"`
}

func viewFinding(f store.Finding) findingView {
	v := findingView{
		Connector: f.Connector, Conversation: f.Conversation, Hour: f.Hour, State: f.Verdict,
		Stored: f.Stored, Synced: f.Synced, Missing: f.Missing, Waiting: f.Waiting, Refused: f.Refused, Repaired: f.Repaired,
		Reason: f.Reason, Since: f.Since, Checked: f.Checked,
	}
	if f.Refused > 0 || f.Overdue() {
		v.Runbook = attention
	}
	return v
}

// listReconciliation lists what wasn't complete in a CRM when it was compared, the latest hour first.
func (a *API) listReconciliation(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := pageSize(q.Get("limit"))
	if err != nil {
		return err
	}
	f := store.FindingFilter{Connector: q.Get("connector"), Verdict: store.Verdict(q.Get("state"))}
	switch f.Verdict {
	case "", store.Missing, store.Waiting, store.Refused, store.Repaired, store.Complete:
	default:
		return invalid("state", "use missing, waiting, refused, repaired or complete")
	}
	if day := q.Get("day"); day != "" {
		if f.Day, err = time.Parse(time.DateOnly, day); err != nil {
			return invalid("day", "use a day in UTC, such as 2026-03-02")
		}
	}
	so, err := a.Store.Reconciliation(r.Context())
	if err != nil {
		return err
	}
	found, next, err := a.Store.AllFindings(r.Context(), f, q.Get("cursor"), limit)
	if err != nil {
		return err
	}
	views := make([]findingView, len(found))
	for i, f := range found {
		views[i] = viewFinding(f)
	}
	p := page("reconciliation", views, next)
	if through := so.Through(); !through.IsZero() {
		p["compared_through"] = through
	}
	return httpapi.JSON(w, http.StatusOK, p)
}

// The hours that one request may have compared, and how many it has if it doesn't say.
const (
	mostHours  = 168
	usualHours = 24
)

// reconcile has the last hours compared now, the present one included.
func (a *API) reconcile(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Hours *int `json:"hours"`
	}
	if err := httpapi.Decode(r, &body); err != nil {
		return err
	}
	c := route.Command{Command: route.Reconcile, Hours: usualHours}
	if body.Hours != nil {
		c.Hours = *body.Hours
	}
	if c.Hours < 1 || c.Hours > mostHours {
		return invalid("hours", "use a number from 1 to 168")
	}
	if len(a.Connectors) == 0 {
		return chat.E(chat.Conflict, "no CRM is connected", nil)
	}
	return a.begin(w, r, c)
}

// backfill has everything that is stored brought into a CRM. What is there already is passed over.
func (a *API) backfill(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Connector string `json:"connector"`
	}
	if err := httpapi.Decode(r, &body); err != nil {
		return err
	}
	if body.Connector == "" {
		return invalid("connector", "name the CRM")
	}
	if !slices.Contains(a.Connectors, body.Connector) {
		return chat.E(chat.Conflict, "this CRM isn't connected: add it to CrmConnector first", nil)
	}
	return a.begin(w, r, route.Command{Command: route.Backfill, Connector: body.Connector})
}

// begin queues what the router is to begin.
func (a *API) begin(w http.ResponseWriter, r *http.Request, c route.Command) error {
	a.name(r, &c)
	c.At = a.now().UTC().Truncate(time.Millisecond)
	return a.command(w, r, c)
}

// backfillView says how far everything is brought into a CRM.
type backfillView struct {
	ID            string             `json:"id"`
	Connector     string             `json:"connector"`
	State         string             `json:"state"` // counting, running, done or stopped
	Since         time.Time          `json:"since"`
	Ended         *time.Time         `json:"ended,omitempty"`
	Conversations conversationsCount `json:"conversations"`
	Messages      int                `json:"messages"` // brought, of the conversations that are done
	Why           string             `json:"why,omitempty"`
}

type conversationsCount struct {
	Found   int `json:"found"`
	Done    int `json:"done"`
	GivenUp int `json:"given_up,omitempty"`
}

func viewBackfill(b store.Backfill) backfillView {
	v := backfillView{
		ID: b.ID, Connector: b.Connector, State: "running", Since: b.Since, Ended: some(b.Ended),
		Conversations: conversationsCount{b.Found, b.Finished, b.GivenUp}, Messages: b.Fed, Why: b.Stopped,
	}
	switch {
	case b.Stopped != "":
		v.State = "stopped"
	case !b.Running():
		v.State = "done"
	case !b.Counted:
		v.State = "counting"
	}
	return v
}

// listBackfills lists the last backfill of each connected CRM, or of the one that is named.
func (a *API) listBackfills(w http.ResponseWriter, r *http.Request) error {
	connectors := a.Connectors
	if c := r.URL.Query().Get("connector"); c != "" {
		connectors = []string{c}
	}
	views := []backfillView{}
	for _, c := range connectors {
		b, err := a.Store.Backfill(r.Context(), c)
		if err != nil {
			return err
		}
		if b.ID != "" {
			views = append(views, viewBackfill(b))
		}
	}
	return httpapi.JSON(w, http.StatusOK, page("backfills", views, ""))
}

package hubspot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Report lets the workflow go on that waits for the request, with the problem as an output of the action. Where none
// waits, HubSpot was told SUCCESS when the request came, and a problem is a note on the contact; what is unknown stands on
// the message's entry, where it is corrected.
func (c *Connector) Report(ctx context.Context, r crm.Request, o crm.Outcome) error {
	if id, waits := strings.CutPrefix(r.ID, waiting); waits {
		return c.complete(ctx, id, o.Problem)
	}
	if o.Problem == "" || o.Unknown {
		return nil
	}
	err := c.noteProblem(ctx, r, o.Problem)
	if moved, ok := errors.AsType[*crm.Moved](err); ok {
		r.Contact = moved.To
		err = c.noteProblem(ctx, r, o.Problem)
	}
	return err
}

// complete ends the wait of a workflow. One that waits no longer is left alone.
func (c *Connector) complete(ctx context.Context, id, problem string) error {
	outputs := map[string]string{"hs_execution_state": "SUCCESS"}
	if problem != "" {
		outputs = map[string]string{"hs_execution_state": "FAIL_CONTINUE", "problem": problem}
	}
	path := "/automation/actions/callbacks/" + c.version + "/" + url.PathEscape(id) + "/complete"
	err := c.call(ctx, "complete workflow action", http.MethodPost, path,
		map[string]any{"outputFields": outputs, "typedOutputs": map[string]string{}}, nil)
	if rest.HasStatus(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// noteProblem makes a note once that says why nothing was sent.
func (c *Connector) noteProblem(ctx context.Context, r crm.Request, problem string) error {
	about, err := c.about(ctx, notes)
	if errors.Is(err, crm.ErrNotProvisioned) { // Provision makes the key of notes only where those carry the files
		if _, err = c.provisionMessages(ctx, notes); err == nil {
			about, err = c.about(ctx, notes)
		}
	}
	if err != nil {
		return err
	}
	n, found := c.problemNote(r, problem), false
	if about.mode != keyed { // HubSpot would take a second one
		_, found, err = c.find(ctx, n)
	}
	if err == nil && !found {
		_, _, err = c.createNote(ctx, r.Contact, n)
	}
	return afterLag(err, about.mode)
}

// problemNote is a note whose key is that of the request.
func (c *Connector) problemNote(r crm.Request, problem string) record {
	sum := sha256.Sum256([]byte("report " + r.ID))
	key := hex.EncodeToString(sum[:20])
	about := r.Actor
	if r.Text != "" {
		about += ": " + r.Beginning()
	}
	body := "<p><strong>WhatsApp · not sent</strong></p><p>" + escape(problem) + "</p><p><em>" + escape(about) + "</em></p>"
	if c.isMarked(notes) {
		body += "<p>Ref. " + marker(key) + "</p>"
	}
	return record{
		kind:        notes,
		key:         key,
		association: noteToContact,
		body:        "hs_note_body",
		properties:  map[string]string{"hs_note_body": body, "hs_timestamp": r.At.UTC().Format(timestamp)},
	}
}

func escape(text string) string { return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") }

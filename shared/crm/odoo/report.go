package odoo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"html"
	"strings"

	"threadline/shared/crm"
)

// Report says below the message what became of it. Why it wasn't sent is said in a note of its own too, which is where the
// chatter shows what is new.
func (c *Connector) Report(ctx context.Context, r crm.Request, o crm.Outcome) error {
	const op = "report"
	outcome := "Sent."
	switch {
	case o.Unknown:
		outcome = o.Problem
	case o.Problem != "":
		outcome = "Not sent."
		if r.Several() {
			outcome = "Not all of it was sent."
		}
		if err := c.noteProblem(ctx, op, r, o.Problem); err != nil {
			return err
		}
	}
	number, theirs := strings.CutPrefix(string(r.Entry), chatterRef)
	if !theirs {
		return nil
	}
	return c.annotate(ctx, op, recordID(crm.EntryRef(number)), []string{outcome}, nil)
}

func (c *Connector) noteProblem(ctx context.Context, op string, r crm.Request, problem string) error {
	body := "<p><strong>WhatsApp</strong></p><p>" + strings.ReplaceAll(html.EscapeString(problem), "\n", "<br>") + "</p>"
	if r.Text != "" {
		body += "<p><em>" + html.EscapeString(r.Beginning()) + "</em></p>"
	}
	sum := sha256.Sum256([]byte(r.ID))
	id, again, err := c.putNote(ctx, note(op, recordID(r.Contact), fmt.Sprintf("report_%x", sum[:20]), body))
	if again {
		err = c.rewrite(ctx, op, id, body, nil)
	}
	return err
}

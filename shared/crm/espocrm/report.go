package espocrm

import (
	"context"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// Report says on the record itself why it wasn't sent, or that nobody knows: there whoever made it looks for it. One that
// was sent looks like those that we make, and has a key like them, by which it isn't asked for again.
func (c *Connector) Report(ctx context.Context, r crm.Request, o crm.Outcome) error {
	with := map[string]any{"status": unsent(r, o)}
	if o.Problem == "" {
		sent := crm.Message{Direction: chat.Out, Author: r.Actor, Text: r.Text}
		if sent.Text == "" && len(r.Files) > 0 {
			sent.Text = r.Files[0].Name
		}
		with = map[string]any{
			"name": nameOf(crm.Entry{Messages: []crm.Message{sent}}), "dateSent": r.At.UTC().Format(datetime),
			"status": string(chat.Sent), keyField: "request_" + r.ID,
		}
	}
	return gone(c.update(ctx, opReport, messageType, r.ID, with))
}

// maxStatus is the length of the field status, in characters.
const maxStatus = 255

// unsent is a problem on one line, as a list shows it.
func unsent(r crm.Request, o crm.Outcome) string {
	line := strings.ReplaceAll(o.Problem, "\n", " · ")
	if r.Several() && !o.Unknown {
		line = "Not all of it was sent: " + line
	}
	status := []rune(line)
	return string(status[:min(len(status), maxStatus)])
}

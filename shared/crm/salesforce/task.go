package salesforce

import (
	"context"
	"errors"
	"strings"
	"time"

	"threadline/shared/crm"
)

// Where the metadata isn't deployed, an entry is a completed task. A task has no field for a key that a query could
// compare: CallObject is there with a call center only, and a query can't filter by Description. The key is the
// description's last line, and the tasks of one contact on one day are few enough to be read.
const (
	taskObject = "Task"
	maxSubject = 255
	maxText    = 32000
	marker     = "Threadline "
)

// task are the values of a task that may change. A task has a day only: its text begins with the time.
func task(e crm.Entry) map[string]any {
	heading := "WhatsApp · " + crm.Heading(e, e.Messages[0])
	if len(e.Messages) > 1 {
		heading = "WhatsApp · conversation"
	}
	head, tail := e.At.UTC().Format("2006-01-02 15:04 UTC")+"\n", "\n\n"+marker+e.Key
	return map[string]any{
		"Subject":     shorten(heading, maxSubject),
		"Description": head + fitted(e, maxText-len(head)-len(tail)-strings.Count(head+tail, "\n")) + tail,
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// withoutTasks tells whether an error says that tasks, or fields of theirs, aren't for the user. With the metadata that is
// no reason to stop: who doesn't see tasks has made none.
func withoutTasks(l layout, err error) bool {
	return l.metadata && (reason(err) == invalidType || errors.Is(err, crm.ErrNotProvisioned))
}

// findTask looks for the task with the key on a contact. Completed tasks are archived after a while, out of sight of an
// ordinary query.
func (c *Connector) findTask(ctx context.Context, contact string, at time.Time, key string) (id string, ok bool, err error) {
	rows, err := query[struct{ ID, Description string }](ctx, c, "find task", taskObject,
		queryAllPath("SELECT Id, Description FROM Task WHERE WhoId = "+literal(contact)+" AND ActivityDate = "+day(at)+" AND IsDeleted = FALSE"))
	if err != nil {
		return "", false, err
	}
	for _, row := range rows {
		if strings.HasSuffix(strings.TrimSpace(row.Description), "\n"+marker+key) {
			return long(row.ID), true, nil
		}
	}
	return "", false, nil
}

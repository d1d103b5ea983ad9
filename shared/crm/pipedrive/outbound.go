package pipedrive

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"threadline/shared/crm"
)

// overlap is how far back each question goes beyond the newest change that is known: changes may become visible out of
// order.
const overlap = time.Minute

// FetchOutbound asks for the notes that changed since the cursor, a time: webhooks get lost while they are banned, and
// for good after four attempts. It costs 20 tokens.
func (c *Connector) FetchOutbound(ctx context.Context, since string) ([]crm.Request, string, error) {
	o := operation{"list recent notes", http.MethodGet, recents}
	from := when(since)
	if from.IsZero() {
		return nil, c.config.Now().UTC().Format(time.DateTime), nil
	}
	newest := from
	var requests []crm.Request
	for page := range pageLimit {
		q := url.Values{
			"since_timestamp": {from.Format(time.DateTime)}, "items": {"note"}, "limit": {text(pageSize)}, "start": {text(int64(page) * pageSize)},
		}
		var items []struct {
			Item string `json:"item"`
			Data note   `json:"data"`
		}
		answer, err := c.call(ctx, o, "/v1/recents?"+q.Encode(), nil, &items)
		if err != nil {
			return nil, since, err
		}
		for _, i := range items {
			if changed := when(i.Data.Updated).Add(-overlap); changed.After(newest) {
				newest = changed
			}
			if r, ok := i.Data.request(c.config.Now()); ok && i.Item == "note" {
				requests = append(requests, r)
			}
		}
		if !answer.more() {
			break
		}
	}
	slices.SortStableFunc(requests, func(a, b crm.Request) int { return a.At.Compare(b.At) })
	return requests, newest.Format(time.DateTime), nil
}

// Report writes on the note what became of it, below the words of whoever wrote it.
func (c *Connector) Report(ctx context.Context, r crm.Request, became crm.Outcome) error {
	o := operation{"report on note", http.MethodPut, writeContacts}
	asking, _ := strings.CutPrefix(string(r.Entry), asksFor)
	id, err := number(o, asking)
	if err != nil {
		return err
	}
	return c.tell(ctx, id, cmp.Or(became.Problem, "Sent."))
}

// tell replaces what we said on somebody's note. It leaves the rest alone.
func (c *Connector) tell(ctx context.Context, id int64, words string) error {
	o := operation{"read note", http.MethodGet, readContacts}
	var n note
	_, err := c.call(ctx, o, notesPath+"/"+text(id), nil, &n)
	if missing(err) || err == nil && n.deleted() {
		return gone(o)
	}
	if err != nil {
		return err
	}
	told := withOutcome(n.Content, id, words)
	if told == n.Content {
		return nil
	}
	return c.putNote(ctx, operation{"report on note", http.MethodPut, writeContacts}, id, told)
}

// outcome is what an entry says about its message: our own words on it, or else its status.
func outcome(e crm.Entry) string {
	var words []string
	for _, m := range e.Messages {
		said := strings.TrimSpace(m.Note)
		if said == "" && m.Status != "" {
			said = strings.ToUpper(string(m.Status[:1])) + string(m.Status[1:]) + "."
		}
		if said != "" {
			words = append(words, said)
		}
	}
	return strings.Join(words, " ")
}

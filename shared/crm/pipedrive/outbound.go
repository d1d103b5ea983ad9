package pipedrive

import (
	"cmp"
	"context"
	"errors"
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

// FetchOutbound asks for the notes that changed since the cursor, a time: webhooks get lost while they are banned, and for
// good after four attempts. It costs 20 tokens for each 100 notes.
func (c *Connector) FetchOutbound(ctx context.Context, since string) ([]crm.Request, string, error) {
	from := when(since)
	if from.IsZero() {
		return nil, c.config.Now().UTC().Format(time.DateTime), nil
	}
	var requests []crm.Request
	last, more, err := c.changedNotes(ctx, from, func(n note) {
		// A webhook says that somebody copied a note by hand, with what we said on it. Here it may be a program that moves all notes
		// of old.
		if r, ok := n.request(c.config.Now()); ok && !anyMark.MatchString(n.Content) {
			requests = append(requests, r)
		}
	})
	if err != nil {
		return nil, since, err
	}
	slices.SortStableFunc(requests, func(a, b crm.Request) int { return a.At.Compare(b.At) })
	next := last.Add(-overlap)
	if more { // thousands in a minute are an import: who goes back reads them again for ever
		next, from = last, from.Add(time.Second)
	}
	if next.Before(from) {
		next = from
	}
	return requests, next.Format(time.DateTime), nil
}

// changedNotes reads notes that changed since a time, the ones that changed first, and returns when the last one of them did.
func (c *Connector) changedNotes(ctx context.Context, since time.Time, read func(note)) (last time.Time, more bool, err error) {
	o := operation{"list changed notes", http.MethodGet, readContacts}
	last, more = since, true
	for page, start := 0, int64(0); more && page < pageLimit; page++ {
		q := url.Values{
			"updated_since": {since.Format(time.RFC3339)}, "sort": {"update_time ASC"}, "limit": {text(pageSize)}, "start": {text(start)},
		}
		var notes []note
		answer, err := c.call(ctx, o, notesPath+"?"+q.Encode(), nil, &notes)
		if err != nil {
			return last, false, err
		}
		more = answer.more()
		for _, n := range notes {
			read(n)
			if changed := when(n.Updated); changed.After(last) {
				last = changed
			}
		}
		// The next page is what changed since the end of this one: a note that changes meanwhile moves to the end, and by their
		// number another one would be passed over.
		if start += pageSize; last.After(since) {
			since, start = last, 0
		}
	}
	return last, more, nil
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
	err = c.putNote(ctx, operation{"report on note", http.MethodPut, writeContacts}, id, told)
	if e, ok := errors.AsType[*crm.Error](err); ok && e.Reason == firewalled {
		e.Class = crm.Refused // its writer's words would be refused tomorrow as well, and whatever was asked for since waits
	}
	return err
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

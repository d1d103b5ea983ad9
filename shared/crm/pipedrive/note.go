package pipedrive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"threadline/shared/crm"
)

// maxNote is how long a note may be, in bytes. https://developers.pipedrive.com/docs/api/v1/Notes
const maxNote = 100_000

const notesPath = "/v1/notes"

// note is a note as API v1 gives it.
type note struct {
	ID      int64   `json:"id"`
	Active  looseID `json:"active_flag"` // false: deleted
	Content string  `json:"content"`
	Person  looseID `json:"person_id"`
	Added   string  `json:"add_time"`
	Updated string  `json:"update_time"`
	User    struct {
		Name string `json:"name"`
	} `json:"user"`
}

func (n note) deleted() bool { return n.Active == "false" || n.Active == "0" }

// UnmarshalJSON leaves out a field of another type than is documented. The others count, and so do the notes that are listed
// beside this one.
func (n *note) UnmarshalJSON(b []byte) error {
	type fields note
	err := json.Unmarshal(b, (*fields)(n))
	if _, odd := errors.AsType[*json.UnmarshalTypeError](err); odd {
		return nil
	}
	return err
}

// mark is the line by which we know a thing again. 64 bits are unique among what one person has.
func mark(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "tl" + hex.EncodeToString(sum[:8])
}

func reference(key string) string { return "Ref. " + mark(key) }

// content is the HTML of an entry of ours: the messages, the names of the files, and our reference.
func content(e crm.Entry, files []crm.FileRef) string {
	var end strings.Builder
	for _, f := range files {
		if name := nameIn(f); name != "" {
			end.WriteString("<p>File: " + html.EscapeString(name) + "</p>")
		}
	}
	end.WriteString("<p>" + reference(e.Key) + "</p>")
	room := maxNote - end.Len()
	units := room
	for {
		body := crm.HTML(e, units)
		if len(body) <= room || units < 1000 {
			return body + end.String()
		}
		units = units * room / len(body) // a character may be four bytes
	}
}

// PutMessage makes a note that is dated as the message, on a person that is alive.
func (c *Connector) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (crm.EntryRef, error) {
	o := operation{"create note", http.MethodPost, writeContacts}
	person, err := c.alive(ctx, o, on)
	if err != nil {
		return "", err
	}
	in := map[string]any{"content": content(e, files), "person_id": person, "add_time": e.At.UTC().Format(time.DateTime)}
	var made note
	if _, err := c.call(ctx, o, notesPath, in, &made); err != nil {
		if missing(err) {
			return "", gone(o)
		}
		return "", err
	}
	if made.ID == 0 {
		return "", noResult(o)
	}
	return crm.EntryRef(text(made.ID)), nil
}

// pageSize is how many notes or changes are read at once; pageLimit how often.
const (
	pageSize  = 100
	pageLimit = 50
)

// FindMessage reads the person's notes of the days around the message and looks for our reference.
func (c *Connector) FindMessage(ctx context.Context, on crm.ContactRef, e crm.Entry) (crm.EntryRef, bool, error) {
	o := operation{"list notes", http.MethodGet, readContacts}
	person, err := number(o, on)
	if err != nil {
		return "", false, err
	}
	// A day more on each side: in whose time zone the days are isn't said.
	day := e.At.UTC()
	q := url.Values{
		"person_id": {text(person)}, "limit": {text(pageSize)}, "sort": {"add_time DESC"},
		"start_date": {day.AddDate(0, 0, -1).Format(time.DateOnly)}, "end_date": {day.AddDate(0, 0, 2).Format(time.DateOnly)},
	}
	for page := range pageLimit {
		q.Set("start", text(int64(page)*pageSize))
		var notes []note
		answer, err := c.call(ctx, o, notesPath+"?"+q.Encode(), nil, &notes)
		if missing(err) {
			return "", false, gone(o)
		}
		if err != nil {
			return "", false, err
		}
		for _, n := range notes {
			if !n.deleted() && strings.Contains(n.Content, reference(e.Key)) {
				return crm.EntryRef(text(n.ID)), true, nil
			}
		}
		if !answer.more() {
			return "", false, nil
		}
	}
	return "", false, &crm.Error{Class: crm.Transient, Op: o.name, Status: http.StatusOK, Reason: "TOO_MANY_NOTES"}
}

// UpdateMessage writes the note anew. A note that somebody wrote to ask for the message keeps their words, and tells
// what became of it.
func (c *Connector) UpdateMessage(ctx context.Context, _ crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	o := operation{"update note", http.MethodPut, writeContacts}
	if asked, ok := strings.CutPrefix(string(ref), asksFor); ok {
		id, err := number(o, asked)
		if err != nil {
			return err
		}
		if words := outcome(to); words != "" {
			return c.tell(ctx, id, words)
		}
		return nil
	}
	id, err := number(o, ref)
	if err != nil {
		return err
	}
	return c.putNote(ctx, o, id, content(to, files))
}

func (c *Connector) putNote(ctx context.Context, o operation, id int64, content string) error {
	var now note
	_, err := c.call(ctx, o, notesPath+"/"+text(id), map[string]any{"content": content}, &now)
	if missing(err) || err == nil && now.deleted() {
		return gone(o)
	}
	return err
}

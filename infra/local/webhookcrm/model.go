package webhookcrm

import "time"

// contact is a record.
type contact struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
	Merged  string `json:"merged,omitempty"` // the contact that this one was merged into

	// Threadline's fields.
	Key       string `json:"key,omitempty"`
	WhatsApp  string `json:"wa_id,omitempty"`
	Username  string `json:"username,omitempty"`
	BSUID     string `json:"bsuid,omitempty"`
	Marketing string `json:"marketing,omitempty"`
}

// entry is something on a contact's timeline.
type entry struct {
	ID      string    `json:"id"`
	Key     string    `json:"key"` // Threadline's
	Contact string    `json:"contact"`
	At      time.Time `json:"at"`
	HTML    string    `json:"html"`
	Status  string    `json:"status,omitempty"` // of the last message that the company sent
	Deleted bool      `json:"deleted,omitempty"`
}

// file is attached to an entry; its bytes are with the journal.
type file struct {
	ID      string    `json:"id"`
	Key     string    `json:"key"` // Threadline's
	Entry   string    `json:"entry"`
	Name    string    `json:"name"`
	MIME    string    `json:"mime"`
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Changed time.Time `json:"changed"`
	Blob    string    `json:"blob"`
}

// request is what the CRM's user asked to be sent.
type request struct {
	ID      string    `json:"id"`
	Contact string    `json:"contact"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
	Settled bool      `json:"settled,omitempty"` // Threadline reported on it
	Problem string    `json:"problem,omitempty"` // why it wasn't sent
}

func (c *contact) id() string { return c.ID }
func (e *entry) id() string   { return e.ID }
func (f *file) id() string    { return f.ID }
func (r *request) id() string { return r.ID }

// table holds things of one kind in the order in which they were made.
type table[T interface{ id() string }] struct {
	rows []T
	at   map[string]int
}

func (t *table[T]) set(row T) {
	if i, there := t.at[row.id()]; there {
		t.rows[i] = row
		return
	}
	if t.at == nil {
		t.at = map[string]int{}
	}
	t.at[row.id()] = len(t.rows)
	t.rows = append(t.rows, row)
}

// find returns the newest row that fits; ok is false if there is none.
func (t *table[T]) find(fits func(T) bool) (row T, ok bool) {
	for i := len(t.rows) - 1; i >= 0; i-- {
		if fits(t.rows[i]) {
			return t.rows[i], true
		}
	}
	return row, false
}

func (t *table[T]) get(id string) (row T, ok bool) {
	i, ok := t.at[id]
	if !ok {
		return row, false
	}
	return t.rows[i], true
}

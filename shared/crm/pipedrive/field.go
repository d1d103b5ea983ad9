package pipedrive

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// The custom fields of ours on persons, by the names that users see. Pipedrive gives each field a hash of its own in each
// account; it is learnt by name. Only the first one must be there: a plan allows so many custom fields and no more.
const (
	keyField       = "Threadline ID"
	usernameField  = "WhatsApp username"
	marketingField = "WhatsApp marketing"
)

const fieldType = "varchar" // up to 255 characters, and searchable

// fields are the hashes of our fields; empty: there is no such field.
type fields struct{ key, username, marketing string }

// there are the hashes of the fields that there are, as a query names them.
func (f fields) there() string {
	all := slices.DeleteFunc([]string{f.key, f.username, f.marketing}, func(hash string) bool { return hash == "" })
	return url.QueryEscape(strings.Join(all, ","))
}

func (f *fields) slot(name string) *string {
	switch name {
	case keyField:
		return &f.key
	case usernameField:
		return &f.username
	case marketingField:
		return &f.marketing
	}
	return nil
}

// knownFields returns our fields, which are read once.
func (c *Connector) knownFields(ctx context.Context) (fields, error) {
	c.mu.Lock()
	known := c.fields
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	f, err := c.readFields(ctx)
	if err != nil {
		return fields{}, err
	}
	if f.key == "" {
		return fields{}, fmt.Errorf("read person fields: %w", crm.ErrNotProvisioned)
	}
	c.mu.Lock()
	c.fields = &f
	c.mu.Unlock()
	return f, nil
}

// readFields reads all fields of persons. Two processes that provision at once may each make a field, for names aren't
// unique: everybody takes the one whose hash sorts first.
func (c *Connector) readFields(ctx context.Context) (fields, error) {
	o := operation{"read person fields", http.MethodGet, readContacts}
	var found fields
	for cursor := ""; ; {
		var page []struct {
			Name   string `json:"field_name"`
			Code   string `json:"field_code"`
			Type   string `json:"field_type"`
			Custom bool   `json:"is_custom_field"`
		}
		e, err := c.call(ctx, o, "/api/v2/personFields?limit=500"+cursor, nil, &page)
		if err != nil {
			return fields{}, err
		}
		for _, f := range page {
			slot := found.slot(f.Name)
			if slot != nil && f.Custom && f.Type == fieldType && (*slot == "" || f.Code < *slot) {
				*slot = f.Code
			}
		}
		if e.Additional.NextCursor == "" {
			return found, nil
		}
		cursor = "&cursor=" + url.QueryEscape(e.Additional.NextCursor)
	}
}

// provisionFields makes the fields that are missing. One that isn't the key and can't be had is done without.
func (c *Connector) provisionFields(ctx context.Context) error {
	o := operation{"create person field", http.MethodPost, administer}
	c.forgetFields()
	found, err := c.readFields(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{keyField, usernameField, marketingField} {
		if *found.slot(name) != "" {
			continue
		}
		in := map[string]any{"field_name": name, "field_type": fieldType}
		if _, err := c.call(ctx, o, "/api/v2/personFields", in, nil); err != nil && (name == keyField || !declined(err)) {
			return err
		}
	}
	return nil
}

func (c *Connector) forgetFields() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fields = nil
}

// orFields finds out whether a request was refused because a field of ours was deleted meanwhile.
func (c *Connector) orFields(ctx context.Context, err error) error {
	if !rest.HasStatus(err, http.StatusBadRequest) {
		return err
	}
	before, _ := c.knownFields(ctx) // they are known, or the request couldn't have been made
	c.forgetFields()
	now, read := c.knownFields(ctx)
	if read != nil {
		return read
	}
	if now != before {
		return &crm.Error{Class: crm.Transient, Op: "read person fields", Status: http.StatusOK, Reason: "FIELDS_CHANGED"}
	}
	return err
}

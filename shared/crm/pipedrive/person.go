package pipedrive

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// nameless is the name of somebody about whom nothing is known. It is ours, so it counts as empty.
const nameless = "WhatsApp customer"

const personsPath = "/api/v2/persons"

// person is a person as API v2 gives it.
type person struct {
	ID      int64          `json:"id"`
	Name    string         `json:"name"`
	Phones  []phone        `json:"phones"`
	Custom  map[string]any `json:"custom_fields"`
	Deleted bool           `json:"is_deleted"`
}

type phone struct {
	Value   string `json:"value"`
	Primary bool   `json:"primary"`
	Label   string `json:"label"`
}

// custom returns the value of a text field; empty if it has none.
func (p person) custom(field string) string {
	s, _ := p.Custom[field].(string)
	return s
}

func (p person) contact(f fields) crm.Contact {
	c := crm.Contact{Ref: crm.ContactRef(text(p.ID)), Key: chat.ContactID(p.custom(f.key))}
	for _, n := range p.Phones {
		if strings.TrimSpace(n.Value) != "" { // API v1 shows nobody's number as one that is empty
			c.Phones = append(c.Phones, n.Value)
		}
	}
	return c
}

// read returns a person. A deleted one, which a merged one is too, is crm.ErrGone: who survived a merge isn't said.
func (c *Connector) read(ctx context.Context, o operation, id int64, query string) (person, error) {
	o = operation{o.name, http.MethodGet, readContacts}
	var p person
	_, err := c.call(ctx, o, personsPath+"/"+text(id)+query, nil, &p)
	if missing(err) || err == nil && p.Deleted {
		return person{}, gone(o)
	}
	return p, err
}

// alive finds out whether a person is still there to be written to.
func (c *Connector) alive(ctx context.Context, o operation, on crm.ContactRef) (int64, error) {
	id, err := number(o, on)
	if err != nil {
		return 0, err
	}
	_, err = c.read(ctx, o, id, "")
	return id, err
}

// maxIDs is how many persons one call returns by id.
const maxIDs = 100

// readAll returns the persons that exist: from the database, for what a search says may be old.
func (c *Connector) readAll(ctx context.Context, ids []int64, f fields) ([]person, error) {
	o := operation{"read persons", http.MethodGet, readContacts}
	if len(ids) == 1 { // a tenth of the price
		p, err := c.read(ctx, o, ids[0], "?custom_fields="+f.key)
		if errors.Is(err, crm.ErrGone) {
			return nil, nil
		}
		return []person{p}, err
	}
	var all []person
	for chunk := range slices.Chunk(ids, maxIDs) {
		list := make([]string, len(chunk))
		for i, id := range chunk {
			list[i] = text(id)
		}
		var page []person
		q := url.Values{"ids": {strings.Join(list, ",")}, "custom_fields": {f.key}, "limit": {text(maxIDs)}}
		if _, err := c.call(ctx, o, personsPath+"?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return living(all), nil
}

// lastChanged returns the persons that changed too recently for a search to be sure to show them.
func (c *Connector) lastChanged(ctx context.Context, f fields) ([]person, error) {
	since := c.config.Now().Add(-2 * SearchLag).UTC().Format(time.RFC3339)
	q := url.Values{
		"updated_since": {since}, "sort_by": {"update_time"}, "sort_direction": {"desc"}, "custom_fields": {f.key}, "limit": {maxHits},
	}
	var all []person
	_, err := c.call(ctx, operation{"list changed persons", http.MethodGet, readContacts}, personsPath+"?"+q.Encode(), nil, &all)
	return living(all), err
}

func living(all []person) []person {
	return slices.DeleteFunc(all, func(p person) bool { return p.Deleted })
}

// CreateContact makes a person. Pipedrive makes another one if it is asked twice.
func (c *Connector) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	o := operation{"create person", http.MethodPost, writeContacts}
	f, err := c.knownFields(ctx)
	if err != nil {
		return "", err
	}
	in := map[string]any{"name": nameOf(p), "custom_fields": ours(p, f)}
	if p.Phone.Known() {
		in["phones"] = newPhone(p)
	}
	var made person
	if _, err := c.call(ctx, o, personsPath, in, &made); err != nil {
		return "", c.orFields(ctx, err)
	}
	if made.ID == 0 {
		return "", noResult(o)
	}
	return crm.ContactRef(text(made.ID)), nil
}

// FillContact writes our fields, a name if there is none, and a telephone number if there is none.
func (c *Connector) FillContact(ctx context.Context, ref crm.ContactRef, p crm.Person) error {
	o := operation{"fill person", http.MethodPatch, writeContacts}
	id, err := number(o, ref)
	if err != nil {
		return err
	}
	f, err := c.knownFields(ctx)
	if err != nil {
		return err
	}
	has, err := c.read(ctx, o, id, "?custom_fields="+f.there())
	if err != nil {
		return err
	}
	lacks := map[string]any{}
	if name := nameOf(p); name != has.Name && (strings.TrimSpace(has.Name) == "" || has.Name == nameless) {
		lacks["name"] = name
	}
	if p.Phone.Known() && len(has.contact(f).Phones) == 0 {
		lacks["phones"] = newPhone(p)
	}
	custom := ours(p, f)
	for field, value := range custom {
		if has.custom(field) == value {
			delete(custom, field)
		}
	}
	if len(custom) > 0 {
		lacks["custom_fields"] = custom
	}
	if len(lacks) == 0 {
		return nil
	}
	_, err = c.call(ctx, o, personsPath+"/"+text(id), lacks, nil)
	if missing(err) {
		return gone(o)
	}
	return c.orFields(ctx, err)
}

// ours are the values of our fields, as far as there are both.
func ours(p crm.Person, f fields) map[string]string {
	values := map[string]string{f.key: string(p.Key)}
	if p.Username != "" && f.username != "" {
		values[f.username] = clip(p.Username)
	}
	if p.Marketing != "" && f.marketing != "" {
		values[f.marketing] = clip(p.Marketing)
	}
	return values
}

func newPhone(p crm.Person) []phone {
	return []phone{{Value: p.Phone.E164, Primary: true, Label: "mobile"}}
}

func nameOf(p crm.Person) string {
	if name := strings.Join(p.NameWords(), " "); name != "" {
		return clip(name)
	}
	if p.Username != "" {
		return clip(p.Username)
	}
	return nameless
}

// clip shortens a value to what a text field holds: 255 characters, of which an emoji may be two.
func clip(s string) string {
	if r := []rune(s); len(r) > 127 {
		return string(r[:127])
	}
	return s
}

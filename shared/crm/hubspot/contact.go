package hubspot

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// numbers are the properties of a contact that hold a telephone number.
var numbers = []string{"phone", "mobilephone", "hs_whatsapp_phone_number"}

// ContactByKey reads the contact that has threadline_id. The read is strongly consistent.
func (c *Connector) ContactByKey(ctx context.Context, key chat.ContactID) (crm.Contact, bool, error) {
	o, ok, err := c.contactByKey(ctx, key)
	return asContact(o), ok, err
}

func (c *Connector) contactByKey(ctx context.Context, key chat.ContactID) (o object, ok bool, err error) {
	o, err = c.readBy(ctx, contacts, contactKey, string(key), false, append([]string{contactKey}, numbers...)...)
	switch {
	case rest.HasStatus(err, http.StatusNotFound):
		return object{}, false, nil
	case rest.HasStatus(err, http.StatusBadRequest):
		// Whatever its words, this says that the property isn't there or isn't unique.
		return object{}, false, notProvisioned("read " + contacts)
	}
	return o, err == nil, err
}

// SearchContacts asks for the number in the ways in which HubSpot may have it. Its searchable properties hold the number
// without the country code, so that contacts of other countries are found too.
// https://developers.hubspot.com/docs/api-reference/search/guide#search-default-searchable-properties
func (c *Connector) SearchContacts(ctx context.Context, p crm.Phone) ([]crm.Contact, error) {
	var searchable []string
	for _, n := range slices.Concat(p.National, p.Ways) {
		searchable = append(searchable, n, "0"+n, "00"+n) // as it is typed, where HubSpot can't tell the country
	}
	typed := []string{p.E164}
	for _, way := range p.Ways {
		typed = append(typed, "+"+way, way)
	}
	hits, err := c.search(ctx, contacts, append([]string{contactKey}, numbers...),
		filter{PropertyName: "hs_searchable_calculated_phone_number", Operator: "IN", Values: searchable},
		filter{PropertyName: "hs_searchable_calculated_mobile_number", Operator: "IN", Values: searchable},
		filter{PropertyName: "phone", Operator: "IN", Values: typed},
		filter{PropertyName: "mobilephone", Operator: "IN", Values: typed},
		filter{PropertyName: "hs_whatsapp_phone_number", Operator: "IN", Values: typed},
	)
	var found []crm.Contact
	for _, h := range hits {
		found = append(found, asContact(h))
	}
	return found, err
}

func asContact(o object) crm.Contact {
	found := crm.Contact{Ref: crm.ContactRef(o.ID), Key: chat.ContactID(o.get(contactKey))}
	for _, property := range numbers {
		if number := o.get(property); number != "" {
			found.Phones = append(found.Phones, number)
		}
	}
	return found
}

type upsertAnswer struct {
	Results []object          `json:"results"`
	Errors  []json.RawMessage `json:"errors"`
}

// CreateContact uses the upsert, so that two callers with one key end with one contact.
func (c *Connector) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	const op = "create contact"
	type input struct {
		IDProperty string            `json:"idProperty"`
		ID         string            `json:"id"`
		Properties map[string]string `json:"properties"`
	}
	in := map[string]any{"inputs": []input{{contactKey, string(p.Key), c.newContact(p)}}}
	var out upsertAnswer
	err := c.call(ctx, op, http.MethodPost, c.objectPath(contacts, "batch", "upsert"), in, &out)
	if err == nil && len(out.Errors) > 0 {
		err = classifyRow(op, out.Errors[0]) // HTTP 207: the batch went through, our row did not
	}
	switch {
	case conflicts(err):
		return c.keyHolder(ctx, p.Key)
	case err != nil:
		return "", err
	case len(out.Results) == 0 || out.Results[0].ID == "":
		return "", noResult(op)
	}
	return crm.ContactRef(out.Results[0].ID), nil
}

// keyHolder reads who won when several callers wrote one key. Nobody there means that the winner was deleted meanwhile,
// or isn't readable yet: the caller tries again.
func (c *Connector) keyHolder(ctx context.Context, key chat.ContactID) (crm.ContactRef, error) {
	o, ok, err := c.contactByKey(ctx, key)
	if err == nil && !ok {
		err = &crm.Error{Class: crm.Transient, Op: "read contacts", Status: http.StatusConflict, Reason: taken}
	}
	return crm.ContactRef(o.ID), err
}

// FillContact writes what the contact lacks: our key, a name, a telephone number, and what is new in properties of ours.
// What people typed stays.
func (c *Connector) FillContact(ctx context.Context, ref crm.ContactRef, p crm.Person) error {
	wanted := []string{contactKey, whatsAppID, bsuid, username, marketing, "firstname", "lastname"}
	o, err := c.living(ctx, ref, append(wanted, numbers...)...)
	if err != nil {
		return err
	}
	missing := c.lacks(o, p)
	if len(missing) == 0 {
		return nil
	}
	refusal := c.patch(ctx, contacts, o.ID, missing)
	if !conflicts(refusal) {
		return refusal
	}
	// Somebody created a contact with our key meanwhile: that one it is.
	holder, err := c.keyHolder(ctx, p.Key)
	switch {
	case err != nil:
		return err
	case holder != ref:
		return &crm.Moved{To: holder}
	}
	return refusal
}

// living reads a contact. A deleted one is crm.ErrGone. HubSpot answers for a merged one with the survivor: *crm.Moved.
func (c *Connector) living(ctx context.Context, ref crm.ContactRef, properties ...string) (object, error) {
	o, err := c.read(ctx, contacts, string(ref), properties...)
	switch {
	case rest.HasStatus(err, http.StatusNotFound):
		return object{}, gone("read contacts")
	case err == nil && o.ID != string(ref):
		return object{}, &crm.Moved{To: crm.ContactRef(o.ID)}
	}
	return o, err
}

var statusOfCategory = map[string]int{
	"VALIDATION_ERROR": http.StatusBadRequest,
	"CONFLICT":         http.StatusConflict,
	"MISSING_SCOPES":   http.StatusForbidden,
	"RATE_LIMITS":      http.StatusTooManyRequests,
	"OBJECT_NOT_FOUND": http.StatusNotFound,
}

// classifyRow is classify for a row of a batch: its status is a number, or the word "error".
func classifyRow(op string, row json.RawMessage) error {
	var r struct {
		Status   string `json:"status"`
		Category string `json:"category"`
	}
	_ = json.Unmarshal(row, &r)
	status, err := strconv.Atoi(r.Status)
	if err != nil {
		status = statusOfCategory[r.Category]
	}
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return judge(op, status, nil, row)
}

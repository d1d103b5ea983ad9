package hubspot

import (
	"context"
	"encoding/json"
	"maps"
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
	wanted := append([]string{contactKey}, numbers...)
	asTyped := []filter{{PropertyName: "phone", Operator: "IN", Values: typed}, {PropertyName: "mobilephone", Operator: "IN", Values: typed}}
	hits, err := c.search(ctx, contacts, wanted, append([]filter{
		{PropertyName: "hs_searchable_calculated_phone_number", Operator: "IN", Values: searchable},
		{PropertyName: "hs_searchable_calculated_mobile_number", Operator: "IN", Values: searchable},
		{PropertyName: "hs_whatsapp_phone_number", Operator: "IN", Values: typed},
	}, asTyped...)...)
	if unwelcome(err) { // HubSpot refuses to search by a property that the account lacks: these every account has
		hits, err = c.search(ctx, contacts, wanted, asTyped...)
	}
	var found []crm.Contact
	for _, h := range hits {
		found = append(found, asContact(h))
	}
	return found, asStopped(err) // what is refused isn't the message
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

// CreateContact makes a contact. HubSpot itself, and the account's administrators, have rules for values: a name may be
// refused that looks like an address. One that is refused is left out, or nothing the person writes would have a record.
// What is refused without any is for a person to mend.
// https://developers.hubspot.com/changelog/upcoming-property-validations-rules-will-be-enforced-for-apis-and-integrations
func (c *Connector) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	values := c.newContact(p)
	ref, err := c.upsert(ctx, p.Key, values)
	if !unwelcome(err) {
		return ref, err
	}
	ref, err = c.upsert(ctx, p.Key, map[string]string{contactKey: string(p.Key), "firstname": nameless})
	if err != nil {
		return "", asStopped(err)
	}
	delete(values, contactKey)
	return ref, c.patchEach(ctx, string(ref), values)
}

// patchEach changes properties of a contact, except for those whose value is refused.
func (c *Connector) patchEach(ctx context.Context, id string, values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := c.patch(ctx, contacts, id, map[string]string{name: values[name]}); err != nil && !unwelcome(err) {
			return err
		}
	}
	return nil
}

// upsert makes the contact with a key, so that two callers with one key end with one contact.
func (c *Connector) upsert(ctx context.Context, key chat.ContactID, values map[string]string) (crm.ContactRef, error) {
	const op = "create contact"
	type input struct {
		IDProperty string            `json:"idProperty"`
		ID         string            `json:"id"`
		Properties map[string]string `json:"properties"`
	}
	in := map[string]any{"inputs": []input{{contactKey, string(key), values}}}
	var out upsertAnswer
	err := c.call(ctx, op, http.MethodPost, c.objectPath(contacts, "batch", "upsert"), in, &out)
	if err == nil && len(out.Errors) > 0 {
		err = classifyRow(op, out.Errors[0]) // HTTP 207: the batch went through, our row did not
	}
	switch {
	case conflicts(err):
		return c.keyHolder(ctx, key)
	case err != nil:
		return "", err
	case len(out.Results) == 0 || out.Results[0].ID == "":
		return "", noResult(op)
	}
	return crm.ContactRef(out.Results[0].ID), nil
}

// keyHolder reads who won when several callers wrote one key. Nobody there means that the winner was deleted meanwhile,
// or isn't readable yet: the caller tries again for a while.
func (c *Connector) keyHolder(ctx context.Context, key chat.ContactID) (crm.ContactRef, error) {
	o, ok, err := c.contactByKey(ctx, key)
	if err == nil && !ok {
		err = unseen(contacts)
	}
	return crm.ContactRef(o.ID), err
}

// FillContact writes what the contact lacks: our key, a name, a telephone number, and what is new in properties of ours.
// What people typed stays; a value that is refused is left out.
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
	if unwelcome(refusal) {
		refusal = c.patchEach(ctx, o.ID, missing)
	}
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
	"VALIDATION_ERROR":      http.StatusBadRequest,
	"CONFLICT":              http.StatusConflict,
	"OBJECT_ALREADY_EXISTS": http.StatusConflict,
	"MISSING_SCOPES":        http.StatusForbidden,
	"RATE_LIMITS":           http.StatusTooManyRequests,
	"OBJECT_NOT_FOUND":      http.StatusNotFound,
}

// classifyRow is classify for a row of a batch: its status is a number, or the word "error". A row that says something new
// is no outage: HubSpot answered.
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
		return noResult(op)
	}
	return judge(op, status, nil, row)
}

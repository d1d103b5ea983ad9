package hubspot

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// nameless is the first name of somebody about whom nothing is known. It is ours, so it counts as empty.
const nameless = "WhatsApp customer"

var contactProperties = []string{contactKey, "firstname", "lastname", "phone", "mobilephone", "hs_whatsapp_phone_number"}

// EnsureContact finds the contact with threadline_id, else takes over the only one with this phone number, else creates
// one. A search that HubSpot answers from an old index can miss a contact that somebody typed in seconds ago.
func (c *Connector) EnsureContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	found, err := c.contactByKey(ctx, p.Key)
	switch {
	case err == nil:
		return c.fill(ctx, found, p)
	case !hasStatus(err, http.StatusNotFound):
		return "", err
	}
	if p.Phone != "" {
		found, ok, err := c.contactByPhone(ctx, p.Phone)
		if err != nil {
			return "", err
		}
		if ok {
			return c.fill(ctx, found, p)
		}
	}
	return c.createContact(ctx, p)
}

func (c *Connector) contactByKey(ctx context.Context, key chat.ContactID) (object, error) {
	return c.read(ctx, "read contact", contacts, string(key), contactKey, contactProperties...)
}

// contactByPhone returns the one contact that has the number and no key of ours. Every candidate is compared digit by
// digit, because HubSpot searches by national number, and read again, because the index may be old.
func (c *Connector) contactByPhone(ctx context.Context, phone string) (found object, ok bool, err error) {
	_, national := splitCountry(digitsOf(e164(phone)))
	tail := national
	if len(tail) > 8 { // what all variants of a line have in common
		tail = tail[len(tail)-8:]
	}
	hits, err := c.search(ctx, "search contact", contacts, contactProperties,
		filter{"hs_searchable_calculated_phone_number", "EQ", national},
		filter{"hs_searchable_calculated_mobile_number", "EQ", national},
		filter{"phone", "EQ", e164(phone)},
		filter{"mobilephone", "EQ", e164(phone)},
		filter{"hs_searchable_calculated_phone_number", "CONTAINS_TOKEN", "*" + tail},
	)
	if err != nil {
		return object{}, false, err
	}
	var matches []object
	for _, h := range hits {
		if h.adoptable(phone) {
			matches = append(matches, h)
		}
	}
	if len(matches) != 1 {
		return object{}, false, nil
	}
	found, err = c.read(ctx, "read contact", contacts, matches[0].ID, "", contactProperties...)
	if hasStatus(err, http.StatusNotFound) {
		return object{}, false, nil
	}
	return found, err == nil && found.adoptable(phone), err
}

// adoptable tells whether a contact nobody of ours owns has the phone number.
func (o object) adoptable(phone string) bool {
	if o.get(contactKey) != "" {
		return false
	}
	for _, property := range []string{"phone", "mobilephone", "hs_whatsapp_phone_number"} {
		if sameLine(o.get(property), phone) {
			return true
		}
	}
	return false
}

// fill writes what the contact lacks: our key, a name, a phone number. What is there stays.
func (c *Connector) fill(ctx context.Context, o object, p crm.Person) (crm.ContactRef, error) {
	missing := map[string]string{}
	for property, value := range properties(p) {
		if property == "firstname" || property == "lastname" {
			continue
		}
		if o.get(property) == "" && value != "" {
			missing[property] = value
		}
	}
	if o.get("mobilephone") != "" || o.get("hs_whatsapp_phone_number") != "" {
		delete(missing, "phone")
	}
	current := o.get("firstname")
	if o.get("lastname") == "" && (current == "" || current == nameless) {
		if first, last := splitName(p); first != current {
			missing["firstname"] = first
			if last != "" {
				missing["lastname"] = last
			}
		}
	}
	if len(missing) == 0 {
		return crm.ContactRef(o.ID), nil
	}
	err := c.patch(ctx, "complete contact", contacts, o.ID, missing)
	if conflicts(err) {
		// Somebody created a contact with our key meanwhile: that one it is.
		return c.settled(ctx, p.Key)
	}
	if err != nil {
		return "", err
	}
	return crm.ContactRef(o.ID), nil
}

type upsertAnswer struct {
	Results []object          `json:"results"`
	Errors  []json.RawMessage `json:"errors"`
}

// createContact uses the upsert, so that two callers with one key end with one contact.
func (c *Connector) createContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	const op = "create contact"
	type input struct {
		IDProperty string            `json:"idProperty"`
		ID         string            `json:"id"`
		Properties map[string]string `json:"properties"`
	}
	in := map[string]any{"inputs": []input{{contactKey, string(p.Key), properties(p)}}}
	var out upsertAnswer
	err := c.call(ctx, op, http.MethodPost, objectPath(contacts, "batch", "upsert"), in, &out)
	if err == nil && len(out.Errors) > 0 {
		err = c.classifyRow(op, out.Errors[0]) // HTTP 207: the batch went through, our row did not
	}
	switch {
	case conflicts(err):
		return c.settled(ctx, p.Key)
	case err != nil:
		return "", err
	case len(out.Results) == 0 || out.Results[0].ID == "":
		return "", &crm.Error{Class: crm.Transient, Op: op, Status: http.StatusOK, Reason: "NO_RESULT"}
	}
	return crm.ContactRef(out.Results[0].ID), nil
}

// settled reads who won when several callers wrote one key. Nobody there means that the winner was deleted meanwhile,
// or isn't readable yet: the caller tries again.
func (c *Connector) settled(ctx context.Context, key chat.ContactID) (crm.ContactRef, error) {
	o, err := c.contactByKey(ctx, key)
	if hasStatus(err, http.StatusNotFound) {
		return "", &crm.Error{Class: crm.Transient, Op: "read contact", Status: http.StatusConflict, Reason: taken}
	}
	if err != nil {
		return "", err
	}
	return crm.ContactRef(o.ID), nil
}

// living returns the record that a contact's id names today: HubSpot answers for a merged contact with the survivor.
// A deleted one is crm.ErrGone.
func (c *Connector) living(ctx context.Context, ref crm.ContactRef) (crm.ContactRef, error) {
	o, err := c.read(ctx, "read contact", contacts, string(ref), "", contactKey)
	if hasStatus(err, http.StatusNotFound) {
		return "", gone("read contact")
	}
	if err != nil {
		return "", err
	}
	return crm.ContactRef(o.ID), nil
}

// properties are those of a new contact.
func properties(p crm.Person) map[string]string {
	first, last := splitName(p)
	m := map[string]string{contactKey: string(p.Key), "firstname": first}
	if last != "" {
		m["lastname"] = last
	}
	if p.Phone != "" {
		m["phone"] = e164(p.Phone)
	}
	return m
}

// splitName makes the two fields of the one name that a profile has: the first word, and the rest.
func splitName(p crm.Person) (first, last string) {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, p.Name)
	if words := strings.Fields(name); len(words) > 0 {
		return words[0], strings.Join(words[1:], " ")
	}
	if p.Username != "" {
		return p.Username, ""
	}
	return nameless, ""
}

var statusOfCategory = map[string]int{
	"VALIDATION_ERROR": http.StatusBadRequest,
	"CONFLICT":         http.StatusConflict,
	"MISSING_SCOPES":   http.StatusForbidden,
	"RATE_LIMITS":      http.StatusTooManyRequests,
	"OBJECT_NOT_FOUND": http.StatusNotFound,
}

// classifyRow is classify for a row of a batch: its status is a number, or the word "error".
func (c *Connector) classifyRow(op string, row json.RawMessage) error {
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
	return c.classify(op, status, nil, row)
}

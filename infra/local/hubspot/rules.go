package hubspot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// check refuses property values that HubSpot would refuse, for an object that has this id ("" if it is new). Dates are
// brought into HubSpot's form.
func (s *Simulator) check(kind, id string, values map[string]string) error {
	var problems []detail
	bad := func(name, code, message string) {
		problems = append(problems, detail{Message: message, Code: code, Context: map[string][]string{"propertyName": {name}}})
	}
	for name, value := range values {
		p := s.properties[kind][name]
		switch {
		case p == nil || s.faults.forbidden[kind+"."+name]:
			bad(name, "PROPERTY_DOESNT_EXIST", `Property "`+name+`" does not exist`)
		case p.ReadOnly:
			bad(name, "READ_ONLY_VALUE", `"`+name+`" is a read only property; its value cannot be set.`)
		case p.MaxLength > 0 && len(utf16.Encode([]rune(value))) > p.MaxLength:
			bad(name, "VALUE_TOO_LONG", name+" is longer than "+strconv.Itoa(p.MaxLength)+" characters")
		case value != "" && p.Options != nil && !slices.Contains(p.Options, value):
			bad(name, "INVALID_OPTION", name+" was not one of the allowed options")
		case value != "" && p.Type == "datetime":
			at, ok := parseTime(value)
			if !ok {
				bad(name, "INVALID_DATE", name+" is not a valid date-time")
				continue
			}
			values[name] = iso(at)
		case value != "" && p.HasUniqueValue && s.holder(kind, name, value, id) != nil:
			bad(name, "CONFLICTING_UNIQUE_VALUE", "Another record already has that value for "+name)
		case value != "" && s.faults.rules[kind+"."+name] != nil && !s.faults.rules[kind+"."+name](value):
			bad(name, "INVALID_ALPHA", "Enter only letters")
		case name == "hs_attachment_ids" && !s.allFiles(value):
			bad(name, "INVALID_ATTACHMENT", name+" names a file that does not exist")
		}
	}
	if len(problems) == 0 {
		return nil
	}
	r := invalid("Property values were not valid")
	r.Errors = problems
	return r
}

// checkNew adds what a new record must have.
// https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
func (s *Simulator) checkNew(kind string, values map[string]string) error {
	if kind == contacts && values["email"]+values["firstname"]+values["lastname"] == "" {
		return invalid("one of email, firstname and lastname is required")
	}
	if kind != contacts && values["hs_timestamp"] == "" {
		return invalid("hs_timestamp is required")
	}
	if kind == communications {
		for _, name := range []string{"hs_communication_channel_type", "hs_communication_logged_from"} {
			if values[name] == "" {
				return invalid("%s is required", name)
			}
		}
	}
	return s.check(kind, "", values)
}

// holder returns the record other than id that has a value of a unique property. A deleted one keeps its value for as
// long as it can be restored, but contacts give theirs back.
func (s *Simulator) holder(kind, name, value, id string) *object {
	for _, o := range s.objects[kind] {
		if o.ID != id && o.Merged == "" && o.Properties[name] == value && (!o.Archived || kind != contacts) {
			return o
		}
	}
	return nil
}

func (s *Simulator) allFiles(ids string) bool {
	for _, id := range attachments(ids) {
		if f := s.files[id]; f == nil || f.Archived {
			return false
		}
	}
	return true
}

func attachments(ids string) []string {
	return strings.FieldsFunc(ids, func(r rune) bool { return r == ';' })
}

func parseTime(v string) (time.Time, bool) {
	if ms, err := strconv.ParseInt(v, 10, 64); err == nil {
		return time.UnixMilli(ms), true
	}
	at, err := time.Parse(time.RFC3339, v)
	return at, err == nil
}

var notDigit = regexp.MustCompile(`[^0-9]`)

// countryCode finds what HubSpot leaves out of its searchable numbers.
var countryCode = regexp.MustCompile(`^(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})`)

// searchable is the national number without country code, which HubSpot calculates.
func searchable(phone string) string {
	digits := notDigit.ReplaceAllString(phone, "")
	if strings.HasPrefix(strings.TrimSpace(phone), "+") {
		return countryCode.ReplaceAllString(digits, "")
	}
	return strings.TrimPrefix(digits, "0")
}

// calculate fills in the properties that HubSpot computes.
func (o *object) calculate() {
	set := func(name, value string) {
		if value == "" {
			delete(o.Properties, name)
		} else {
			o.Properties[name] = value
		}
	}
	set("hs_object_id", o.ID)
	if o.Kind != contacts {
		set("hs_createdate", iso(o.CreatedAt))
		set("hs_lastmodifieddate", iso(o.UpdatedAt))
		return
	}
	set("createdate", iso(o.CreatedAt))
	set("lastmodifieddate", iso(o.UpdatedAt))
	set("hs_searchable_calculated_phone_number", searchable(o.Properties["phone"]))
	set("hs_searchable_calculated_mobile_number", searchable(o.Properties["mobilephone"]))
}

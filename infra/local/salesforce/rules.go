package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// checked returns the values that a write sets, or why it is refused. old is nil for a new record.
func (s *Simulator) checked(o *object, old *record, in map[string]any) (map[string]string, error) {
	values := map[string]string{}
	for name, v := range in {
		if name == "attributes" {
			continue
		}
		f := o.fields[name]
		if f == nil || !f.visible {
			return nil, noColumn(name, o.name)
		}
		if !f.editable || f.readOnly || old != nil && f.fixed {
			return nil, refuse(http.StatusBadRequest, "INVALID_FIELD_FOR_INSERT_UPDATE",
				"Unable to create/update fields: "+name+". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", name)
		}
		value, err := text(name, v)
		if err != nil {
			return nil, err
		}
		if value, err = s.checkValue(o, name, f, value); err != nil {
			return nil, err
		}
		if err := s.checkUnique(o, name, f, value, old); err != nil {
			return nil, err
		}
		values[name] = value
	}
	return values, s.checkRequired(o, old, values)
}

func (s *Simulator) checkRequired(o *object, old *record, values map[string]string) error {
	var missing []string
	for name, f := range o.fields {
		value, set := values[name]
		if f.required && value == "" && (set || old == nil) {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	slices.Sort(missing)
	return refuse(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", fmt.Sprintf("Required fields are missing: %v", missing), missing...)
}

// checkValue returns the value as it is stored.
func (s *Simulator) checkValue(o *object, name string, f *field, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	n := len(utf16.Encode([]rune(value)))
	if f.kind == "textarea" { // https://help.salesforce.com/apex/HTViewSolution?id=000240417
		n += strings.Count(value, "\n") - strings.Count(value, "\r\n")
	}
	if f.length > 0 && n > f.length {
		return "", refuse(http.StatusBadRequest, "STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: (max length=%d)", name, f.length), name)
	}
	switch f.kind {
	case "datetime":
		return storedTime(name, value)
	case "date":
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "", refuse(http.StatusBadRequest, "JSON_PARSER_ERROR", "Cannot deserialize instance of date from VALUE_STRING value", name)
		}
	case "picklist":
		if f.values != nil && !slices.Contains(f.values, value) {
			return "", refuse(http.StatusBadRequest, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", name+": bad value for restricted picklist field", name)
		}
	case "reference":
		return s.checkReference(name, f, value)
	case "string", "phone":
		return strings.TrimSpace(value), nil
	}
	return value, nil
}

func storedTime(name, value string) (string, error) {
	for _, layout := range []string{time.RFC3339Nano, stamp} {
		if at, err := time.Parse(layout, value); err == nil {
			return at.UTC().Format(stamp), nil
		}
	}
	return "", refuse(http.StatusBadRequest, "JSON_PARSER_ERROR", "Cannot deserialize instance of datetime from VALUE_STRING value", name)
}

func (s *Simulator) checkReference(name string, f *field, value string) (string, error) {
	if !isID(value) {
		return "", refuse(http.StatusBadRequest, "MALFORMED_ID", name+": id value of incorrect type", name)
	}
	r := s.records[long(value)]
	switch {
	case r == nil:
		return "", refuse(http.StatusBadRequest, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	case f.refers != nil && !slices.Contains(f.refers, r.Object):
		return "", refuse(http.StatusBadRequest, "FIELD_INTEGRITY_EXCEPTION", name+": id value of incorrect type", name)
	case r.Deleted:
		return "", refuse(http.StatusBadRequest, "ENTITY_IS_DELETED", "entity is deleted")
	}
	return r.ID, nil
}

func (s *Simulator) checkUnique(o *object, name string, f *field, value string, old *record) error {
	if !f.unique || value == "" {
		return nil
	}
	for _, r := range s.all(o.name) {
		if !r.Deleted && r.Values[name] == value && (old == nil || r.ID != old.ID) {
			return refuse(http.StatusBadRequest, "DUPLICATE_VALUE", "duplicate value found: "+name+" duplicates value on record with id: "+r.ID)
		}
	}
	return nil
}

// checkLink refuses a second link between a file and a record.
func (s *Simulator) checkLink(link *record) error {
	for _, r := range s.all("ContentDocumentLink") {
		same := r.Values["ContentDocumentId"] == link.Values["ContentDocumentId"] && r.Values["LinkedEntityId"] == link.Values["LinkedEntityId"]
		if same && !r.Deleted {
			return refuse(http.StatusBadRequest, "DUPLICATE_VALUE",
				"Document with ID: "+link.Values["ContentDocumentId"]+" is already linked with the entity with ID: "+link.Values["LinkedEntityId"], "LinkedEntityId")
		}
	}
	return nil
}

// duplicate applies the duplicate rule that is switched on: contacts of one name.
// https://developer.salesforce.com/docs/platform/api-rest/guide/headers-duplicaterules.html
func (s *Simulator) duplicate(r *record, header http.Header) error {
	if s.faults.duplicates == off || r.Object != "Contact" {
		return nil
	}
	for _, other := range s.all("Contact") {
		if other.Deleted || other.ID == r.ID || nameOf(other) != nameOf(r) {
			continue
		}
		allowed := strings.Contains(header.Get("Sforce-Duplicate-Rule-Header"), "allowSave=true")
		if s.faults.duplicates == Alert && allowed {
			return nil
		}
		e := refuse(http.StatusBadRequest, "DUPLICATES_DETECTED", "Use one of these records?")
		e.extra = map[string]any{"duplicateResult": map[string]any{
			"allowSave": s.faults.duplicates == Alert,
			"matchResults": []any{map[string]any{"entityType": "Contact", "success": true, "matchRecords": []any{map[string]any{
				"matchConfidence": 100, "record": map[string]any{"attributes": attributes(other), "Id": other.ID},
			}}}},
		}}
		return e
	}
	return nil
}

package salesforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// The codes that the connector acts on.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
const (
	invalidSession     = "INVALID_SESSION_ID"
	duplicatesDetected = "DUPLICATES_DETECTED"
	duplicateValue     = "DUPLICATE_VALUE"
	limitExceeded      = "REQUEST_LIMIT_EXCEEDED"
	invalidField       = "INVALID_FIELD"
	invalidType        = "INVALID_TYPE"
	notFound           = "NOT_FOUND"
	queryTimeout       = "QUERY_TIMEOUT"
	crossReference     = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
)

// classes are of codes whose status doesn't tell the class. None of these requests was carried out.
var classes = map[string]crm.Class{
	"UNABLE_TO_LOCK_ROW": crm.Transient, // somebody else is writing to the contact
	duplicateValue:       crm.Transient, // somebody else was faster: the next attempt finds the record
	queryTimeout:         crm.Transient,
	"PROCESSING_HALTED":  crm.Transient,

	// For a while a few times a year, whoever asks. https://help.salesforce.com/apex/HTViewHelpDoc?id=xcloud.setup_maintenance_mode_overview.htm
	"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": crm.Transient,

	invalidSession:                         crm.Stopped,
	invalidType:                            crm.Stopped, // a standard object that the user doesn't see
	duplicatesDetected:                     crm.Stopped, // by a rule that blocks
	"API_DISABLED_FOR_ORG":                 crm.Stopped,
	"API_CURRENTLY_DISABLED":               crm.Stopped,
	"STORAGE_LIMIT_EXCEEDED":               crm.Stopped,
	"INVALID_FIELD_FOR_INSERT_UPDATE":      crm.Stopped,
	"REQUIRED_FIELD_MISSING":               crm.Stopped, // the org's own rules: an administrator exempts the user
	"FIELD_CUSTOM_VALIDATION_EXCEPTION":    crm.Stopped,
	"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": crm.Stopped,
	"CANNOT_EXECUTE_FLOW_TRIGGER":          crm.Stopped,
}

// final are codes that say that the values themselves will never be taken. For any other code a record that isn't written
// waits, with an alarm: an approval may have locked it, or somebody's trigger broken down.
var final = []string{
	"STRING_TOO_LONG", "JSON_PARSER_ERROR", "MALFORMED_ID", "FIELD_INTEGRITY_EXCEPTION", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
}

// fault is one of an error's array.
type fault struct {
	Code   string   `json:"errorCode"`
	Fields []string `json:"fields"`
}

// failure is a classified error before it is known what the call was about.
type failure struct {
	cause  *crm.Error
	fields []string
}

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// classify makes a failure of an answer: an array of errors, the first of which counts.
func classify(op string, a rest.Answer) error {
	e := rest.Default(op, a)
	var faults []fault
	if a.Status == http.StatusMultipleChoices {
		e.Class, e.Reason = crm.Stopped, "KEY_IS_NOT_UNIQUE"
		return e
	}
	if json.Unmarshal(a.Body, &faults) != nil || len(faults) == 0 {
		elsewhere(e)
		return e
	}
	e.Reason = code(faults[0].Code)
	class, known := classes[e.Reason]
	switch {
	case e.Reason == limitExceeded:
		e.Class, e.Unknown, e.After = crm.Limited, false, spell(a.Header)
	case known:
		e.Class, e.Unknown = class, false
	case strings.HasPrefix(e.Reason, "INSUFFICIENT_ACCESS"):
		e.Class = crm.Stopped
	}
	return &failure{e, faults[0].Fields}
}

// elsewhere says of an answer that isn't Salesforce's, such as the page of a domain that is no more, that nothing was
// refused by it. A file that is too large may be stopped on its way.
func elsewhere(e *crm.Error) {
	if e.Status < 400 || e.Class == crm.Refused && e.Status != http.StatusRequestEntityTooLarge {
		e.Class, e.Reason = crm.Stopped, "NOT_AN_ANSWER_OF_SALESFORCE"
	}
}

// The org's calls are counted over 24 hours; a few at a time may be long ones. Only the first is told by the header.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm
const (
	dailyPause      = time.Hour
	concurrentPause = time.Minute
)

// spell is how long to wait after a limit: api-usage=18/5000 means that it wasn't the daily one.
func spell(h http.Header) time.Duration {
	_, usage, found := strings.Cut(h.Get("Sforce-Limit-Info"), "api-usage=")
	used, all, _ := strings.Cut(usage, "/")
	all, _, _ = strings.Cut(all, ";")
	n, err1 := strconv.Atoi(used)
	limit, err2 := strconv.Atoi(strings.TrimSpace(all))
	if found && err1 == nil && err2 == nil && n < limit {
		return concurrentPause
	}
	return dailyPause
}

// about says what an error means for the object that the call was about.
func (c *Connector) about(r call, err error) error {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return err
	}
	e := f.cause
	missing := e.Reason == notFound && r.names == ourField || e.Reason == invalidField || e.Reason == invalidType && custom(r.object)
	gone := e.Reason == "ENTITY_IS_DELETED" || e.Reason == "INVALID_CROSS_REFERENCE_KEY" || e.Reason == notFound && r.names == aRecord
	if e.Reason == notFound {
		e.Class = crm.Stopped // no such address, or no right to it
	}
	if e.Class == crm.Refused && r.in != nil && !slices.Contains(final, e.Reason) {
		e.Class = crm.Stopped
	}
	switch {
	case missing:
		c.forgetLayout()
		return fmt.Errorf("%s: %w (%s)", r.op, crm.ErrNotProvisioned, e.Reason)
	case gone:
		return fmt.Errorf("%s: %w", r.op, crm.ErrGone)
	case e.Class == crm.Stopped && e.Reason != invalidSession:
		e.Scopes = []string{r.object}
		for _, field := range f.fields {
			e.Scopes = append(e.Scopes, r.object+"."+code(field))
		}
	}
	return e
}

func custom(object string) bool { return strings.HasSuffix(object, "__c") }

// reason is the code of an error; empty if it has none.
func reason(err error) string {
	if e, ok := errors.AsType[*crm.Error](err); ok {
		return e.Reason
	}
	return ""
}

func refused(err error) bool {
	e, ok := errors.AsType[*crm.Error](err)
	return ok && e.Class == crm.Refused
}

// code lets nothing through that a code or a field's name doesn't have.
func code(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 80)]
}

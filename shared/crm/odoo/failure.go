package odoo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Odoo names its errors by Python class. The status says less: a wrong field is a 500 that will be one forever. An
// exception ends the transaction, so that what raised one wasn't carried out.
var classes = map[string]crm.Class{
	"AccessError":             crm.Stopped, // a right is missing
	"AccessDenied":            crm.Stopped, // the key is wrong or too old
	"Unauthorized":            crm.Stopped,
	"SessionExpiredException": crm.Stopped,
	"NotFound":                crm.Stopped, // no such database, model or method: a module is missing, or the address is wrong

	"ValidationError":     crm.Refused,
	"UserError":           crm.Refused,
	"RedirectWarning":     crm.Refused,
	"UnprocessableEntity": crm.Refused,
	"BadRequest":          crm.Refused,

	"SerializationFailure": crm.Transient, // somebody changed the same at the same time
	"DeadlockDetected":     crm.Transient,
	"LockNotAvailable":     crm.Transient,
	"LockError":            crm.Transient,
	"ConcurrencyError":     crm.Transient,
}

// classify makes an error of an answer of /json/2 that isn't 2xx; nil if Odoo's own words aren't in it.
func classify(op string, a rest.Answer) error {
	var body struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(a.Body, &body) != nil || body.Name == "" {
		return nil
	}
	return failure(op, a.Status, body.Name)
}

// failure makes an error of an exception's class. The exception's message may quote what a customer wrote.
func failure(op string, status int, class string) error {
	name := class[strings.LastIndex(class, ".")+1:]
	if name == "MissingError" {
		return fmt.Errorf("%s: %w", op, crm.ErrGone)
	}
	e := &crm.Error{Class: crm.Transient, Op: op, Status: status, Reason: name}
	if known, ok := classes[name]; ok {
		e.Class = known
		return e
	}
	switch {
	case strings.HasPrefix(class, "builtins."):
		e.Class = crm.Refused
	case strings.HasPrefix(class, "psycopg2.") || status >= http.StatusInternalServerError || status < http.StatusBadRequest:
		e.Unknown = true // the database went away, or something unheard of happened
	default:
		e.Class = rest.Default(op, rest.Answer{Status: status}).Class
	}
	return e
}

func hasReason(err error, reason string) bool {
	e, ok := errors.AsType[*crm.Error](err)
	return ok && e.Reason == reason
}

// withModel names the model to which a right is missing.
func withModel(err error, model string) error {
	if e, ok := errors.AsType[*crm.Error](err); ok && (e.Reason == "AccessError" || e.Reason == "NotFound") {
		e.Scopes = []string{model}
	}
	return err
}

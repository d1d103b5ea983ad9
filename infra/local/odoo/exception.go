package odoo

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// exception is an error as Odoo raises it. https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
type exception struct {
	Status  int    // HTTP, of /json/2
	Name    string // the Python class
	Message string
	Field   string // that an import names: the database refused it
}

func (e *exception) Error() string { return e.Name + ": " + e.Message }

func raise(status int, name, format string, args ...any) *exception {
	return &exception{Status: status, Name: name, Message: fmt.Sprintf(format, args...)}
}

func accessError(operation, label, model string) *exception {
	return raise(http.StatusForbidden, "odoo.exceptions.AccessError", "You are not allowed to %s '%s' (%s) records.", operation, label, model)
}

func missing(model string, id, user int64) *exception {
	return raise(http.StatusNotFound, "odoo.exceptions.MissingError",
		"Record does not exist or has been deleted.\n(Record: %s(%d,), User: %d)", model, id, user)
}

func validation(format string, args ...any) *exception {
	return raise(http.StatusUnprocessableEntity, "odoo.exceptions.ValidationError", format, args...)
}

// unfilled is what the database says of a field that must not be empty. An import tells the field apart.
// https://github.com/odoo/odoo/blob/19.0/odoo/orm/models.py load
func unfilled(field, label string) *exception {
	e := validation("The operation cannot be completed: Missing required value for the field '%s' (%s).", label, field)
	e.Field = field
	return e
}

func valueError(format string, args ...any) *exception {
	return raise(http.StatusInternalServerError, "builtins.ValueError", format, args...)
}

func notFound(format string, args ...any) *exception {
	return raise(http.StatusNotFound, "werkzeug.exceptions.NotFound", format, args...)
}

func unprocessable(format string, args ...any) *exception {
	return raise(http.StatusUnprocessableEntity, "werkzeug.exceptions.UnprocessableEntity", format, args...)
}

func badRequest(format string, args ...any) *exception {
	return raise(http.StatusBadRequest, "werkzeug.exceptions.BadRequest", format, args...)
}

// asException makes an exception of whatever went wrong.
func asException(err error) *exception {
	if e, ok := errors.AsType[*exception](err); ok {
		return e
	}
	return raise(http.StatusInternalServerError, "builtins.Exception", "%v", err)
}

// user tells whether it is one of the errors that are written for users: load makes messages of them.
func (e *exception) user() bool { return strings.HasPrefix(e.Name, "odoo.exceptions.") }

// body is how the exception is told. The debug field holds a traceback, with values that customers wrote.
func (e *exception) body() map[string]any {
	return map[string]any{
		"name": e.Name, "message": e.Message, "arguments": []any{e.Message}, "context": map[string]any{},
		"debug": "Traceback (most recent call last):\n" + e.Name + ": " + e.Message + "\n",
	}
}

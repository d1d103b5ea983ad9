package crm

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNotProvisioned says that a property or field is missing: call Provision and try again.
var ErrNotProvisioned = errors.New("the CRM lacks what the connector provisions")

// ErrGone says that a record which a ref names was deleted in the CRM: forget the ref.
var ErrGone = errors.New("the record was deleted in the CRM")

// ErrForged says that a call to us isn't the CRM's.
var ErrForged = errors.New("the call isn't signed by the CRM")

// Moved says that a contact was merged into another one: use that one.
type Moved struct{ To ContactRef }

func (m *Moved) Error() string { return "the contact was merged into another one in the CRM" }

// Class says what to do about a failure of the CRM.
type Class int

// The classes.
const (
	Transient Class = iota // wait and try again, as long as it takes
	Limited                // the CRM wants us to slow down: wait After at least
	Stopped                // only a person can mend it (token, scopes, plan): alarm, keep waiting
	Refused                // this request will never succeed: record it and go on
)

// Error is a classified failure of the CRM. Its text holds no customer data.
type Error struct {
	Class   Class
	Unknown bool          // the request may have been carried out: the answer is missing, unreadable or a server's error
	Op      string        // what was being done
	Status  int           // HTTP status, 0 if there was no answer
	Reason  string        // the CRM's own category or code, never its message
	Scopes  []string      // the missing scopes or permissions, when that is why
	After   time.Duration // least time to wait, 0 if unknown
	Err     error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: status %d", e.Op, e.Status)
	if e.Reason != "" {
		b.WriteString(" " + e.Reason)
	}
	if len(e.Scopes) > 0 {
		b.WriteString(", missing scopes " + strings.Join(e.Scopes, " "))
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Temporary tells whether waiting may help; a Refused request never will.
func (e *Error) Temporary() bool { return e.Class != Refused }

// RetryAfter returns the least time to wait.
func (e *Error) RetryAfter() time.Duration { return e.After }

// Unsettled tells whether what failed with err may have been carried out all the same. Only a connector's word that it
// wasn't counts.
func Unsettled(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if ok {
		return e.Unknown
	}
	_, moved := errors.AsType[*Moved](err)
	return err != nil && !moved && !errors.Is(err, ErrNotProvisioned) && !errors.Is(err, ErrGone)
}

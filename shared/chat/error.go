package chat

import (
	"errors"
	"time"
)

// Code says what kind of failure an Error is. There are no others.
type Code string

// The codes, and what the caller does about each.
const (
	Invalid      Code = "invalid"      // mend the request
	NotFound     Code = "notfound"     // there is no such thing (yet)
	Conflict     Code = "conflict"     // somebody else was faster: read again
	Unauthorized Code = "unauthorized" // bring the right key
	Throttled    Code = "throttled"    // come again later
	Unavailable  Code = "unavailable"  // something that we need is down: come again later
	Internal     Code = "internal"     // our bug
)

// Error is a failure with a code. Message is written for whoever made the request: it says what to do about it and
// holds no personal data. Err is for the log.
type Error struct {
	Kind    Code
	Message string
	After   time.Duration // how long to wait at least, if known
	Err     error
}

// E makes an Error. It has no format, because that would invite customers' text into the message.
func E(kind Code, message string, err error) *Error {
	return &Error{Kind: kind, Message: message, Err: err}
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	if e.Message == "" {
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the kind as a string, for packages that don't import this one.
func (e *Error) Code() string { return string(e.Kind) }

// Public returns the part of the error that may be shown to a client.
func (e *Error) Public() string { return e.Message }

// Temporary tells whether the same request may succeed later without anybody changing anything.
func (e *Error) Temporary() bool {
	return e.Kind == Throttled || e.Kind == Unavailable || e.Kind == Conflict
}

// RetryAfter returns the least time to wait, 0 when unknown.
func (e *Error) RetryAfter() time.Duration { return e.After }

// Temporary tells whether the first failure in err's chain that can say so, of whatever package, says that it may pass.
func Temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// CodeOf returns the code of the first Error in err's chain, and Internal for any other failure.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

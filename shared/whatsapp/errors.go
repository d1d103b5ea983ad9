package whatsapp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// ErrInvalid means that a request was not made because Meta would refuse it.
// Errors that wrap it say which part, without its content.
var ErrInvalid = errors.New("whatsapp: invalid request")

// ErrUntrustedURL means that a media URL isn't on one of Meta's hosts, so the
// access token was not sent there.
var ErrUntrustedURL = errors.New("whatsapp: media URL is not on a host of Meta")

// LimitError means that a part of a message is longer or shorter than Meta
// takes, or that there are too many or too few of something. It wraps
// [ErrInvalid] and quotes nothing of the message.
type LimitError struct {
	Field  string // where, as a JSON path below the message
	Limit  int    // the least where Actual is below it, else the most
	Actual int
	Unit   string // what is counted, in the plural: "characters", "buttons"
}

func (e *LimitError) Error() string {
	side := "most"
	if e.Actual < e.Limit {
		side = "least"
	}
	return fmt.Sprintf("%s: %d %s, at %s %d", e.Field, e.Actual, e.Unit, side, e.Limit)
}

// Unwrap returns [ErrInvalid].
func (e *LimitError) Unwrap() error { return ErrInvalid }

// Error is an error of the Graph API, of the way to it, or one that Meta
// reports in a webhook. Its text holds codes and our own words only: Title,
// Message and Details are Meta's, may quote what was sent, and are for the
// message's own record, never for a log.
type Error struct {
	HTTPStatus int // 0 in webhooks and where no answer came
	Code       int
	Subcode    int
	Type       string // such as "OAuthException"
	Title      string
	Message    string
	Details    string
	Href       string
	FBTraceID  string // what Meta's support asks for
	Transient  bool   // Meta's own is_transient
	Class      Class
	RetryAfter time.Duration // the least that Meta asks to wait; 0 where it says nothing
	Err        error         // what went wrong on the way, where that is the cause

	object bool // Meta gave an error object with a code
}

// Reason says in a few words why, for the message's own record: ours where the
// code is known, else Meta's.
func (e *Error) Reason() string {
	if known, ok := lookUp(e.Code); ok && (e.object || e.Code != 0) {
		return known.meaning
	}
	for _, words := range []string{e.Details, e.Title, e.Message} {
		if words != "" {
			return words
		}
	}
	return "refused"
}

// Error describes the error without anything that was sent or received.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("whatsapp: " + string(e.Class))
	if e.object {
		fmt.Fprintf(&b, ": code %d", e.Code)
		if e.Subcode != 0 {
			fmt.Fprintf(&b, "/%d", e.Subcode)
		}
		if known, ok := lookUp(e.Code); ok {
			b.WriteString(" (" + known.meaning + ")")
		}
	}
	if e.HTTPStatus != 0 {
		fmt.Fprintf(&b, ", http %d", e.HTTPStatus)
	}
	if e.FBTraceID != "" {
		b.WriteString(", trace " + e.FBTraceID)
	}
	if e.Err != nil {
		b.WriteString(": " + reason(e.Err))
	}
	return b.String()
}

// Unwrap returns the cause. Its text may hold a URL; that of e doesn't.
func (e *Error) Unwrap() error { return e.Err }

// plain is an error of ours, whose text is fit for a log.
type plain string

func (p plain) Error() string { return string(p) }

const (
	errNoMessageID = plain("answer names no message")
	errUnreadable  = plain("answer is not what the API documents")
	errRedirect    = plain("answer is a redirect, which is not followed")
	errNotMedia    = plain("answer is a page, not a file")
	errNoToken     = plain("no access token")
)

// reason describes a failed exchange in words that hold nothing of it:
// net/http puts URLs and bytes of the answer into some of its errors.
func reason(err error) string {
	var (
		own  plain
		dns  *net.DNSError
		op   *net.OpError
		cert *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &own):
		return string(own)
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline exceeded"
	case errors.As(err, &dns):
		return "host name not resolved"
	case errors.As(err, &cert):
		return "certificate not trusted"
	case errors.As(err, &op):
		return op.Op + " failed on the network"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed early"
	}
	return fmt.Sprintf("%T", err)
}

// Outcome says what is known of a message after [Client.Send] returned.
type Outcome string

// The outcomes of a send.
const (
	Accepted Outcome = "accepted" // Meta has it and named it
	NotSent  Outcome = "not-sent" // certainly not sent; the error's class says what to do
	Unknown  Outcome = "unknown"  // may have been sent: only a status can tell
)

// OutcomeOf reads the outcome from what Send returned. Not sent is certain
// after an error object with a 4xx status and where the request was never
// written; an error that this package doesn't know counts as unknown.
func OutcomeOf(err error) Outcome {
	var e *Error
	switch {
	case err == nil:
		return Accepted
	case errors.Is(err, ErrInvalid):
		return NotSent
	case errors.As(err, &e) && e.Class != ClassAmbiguous:
		return NotSent
	}
	return Unknown
}

// ClassOf returns the class of an error of this package. Any other error is
// transient: what is waited for may still come.
func ClassOf(err error) Class {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrInvalid), errors.Is(err, ErrUntrustedURL):
		return ClassPermanent
	case errors.As(err, &e):
		return e.Class
	}
	return ClassTransient
}

// parseErrors reads the errors of a message, a status or a value.
func parseErrors(f fields) []Error {
	var all []Error
	for _, o := range f.objects("errors") {
		all = append(all, parseError(o, 0))
	}
	return all
}

// parseError reads one error object; status is that of the answer it came in.
func parseError(o fields, status int) Error {
	_, coded := o.number("code")
	e := Error{
		HTTPStatus: status, Code: int(o.integer("code")), Subcode: int(o.integer("error_subcode")),
		Type: o.text("type"), Title: o.text("title"), Message: o.text("message"), Href: o.text("href"),
		FBTraceID: o.text("fbtrace_id"), Transient: o.flag("is_transient"), object: coded,
	}
	e.Details = o.text("error_data") // an object, in old versions a string
	if data := o.object("error_data"); data != nil {
		e.Details = data.text("details")
	}
	if e.Details == "" {
		e.Details = o.text("details")
	}
	e.classify()
	return e
}

// Errors returns the errors that an event reports about the account or app,
// such as {"errors":[…]} beside or instead of messages.
func (u Update) Errors() []Error {
	f, _ := read(u.Body)
	return parseErrors(f)
}

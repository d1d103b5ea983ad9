package crm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"threadline/shared/chat"
)

// Receiver is a Connector whose CRM calls us: POST /crm/<name>/events.
type Receiver interface {
	// ParseInbound verifies a call, as the vendor prescribes, over its raw bytes, and reads it. It makes no call of its own.
	// A call that can't be verified is ErrForged; one that can't be read is a *Error of class Refused. What is verified but
	// says nothing to us is an Inbound without requests.
	ParseInbound(ctx context.Context, call Call) (Inbound, error)
}

// Fetcher is a Connector that can be asked what is to be sent. It is asked after a call that says less than that, and
// every few minutes where calls get lost.
type Fetcher interface {
	// FetchOutbound returns what somebody in the CRM asked to be sent since a cursor, in the order in which it was asked for,
	// and the next cursor. An empty cursor means from now on: what is older is not sent. It may return a request again.
	FetchOutbound(ctx context.Context, since string) (requests []Request, next string, err error)
}

// Reporter is a Connector that tells the CRM what became of a request, beside the entry on the timeline.
type Reporter interface {
	// Report tells it. It is idempotent, and called again when what was unknown is known.
	Report(ctx context.Context, r Request, o Outcome) error
}

// Outcome is what became of a request.
type Outcome struct {
	// Problem says that nothing was sent, or not all of it, and why, in words for whoever asked, which may be several lines;
	// empty if it was.
	Problem string

	// Unknown: nobody knows whether it was sent, and Problem says so. The entry of its message does too, if it has one.
	Unknown bool
}

// Opener is a Connector whose requests may have files.
type Opener interface {
	// OpenFile opens a file of a request. It is read as it comes: memory doesn't grow with the file. ErrGone, or a *Error of
	// class Refused, says that it can't be had.
	OpenFile(ctx context.Context, ref string) (io.ReadCloser, error)
}

// Delivery is what a CRM said, on its way through the queue.
type Delivery struct {
	V         int       `json:"v"`
	Kind      string    `json:"kind"` // KindDelivery
	Connector string    `json:"connector"`
	Requests  []Request `json:"requests,omitempty"`
	Fetch     bool      `json:"fetch,omitempty"`
}

// KindDelivery tells a delivery from other entries of the queue.
const KindDelivery = "delivery"

// Call is a call from the CRM.
type Call struct {
	Method string
	URL    string // as the CRM called it: the public address, with the query
	Header http.Header
	Body   []byte
	At     time.Time // when it came
}

// Inbound is what a call says.
type Inbound struct {
	Requests []Request
	Fetch    bool // ask FetchOutbound for the rest

	// What to answer; 200 and nothing if empty.
	Status      int
	ContentType string
	Answer      []byte
}

// Request is something that somebody in the CRM wants to be sent. It is JSON in a queue: fields are added and never
// renamed.
type Request struct {
	ID      string     `json:"id"` // the CRM's own, unique for the connector: a request with the same id is the same request
	Contact ContactRef `json:"contact,omitempty"`
	// Key is the contact as we call it, where the CRM knows that instead.
	Key   chat.ContactID `json:"key,omitempty"`
	Phone string         `json:"phone,omitempty"` // of the contact, as stored there: for somebody who never wrote

	Text     string          `json:"text,omitempty"`
	Template json.RawMessage `json:"template,omitempty"` // as in POST /api/v1/messages: {"name","language","components"?}
	Files    []RequestFile   `json:"files,omitempty"`    // of an Opener; there may be no text beside them

	Actor string    `json:"actor,omitempty"` // who asked, as shown
	At    time.Time `json:"at"`

	// Entry is the record on which the request already stands on the timeline; empty if it doesn't. The message then has no
	// entry of its own, and what became of it is added there.
	Entry EntryRef `json:"entry,omitempty"`
}

// Several tells whether a request is of several messages or may become that, so that a part of it may be sent: a text goes
// with a file, and without it if the file can't be had.
func (r Request) Several() bool { return len(r.Files) > 1 || len(r.Files) > 0 && r.Text != "" }

// Beginning is as much of a request's text as tells which one is meant.
func (r Request) Beginning() string {
	const most = 80
	if runes := []rune(r.Text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return r.Text
}

// RequestFile is a file that is to be sent.
type RequestFile struct {
	Ref  string `json:"ref"` // for OpenFile
	Name string `json:"name,omitempty"`
	MIME string `json:"mime,omitempty"`
	Size int64  `json:"size,omitempty"` // bytes; 0 if it can't be had
}

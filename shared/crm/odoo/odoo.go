// Package odoo puts conversations into Odoo 17, 18 and 19: people are contacts, entries are notes in their chatter, and
// what a user sends from the chatter goes out on WhatsApp.
//
// It guarantees that whatever it makes carries an external id of ours, such as "threadline.msg_…", so that making it twice
// is making it once; that nobody in Odoo is notified and no automation runs because of it; that an entry has the
// message's own time and is written by whoever wrote the message; and that a file passes through without being held.
// Odoo 19 is spoken to through /json/2 and older ones through JSON-RPC: it finds out which.
//
// An internal user that may create contacts suffices. Its rights never let it read external ids, so that a contact which
// somebody else made can't be given ours: it is found again by its number.
package odoo

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// MaxFile is the largest file, in bytes: Odoo takes requests of 128 MiB, a file in them is base64, and 64 KiB are left for
// the rest. https://github.com/odoo/odoo/blob/19.0/odoo/http.py DEFAULT_MAX_CONTENT_LENGTH
const MaxFile = (128<<20 - 64<<10) / 4 * 3

// Config is where an Odoo is, and who calls it.
type Config struct {
	URL    string // scheme and host, and a path if Odoo is below one
	DB     string // may be empty for a 19 that serves one database only
	Login  string // of the user that the key belongs to; 17 and 18 want it
	APIKey func(context.Context) (string, error)

	CallsPerSecond int // that the server takes; 0: no limit

	// HookURL is the public address of POST /crm/odoo/events, without a query. If it is empty, no hook is made.
	HookURL   string
	HookToken func(context.Context) (string, error) // what a call of Odoo's has to bring

	HTTP *http.Client
	Now  func() time.Time // time.Now if nil
}

// Connector is a crm.Connector, and brings back what users of Odoo send.
type Connector struct {
	config Config
	rest   *rest.Client

	mu    sync.Mutex
	known known
}

// known are facts about the server that don't change while a process lives.
type known struct {
	api    api
	user   int64           // JSON-RPC's
	fields map[string]bool // of a contact, those that matter
}

var (
	_ crm.Connector = (*Connector)(nil)
	_ crm.Receiver  = (*Connector)(nil)
	_ crm.Fetcher   = (*Connector)(nil)
	_ crm.Opener    = (*Connector)(nil)
	_ crm.Reporter  = (*Connector)(nil)
)

// New returns a connector.
func New(c Config) *Connector {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Connector{config: c, rest: rest.New(rest.Config{BaseURL: c.URL, HTTP: c.HTTP, Classify: classify})}
}

// Name is the word in CRM_CONNECTOR.
func (c *Connector) Name() string { return "odoo" }

// Capabilities: the chatter shows what was made last first, whatever its date.
func (c *Connector) Capabilities() crm.Capabilities {
	return crm.Capabilities{
		AtomicContacts: true, AtomicMessages: true, AtomicFiles: true,
		InsertionOrder: true, FilesFirst: true, MaxFile: MaxFile,
		Calls: c.config.CallsPerSecond, Per: time.Second,
	}
}

// The models that are used, and the name of the module in our external ids.
const (
	partnerModel    = "res.partner"
	messageModel    = "mail.message"
	attachmentModel = "ir.attachment"
	module          = "threadline"
)

// recordID reads a ref; 0 if it isn't one of ours.
func recordID[Ref ~string](ref Ref) int64 {
	id, err := strconv.ParseInt(string(ref), 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

// refOf makes a ref of an id; an empty one of none.
func refOf[Ref ~string](id int64) Ref {
	if id <= 0 {
		return ""
	}
	return Ref(strconv.FormatInt(id, 10))
}

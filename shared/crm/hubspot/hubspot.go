// Package hubspot puts conversations on HubSpot records: a contact for each person, a WhatsApp communication for each
// message, a private file for each attachment.
//
// What prevents doubles: unique properties of ours (threadline_id on contacts, threadline_message on communications and
// notes), read with ?idProperty=, which is strongly consistent, before anything is created. Files have a name made of
// their key, in a folder of our own, and an upload of the same name overwrites.
//
// An account that refuses a unique property on communications gets a marker in the text instead, found by search.
// HubSpot's search lags behind its writes, so there a call whose outcome nobody recorded must not be repeated before
// SearchLag; the connector asks for that wait itself whenever it is the one that doesn't know.
package hubspot

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"threadline/shared/crm"
)

// Version is the version of HubSpot's object and file APIs that every request names.
// https://developers.hubspot.com/docs/api-reference/latest/overview
const Version = "2026-03"

// SearchLag is how long HubSpot's search may take to show what was written. HubSpot promises "a few moments"; seconds
// have been observed. https://developers.hubspot.com/docs/api-reference/search/guide#limitations
const SearchLag = 30 * time.Second

// DefaultBaseURL is where HubSpot's API is.
const DefaultBaseURL = "https://api.hubapi.com"

// The properties of ours.
const (
	contactKey = "threadline_id"      // on contacts: chat.ContactID
	messageKey = "threadline_message" // on communications and notes: crm.Entry.Key
)

// The objects that the connector writes.
const (
	contacts       = "contacts"
	communications = "communications"
	notes          = "notes"
)

// Config is what a Connector needs. Only Token is required.
type Config struct {
	BaseURL string // scheme and host; DefaultBaseURL if empty
	// Token returns the bearer token: of a service key, a private app or an OAuth installation.
	Token func(context.Context) (string, error)
	HTTP  *http.Client     // http.DefaultClient if nil
	Now   func() time.Time // time.Now if nil
}

// Connector is crm.Connector for HubSpot. It is safe for concurrent use.
type Connector struct {
	base  string
	token func(context.Context) (string, error)
	http  *http.Client
	now   func() time.Time

	mu      sync.Mutex
	marked  map[string]bool    // objects of which the account refuses our unique property
	attach  *bool              // whether communications carry attachments; nil: not asked yet
	written map[string]attempt // marked mode: what search may not show yet
}

var _ crm.Connector = (*Connector)(nil)

// New returns a connector.
func New(c Config) *Connector {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	web := *c.HTTP
	// The token goes where it was meant to go and nowhere else.
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Connector{
		base:    strings.TrimRight(c.BaseURL, "/"),
		token:   c.Token,
		http:    &web,
		now:     c.Now,
		marked:  map[string]bool{},
		written: map[string]attempt{},
	}
}

// Name returns "hubspot".
func (c *Connector) Name() string { return "hubspot" }

// Package hubspot puts conversations on HubSpot records: a contact for each person, a WhatsApp communication for each
// entry, a private file for each attachment.
//
// What prevents doubles: unique properties of ours (threadline_id on contacts, threadline_message on communications and
// notes). HubSpot refuses a second record with the same value, and a read with ?idProperty= is strongly consistent. Files
// have a name made of their key, in a folder of our own.
//
// An account that refuses a unique property on communications gets a plain one instead, or a marker in the text where it
// refuses that too; either is found by search, which lags behind HubSpot's writes by SearchLag at most.
package hubspot

import (
	"context"
	"net/http"
	"sync"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Version is the version of HubSpot's APIs that requests name unless Config says otherwise.
// https://developers.hubspot.com/docs/api-reference/latest/overview
const Version = "2026-03"

// SearchLag is how long HubSpot's search may take to show what was written. HubSpot promises "a few moments"; seconds
// have been observed. https://developers.hubspot.com/docs/api-reference/search/guide#limitations
const SearchLag = 30 * time.Second

// DefaultBaseURL is where HubSpot's API is.
const DefaultBaseURL = "https://api.hubapi.com"

// The calls of an account in ten seconds: HubSpot allows 100 to the smallest plan. We stay a little below it, because
// others may use the same app. https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
const (
	defaultCalls = 95
	window       = 10 * time.Second
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
	Version string // of the APIs: "2026-03" or "2026-09"; Version if empty
	// Token returns the bearer token: of a service key, a private app or an OAuth installation.
	Token func(context.Context) (string, error)
	// ClientSecret returns the client secret of the app whose workflow action calls us; nil if there is none.
	ClientSecret func(context.Context) (string, error)
	// PublicURL is the address of POST /crm/hubspot/events as HubSpot calls it: it is signed. If it is empty, the address
	// that the call itself tells is taken.
	PublicURL string
	// Calls is how many calls all functions together may make in ten seconds; 95 if it is 0.
	Calls int
	HTTP  *http.Client     // http.DefaultClient if nil
	Now   func() time.Time // time.Now if nil
}

// Connector is crm.Connector for HubSpot. It is safe for concurrent use.
type Connector struct {
	rest      *rest.Client
	version   string
	secret    func(context.Context) (string, error)
	publicURL string
	calls     int
	now       func() time.Time

	// What was learnt of the account. It doesn't change, and costs a call to learn again.
	mu      sync.Mutex
	facts   map[string]facts // of communications and notes
	lacking []string         // properties of ours that the account refuses
	zone    *time.Location   // of the account; nil if it isn't known
}

var (
	_ crm.Connector = (*Connector)(nil)
	_ crm.Receiver  = (*Connector)(nil)
	_ crm.Reporter  = (*Connector)(nil)
)

// New returns a connector.
func New(c Config) *Connector {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if c.Version == "" {
		c.Version = Version
	}
	if c.Calls == 0 {
		c.Calls = defaultCalls
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Connector{
		rest: rest.New(rest.Config{
			BaseURL: c.BaseURL,
			HTTP:    c.HTTP,
			Authorize: func(ctx context.Context, r *http.Request) error {
				token, err := c.Token(ctx)
				r.Header.Set("Authorization", "Bearer "+token)
				return err
			},
			Classify: classify,
		}),
		version:   c.Version,
		secret:    c.ClientSecret,
		publicURL: c.PublicURL,
		calls:     c.Calls,
		now:       c.Now,
		facts:     map[string]facts{},
	}
}

// Name returns "hubspot".
func (c *Connector) Name() string { return "hubspot" }

// Capabilities returns what HubSpot can do. Messages and files aren't atomic: an account may refuse the unique property,
// and an upload that overwrites deletes the file that may be attached already.
func (c *Connector) Capabilities() crm.Capabilities {
	return crm.Capabilities{
		AtomicContacts: true,
		SearchLag:      SearchLag,
		FilesFirst:     true,
		Calls:          c.calls,
		Per:            window,
	}
}

// Package pipedrive puts conversations on the persons of a Pipedrive account: a note for each entry, dated as the
// message, and a file on the person for each attachment.
//
// Pipedrive has neither unique fields nor idempotency keys, so nothing is atomic. What was made is found again by marks
// of ours: a custom field on persons, the line "Ref. tl…" at the end of a note, and "-tl…" in a file's name. Nothing
// hidden would do: how Pipedrive sanitises HTML isn't documented, and a line of text is what any sanitiser keeps.
//
// Before a message or a file is written the person is read, for one token: Pipedrive keeps a deleted or merged person
// for 30 days and doesn't say that it would refuse a note on one. An answer of 200 that says "success": false is a
// failure. A note that begins with "/wa " is an answer to the customer: it comes by webhook, and by asking.
package pipedrive

import (
	"context"
	"net/http"
	"sync"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// DefaultURL is where Pipedrive's API is; https://{company}.pipedrive.com is the same one, nearer to the data.
const DefaultURL = "https://api.pipedrive.com"

// SearchLag is how long a search may not show what was written. Pipedrive publishes no number; seconds were seen. Notes
// and files are listed and not searched, so this is more than they need.
const SearchLag = time.Minute

// maxFile is in bytes. It is what Pipedrive's users meet; the API's documents don't say it.
const maxFile = 50_000_000

// Config is what a Connector needs. Only Token is required.
type Config struct {
	URL string // scheme and host; DefaultURL if empty
	// Token returns the API token of a user.
	Token func(context.Context) (string, error)

	HookURL  string // public address of POST /crm/pipedrive/events; empty: no webhook
	HookUser string // "threadline" if empty
	// HookPassword returns what Pipedrive's webhooks bring along; they have no signature.
	HookPassword func(context.Context) (string, error)

	// PanelSecret returns the JWT secret of the custom panel, empty if there is none; nil: there is none.
	PanelSecret func(context.Context) (string, error)

	HTTP *http.Client     // http.DefaultClient if nil
	Now  func() time.Time // time.Now if nil
}

// Connector is crm.Connector for Pipedrive. It is safe for concurrent use.
type Connector struct {
	config Config
	rest   *rest.Client

	mu     sync.Mutex
	fields *fields // nil: not read yet
}

var (
	_ crm.Connector = (*Connector)(nil)
	_ crm.Receiver  = (*Connector)(nil)
	_ crm.Fetcher   = (*Connector)(nil)
	_ crm.Reporter  = (*Connector)(nil)
	_ crm.Paneler   = (*Connector)(nil)
)

// New returns a connector.
func New(c Config) *Connector {
	if c.URL == "" {
		c.URL = DefaultURL
	}
	if c.HookUser == "" {
		c.HookUser = "threadline"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Connector{config: c}
	p.rest = rest.New(rest.Config{
		BaseURL: c.URL,
		HTTP:    c.HTTP,
		Authorize: func(ctx context.Context, r *http.Request) error {
			token, err := c.Token(ctx)
			r.Header.Set("x-api-token", token)
			return err
		},
		Classify: p.classify,
	})
	return p
}

// Name returns "pipedrive".
func (c *Connector) Name() string { return "pipedrive" }

// Capabilities says, among others, 10 calls in 2 seconds: that many searches Pipedrive takes from a token on any plan,
// and half of what it takes on the smallest one. https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
func (c *Connector) Capabilities() crm.Capabilities {
	return crm.Capabilities{SearchLag: SearchLag, MaxFile: maxFile, Calls: 10, Per: 2 * time.Second}
}

// Check reads whose token it is, and one page of persons.
func (c *Connector) Check(ctx context.Context) error {
	var me struct {
		Active  *bool `json:"active_flag"`
		Deleted bool  `json:"is_deleted"`
	}
	if _, err := c.call(ctx, operation{"read user", http.MethodGet, "base"}, "/v1/users/me", nil, &me); err != nil {
		return err
	}
	if me.Deleted || me.Active != nil && !*me.Active {
		return &crm.Error{Class: crm.Stopped, Op: "read user", Status: http.StatusOK, Reason: "USER_IS_NOT_ACTIVE"}
	}
	_, err := c.call(ctx, operation{"list persons", http.MethodGet, readContacts}, "/api/v2/persons?limit=1", nil, nil)
	return err
}

// Provision makes the custom fields and the webhook. It is idempotent. A webhook that Pipedrive won't make, for one of 40
// too many or an address that it can't reach, stops nothing: answers are found by asking.
func (c *Connector) Provision(ctx context.Context) error {
	if err := c.provisionFields(ctx); err != nil {
		return err
	}
	if err := c.provisionHook(ctx); !declined(err) {
		return err
	}
	return nil
}

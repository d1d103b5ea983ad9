// Package espocrm puts conversations on EspoCRM contacts (version 8.4 and later).
//
// Where an administrator has made the custom entity CWhatsappMessage, each entry is a record of it: with the message's
// own time, found again by its key, and answered by making one by hand. Everywhere else it is a note on the contact's
// stream: those can't be dated, so the text begins with the time, and the key is in a link definition, which is Markdown
// that isn't shown. The person's key is in a custom field, or else in the description of contacts that we made.
//
// Nothing is atomic here. A caller that doesn't know what became of a call looks first; lists show at once what was made.
package espocrm

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// maxFile is the largest file that is uploaded, in bytes. As base64 it has to pass through PHP's post_max_size, for which
// EspoCRM recommends 50M. https://docs.espocrm.com/administration/server-configuration/#php-requirements
const maxFile = 36 << 20

// Config is what a Connector needs. Only URL and APIKey are required.
type Config struct {
	URL    string                                // of the EspoCRM site: scheme and host, and a path if it is below one
	APIKey func(context.Context) (string, error) // of an API user

	// WebhookSecret returns the secret key of the webhook on CWhatsappMessage.create, which EspoCRM shows to
	// administrators. Without one no call from EspoCRM is believed, and replies are found by FetchOutbound alone.
	WebhookSecret func(context.Context) (string, error)

	HTTP *http.Client     // http.DefaultClient if nil
	Now  func() time.Time // time.Now if nil
}

// Connector is crm.Connector for EspoCRM. It is safe for concurrent use.
type Connector struct {
	rest   *rest.Client
	secret func(context.Context) (string, error)
	now    func() time.Time

	mu    sync.Mutex
	known *schema // what the instance has, as it was at readAt
	at    time.Time
}

var (
	_ crm.Connector = (*Connector)(nil)
	_ crm.Receiver  = (*Connector)(nil)
	_ crm.Fetcher   = (*Connector)(nil)
	_ crm.Reporter  = (*Connector)(nil)
	_ crm.Opener    = (*Connector)(nil)
)

// New returns a connector.
func New(c Config) *Connector {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Connector{secret: c.WebhookSecret, now: c.Now, rest: rest.New(rest.Config{
		BaseURL: strings.TrimRight(c.URL, "/") + "/api/v1",
		HTTP:    c.HTTP,
		Authorize: func(ctx context.Context, r *http.Request) error {
			key, err := c.APIKey(ctx)
			if err == nil {
				r.Header.Set("X-Api-Key", strings.TrimSpace(key))
			}
			return err
		},
		Classify: classify,
	})}
}

// Name returns "espocrm".
func (c *Connector) Name() string { return "espocrm" }

// Capabilities are those of the stream: of the custom entity only the order is better.
func (c *Connector) Capabilities() crm.Capabilities {
	return crm.Capabilities{InsertionOrder: true, FilesFirst: true, MaxFile: maxFile}
}

// Check reads what the API user may do. https://docs.espocrm.com/development/api/#authentication-token-user-specific-data
func (c *Connector) Check(ctx context.Context) error {
	const op = "check"
	var user struct {
		ACL struct {
			Table map[string]json.RawMessage `json:"table"`
		} `json:"acl"`
	}
	if err := c.rest.JSON(ctx, op, http.MethodGet, "/App/user", nil, &user); err != nil {
		return err
	}
	has, err := c.schema(ctx)
	if err != nil {
		return err
	}
	need := map[string][]string{contactType: {"create", "read", "edit", "stream"}}
	if has.messages {
		need[messageType] = []string{"create", "read", "edit"}
	}
	var missing []string
	for _, scope := range []string{contactType, messageType} {
		levels := map[string]string{}
		_ = json.Unmarshal(user.ACL.Table[scope], &levels) // false, where nothing is allowed
		for _, action := range need[scope] {
			if level := levels[action]; level == "" || level == "no" {
				missing = append(missing, scope+": "+action)
			}
		}
	}
	if missing != nil {
		return &crm.Error{Class: crm.Stopped, Op: op, Reason: "MISSING_PERMISSIONS", Scopes: missing}
	}
	return nil
}

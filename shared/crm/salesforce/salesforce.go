// Package salesforce connects Salesforce: contacts, the WhatsApp messages on them, and their files.
//
// In an org with the metadata of infra/salesforce each entry is a WA_Message__c, a detail of its contact, with our key
// in a unique external id: Salesforce itself keeps an entry from being made twice. In an org without it an entry is a
// completed task whose text ends with the key. A contact carries our key in Contact.WA_Id__c, which both need. A file
// is a Salesforce file, for internal users, on the contact and on the entry.
//
// Credentials go to the configured My Domain and to the same org's instance, nowhere else. What people wrote never is
// part of a query, and no error holds it.
package salesforce

import (
	"context"
	"net/http"
	"sync"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Version is the version of the REST API that the connector speaks.
const Version = "v62.0"

const dataPath = "/services/data/" + Version + "/"

// Config is what a Connector needs. Of ClientSecret and PrivateKey one is enough, the other nil or an empty text; of both
// the key is used.
type Config struct {
	URL          string                                // My Domain: https://<name>.my.salesforce.com
	ClientID     string                                // of the external client app
	ClientSecret func(context.Context) (string, error) // for client credentials
	PrivateKey   func(context.Context) (string, error) // PEM, for the JWT bearer flow
	Username     string                                // of the user as whom a JWT works
	LoginURL     string                                // the JWT's audience; https://login.salesforce.com if empty
	HookSecret   func(context.Context) (string, error) // what a flow's call brings; nil: no call is believed
	HTTP         *http.Client                          // http.DefaultClient if nil
	Now          func() time.Time                      // time.Now if nil
}

// Connector is a Salesforce org. New makes one.
type Connector struct {
	config Config
	login  *rest.Client

	mu      sync.Mutex
	session *session // nil: log in first
	layout  *layout  // nil: not known yet
}

// New returns a connector; it makes no call.
func New(c Config) *Connector {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.LoginURL == "" {
		c.LoginURL = "https://login.salesforce.com"
	}
	return &Connector{config: c, login: rest.New(rest.Config{BaseURL: c.URL, HTTP: c.HTTP, Classify: loginFailure})}
}

// Name is the word in CRM_CONNECTOR.
func (*Connector) Name() string { return "salesforce" }

// Capabilities hold with the metadata and without. With it alone messages would be atomic, and shown by their own time:
// tasks of one day stand in the order in which they were made.
func (*Connector) Capabilities() crm.Capabilities {
	return crm.Capabilities{AtomicContacts: true, InsertionOrder: true, MaxFile: maxFile}
}

// needs are what the connector must be let do with an object.
type needs struct {
	write, read []string // fields
	made        bool     // by people: the connector only changes it
}

// What the connector needs.
var required = map[string]needs{
	"Contact":     {write: []string{"LastName", "FirstName", "MobilePhone", contactKey}, read: telephones},
	taskObject:    {write: []string{"WhoId", "Subject", "Description", "Status", "ActivityDate"}},
	versionObject: {write: []string{"Title", "PathOnClient", "FirstPublishLocationId", "Description"}},
}

// The same in an org with the metadata. There nothing depends on tasks.
var requiredWithMetadata = map[string]needs{
	"Contact": {
		write: []string{"LastName", "FirstName", "MobilePhone", contactKey, contactUsername, contactMarketing}, read: telephones,
	},
	versionObject:  {write: []string{"Title", "PathOnClient", "FirstPublishLocationId", fileKey}},
	messageObject:  {write: []string{messageKey, "Contact__c", "SentAt__c", "Direction__c", "Status__c", "Body__c"}},
	outboundObject: {write: []string{"Status__c", "Problem__c"}, read: []string{"Contact__c", "Text__c", "Template__c"}, made: true},
}

// Check logs in and asks what the user may write and read.
func (c *Connector) Check(ctx context.Context) error { return c.verify(ctx) }

// Provision can't deploy metadata, which takes an administrator: it looks at the org anew and says what lacks.
func (c *Connector) Provision(ctx context.Context) error {
	c.forgetLayout()
	return c.verify(ctx)
}

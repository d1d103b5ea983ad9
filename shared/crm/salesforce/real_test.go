package salesforce_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/salesforce"
)

// TestRealServer runs the suite against an org of one's own: a sandbox or a developer edition in which the metadata is
// deployed, and whose user may also delete contacts. SALESFORCE_SITES says that it has an Experience Cloud site.
func TestRealServer(t *testing.T) {
	address, id, secret := os.Getenv("SALESFORCE_URL"), os.Getenv("SALESFORCE_CLIENT_ID"), os.Getenv("SALESFORCE_CLIENT_SECRET")
	if address == "" || id == "" || secret == "" {
		t.Skip("set SALESFORCE_URL, SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET to run the suite against a real org")
	}
	config := salesforce.Config{URL: address, ClientID: id, ClientSecret: crmtest.Secret(secret)}
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		return live(t, config, os.Getenv("SALESFORCE_SITES") != "", func(d time.Duration) { time.Sleep(min(d, 3*time.Second)) })
	})
}

// TestLiveFixture runs it as if the simulator were a real org, so that what looks at one is known to work.
func TestLiveFixture(t *testing.T) {
	o := newOrg(t, true)
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture { return live(t, o.config(), true, o.clock.Advance) })
}

// admin looks at an org over its API.
type admin struct {
	t        *testing.T
	url      string
	token    string
	user     string
	contacts map[string]bool // that were there before
	sites    bool            // customers may log in: files must be for internal users
}

func live(t *testing.T, config salesforce.Config, sites bool, advance func(time.Duration)) crmtest.Fixture {
	t.Helper()
	secret, err := config.ClientSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.PostForm(config.URL+"/services/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {config.ClientID}, "client_secret": {secret},
	})
	if err != nil {
		t.Fatal(err)
	}
	var session struct {
		Token string `json:"access_token"`
		ID    string `json:"id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&session); err != nil || session.Token == "" {
		t.Fatalf("log in: status %d", res.StatusCode)
	}
	a := &admin{t: t, url: config.URL, token: session.Token, user: session.ID[strings.LastIndex(session.ID, "/")+1:]}
	a.contacts = map[string]bool{}
	a.sites = sites
	for _, row := range a.mine() {
		a.contacts[row.ID] = true
	}
	connect := func(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
		c := config
		c.HTTP = crmtest.Through(wrap, checked{t, http.DefaultTransport})
		return salesforce.New(c)
	}
	return crmtest.Fixture{Connect: connect, CRM: a, Advance: advance, Live: true, Ready: true}
}

func (a *admin) call(method, path string, in, out any) {
	a.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			a.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	// The suite cleans up when its own context has ended.
	r, err := http.NewRequestWithContext(context.Background(), method, a.url+"/services/data/v62.0/"+path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	switch out := out.(type) {
	case io.Writer:
		_, err = io.Copy(out, res.Body)
	case nil:
	default:
		err = json.NewDecoder(res.Body).Decode(out)
	}
	if err != nil || res.StatusCode > 299 {
		a.t.Fatalf("%s %s: status %d, %v", method, path, res.StatusCode, err)
	}
}

// row is what is asked of any object here.
type row struct {
	ID, FirstName, LastName, MobilePhone, Phone string
	Key                                         string `json:"WA_Id__c"`
	SentAt                                      string `json:"SentAt__c"`
	Body                                        string `json:"Body__c"`
	Visibility                                  string
	ContentDocument                             struct{ LatestPublishedVersionID string }
}

func (a *admin) query(soql string) []row {
	a.t.Helper()
	var page struct{ Records []row }
	a.call("GET", "query?q="+url.QueryEscape(soql), nil, &page)
	return page.Records
}

func (a *admin) mine() []row {
	a.t.Helper()
	return a.query("SELECT Id, FirstName, LastName, MobilePhone, Phone, WA_Id__c FROM Contact WHERE CreatedById = '" + a.user + "' ORDER BY CreatedDate DESC LIMIT 2000")
}

func (a *admin) Contacts() []crmtest.Contact {
	a.t.Helper()
	var list []crmtest.Contact
	for _, r := range a.mine() {
		if !a.contacts[r.ID] {
			name := strings.TrimSpace(r.FirstName + " " + r.LastName)
			list = append(list, crmtest.Contact{ID: r.ID, Key: r.Key, Name: name, Phone: cmp.Or(r.MobilePhone, r.Phone)})
		}
	}
	return list
}

func (a *admin) Entries(contact string) []crmtest.Entry {
	a.t.Helper()
	var list []crmtest.Entry
	for _, m := range a.query("SELECT Id, SentAt__c, Body__c FROM WA_Message__c WHERE Contact__c = '" + contact + "' ORDER BY SentAt__c, Name") {
		at, _ := time.Parse("2006-01-02T15:04:05.000-0700", m.SentAt)
		e := crmtest.Entry{At: at, Text: m.Body}
		for _, link := range a.query("SELECT Visibility, ContentDocument.LatestPublishedVersionId FROM ContentDocumentLink WHERE LinkedEntityId = '" + m.ID + "'") {
			h := sha256.New()
			var size counter
			a.call("GET", "sobjects/ContentVersion/"+link.ContentDocument.LatestPublishedVersionID+"/VersionData", nil, io.MultiWriter(h, &size))
			e.Files = append(e.Files, crmtest.File{Private: link.Visibility == "InternalUsers" || !a.sites, Size: int64(size), SHA256: [32]byte(h.Sum(nil))})
		}
		list = append(list, e)
	}
	return list
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func (a *admin) AddContact(name, phone string) (string, bool) {
	a.t.Helper()
	first, last, _ := strings.Cut(name, " ")
	var out struct{ ID string }
	a.call("POST", "sobjects/Contact", map[string]string{"FirstName": first, "LastName": last, "Phone": phone}, &out)
	return out.ID, true
}

func (a *admin) DeleteContact(id string) { a.call("DELETE", "sobjects/Contact/"+id, nil, nil) }

func (a *admin) Forbid() string { return "" } // not of a real org

func (a *admin) Limit(time.Duration) bool { return false }

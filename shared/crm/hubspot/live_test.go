package hubspot_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/hubspot"
)

// TestRealServer runs the suite in a real account. It makes contacts there and deletes them: use a developer test account.
func TestRealServer(t *testing.T) {
	token := os.Getenv("HUBSPOT_TEST_TOKEN")
	if token == "" {
		t.Skip("set HUBSPOT_TEST_TOKEN, the token of a HubSpot test account, to run the suite there")
	}
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		l := &live{t: t, base: cmp.Or(os.Getenv("HUBSPOT_TEST_API_URL"), hubspot.DefaultBaseURL), token: token}
		l.others = l.Contacts()
		return crmtest.Fixture{
			Connect: l.connect, CRM: l, Live: true,
			Advance: func(d time.Duration) { time.Sleep(min(d, 3*time.Second)) }, // there is no other clock
		}
	})
}

// live is a real account, and crmtest.Inspector for it.
type live struct {
	t           *testing.T
	base, token string
	others      []crmtest.Contact // that were there before
}

func (l *live) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	return hubspot.New(hubspot.Config{
		BaseURL: l.base, Version: os.Getenv("HUBSPOT_TEST_API_VERSION"), Token: crmtest.Secret(l.token),
		HTTP: crmtest.Through(wrap, http.DefaultTransport),
	})
}

// record is an object as the API tells it.
type record struct {
	ID           string
	Properties   map[string]string
	Associations map[string]struct{ Results []struct{ ID string } }
}

// do makes a call, after a pause if HubSpot wants one.
func (l *live) do(method, path, body string, out any) {
	l.t.Helper()
	for range 20 {
		r, err := http.NewRequest(method, l.base+path, strings.NewReader(body))
		if err != nil {
			l.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+l.token)
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			l.t.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			l.t.Fatal(err)
		}
		if res.StatusCode == http.StatusTooManyRequests {
			time.Sleep(time.Second)
			continue
		}
		if res.StatusCode > 299 {
			l.t.Fatalf("%s %s: %d", method, path, res.StatusCode)
		}
		if out != nil {
			if err := json.Unmarshal(answer, out); err != nil {
				l.t.Fatal(err)
			}
		}
		return
	}
	l.t.Fatalf("%s %s: no end of 429", method, path)
}

const objectsPath = "/crm/objects/2026-03/"

func (l *live) Contacts() []crmtest.Contact {
	l.t.Helper()
	var list []crmtest.Contact
	for after := "0"; after != ""; {
		var page struct {
			Results []record
			Paging  struct{ Next struct{ After string } }
		}
		l.do("GET", objectsPath+"contacts?limit=100&properties=firstname,lastname,phone,threadline_id&after="+after, "", &page)
		for _, r := range page.Results {
			c := crmtest.Contact{ID: r.ID, Key: r.Properties["threadline_id"], Phone: r.Properties["phone"]}
			c.Name = strings.TrimSpace(r.Properties["firstname"] + " " + r.Properties["lastname"])
			if !slices.ContainsFunc(l.others, func(o crmtest.Contact) bool { return o.ID == c.ID }) {
				list = append(list, c)
			}
		}
		after = page.Paging.Next.After
	}
	return list
}

func (l *live) Entries(contact string) []crmtest.Entry {
	l.t.Helper()
	var c record
	l.do("GET", objectsPath+"contacts/"+contact+"?associations=communications,notes", "", &c)
	var list []crmtest.Entry
	for kind, body := range map[string]string{"communications": "hs_communication_body", "notes": "hs_note_body"} {
		for _, a := range c.Associations[kind].Results {
			var r record
			l.do("GET", objectsPath+kind+"/"+a.ID+"?properties=hs_timestamp,hs_attachment_ids,"+body, "", &r)
			at, err := time.Parse(time.RFC3339, r.Properties["hs_timestamp"])
			if err != nil {
				l.t.Fatal(err)
			}
			e := crmtest.Entry{At: at, HTML: r.Properties[body], Text: crmtest.Shown(r.Properties[body])}
			for _, id := range strings.FieldsFunc(r.Properties["hs_attachment_ids"], func(r rune) bool { return r == ';' }) {
				e.Files = append(e.Files, l.file(id))
			}
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b crmtest.Entry) int { return a.At.Compare(b.At) })
	return list
}

func (l *live) file(id string) crmtest.File {
	l.t.Helper()
	var meta struct {
		Access string
		Size   int64
	}
	var signed struct{ URL string }
	l.do("GET", "/files/2026-03/files/"+id, "", &meta)
	l.do("GET", "/files/2026-03/files/"+id+"/signed-url", "", &signed)
	res, err := http.Get(signed.URL)
	if err != nil {
		l.t.Fatal(err)
	}
	return crmtest.File{Private: meta.Access == "PRIVATE", Size: meta.Size, SHA256: crmtest.SumOf(l.t, res.Body)}
}

func (l *live) AddContact(name, phone string) (string, bool) {
	l.t.Helper()
	first, last, _ := strings.Cut(name, " ")
	var made record
	l.do("POST", objectsPath+"contacts", fmt.Sprintf(
		`{"properties":{"firstname":%q,"lastname":%q,"phone":%q},"associations":[]}`, first, last, phone), &made)
	l.await(made.ID, 1)
	return made.ID, true
}

// await waits until search shows a contact so many times.
func (l *live) await(id string, times int) {
	l.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		var found struct{ Total int }
		l.do("POST", objectsPath+"contacts/search", fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":"hs_object_id",
			"operator":"EQ","value":%q}]}],"properties":[],"sorts":[],"limit":1,"after":"0"}`, id), &found)
		if found.Total == times {
			return
		}
	}
	l.t.Fatal("search is more than a minute behind")
}

func (l *live) DeleteContact(id string) {
	l.t.Helper()
	l.do("DELETE", objectsPath+"contacts/"+id, "", nil)
	l.await(id, 0)
}

// Nobody takes a real account's permissions away, or drives it to its limits: the suite doesn't ask for it.

func (l *live) Forbid() string           { return "" }
func (l *live) Limit(time.Duration) bool { return false }

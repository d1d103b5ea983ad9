package pipedrive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/pipedrive"
)

// TestRealServer runs the suite against an account of Pipedrive's, which should be a sandbox: it costs some 30,000 tokens,
// and deletes the persons that it made.
func TestRealServer(t *testing.T) {
	address, token := os.Getenv("PIPEDRIVE_API_URL"), os.Getenv("PIPEDRIVE_TOKEN")
	if address == "" || token == "" {
		t.Skip("there is no account of Pipedrive's: set PIPEDRIVE_API_URL and PIPEDRIVE_TOKEN")
	}
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		l := &live{t: t, url: strings.TrimRight(address, "/"), token: token, since: time.Now().UTC().Truncate(time.Second)}
		return crmtest.Fixture{
			Live: true, CRM: l, Advance: func(d time.Duration) { time.Sleep(min(d, 5*time.Second)) },
			Connect: func(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
				return pipedrive.New(pipedrive.Config{
					URL: l.url, Token: crmtest.Secret(token), HTTP: crmtest.Through(wrap, crmtest.Transport(slowly)),
				})
			},
		}
	})
}

// slowly keeps to what an account takes.
func slowly(r *http.Request) (*http.Response, error) {
	time.Sleep(250 * time.Millisecond)
	return http.DefaultTransport.RoundTrip(r)
}

// live is crmtest.Inspector for a real account: it shows what was made since the test began.
type live struct {
	t          *testing.T
	url, token string
	since      time.Time
}

func (l *live) call(method, path string, in any, out any) {
	l.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		l.t.Fatal(err)
	}
	r, err := http.NewRequest(method, l.url+path, bytes.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("x-api-token", l.token)
	r.Header.Set("Content-Type", "application/json")
	res, err := slowly(r)
	if err != nil {
		l.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	if w, ok := out.(io.Writer); ok {
		l.download(w, res)
		return
	}
	answer := struct {
		Data any `json:"data"`
	}{out}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode > 299 {
		l.t.Fatalf("%s %s: %d, %v", method, path, res.StatusCode, err)
	}
}

// download follows a redirect to where the bytes are, without the token.
func (l *live) download(w io.Writer, res *http.Response) {
	l.t.Helper()
	if to := res.Header.Get("Location"); to != "" {
		var err error
		if res, err = http.Get(to); err != nil {
			l.t.Fatalf("download: %v", err)
		}
		defer func() { _ = res.Body.Close() }()
	}
	if _, err := io.Copy(w, res.Body); err != nil || res.StatusCode != http.StatusOK {
		l.t.Fatalf("download: %d, %v", res.StatusCode, err)
	}
}

func (l *live) keyField() string {
	var fields []struct {
		Name string `json:"field_name"`
		Code string `json:"field_code"`
	}
	l.call(http.MethodGet, "/api/v2/personFields?limit=500", nil, &fields)
	for _, f := range fields {
		if f.Name == "Threadline ID" {
			return f.Code
		}
	}
	return ""
}

func (l *live) Contacts() []crmtest.Contact {
	var persons []struct {
		ID      int64                    `json:"id"`
		Name    string                   `json:"name"`
		Added   time.Time                `json:"add_time"`
		Deleted bool                     `json:"is_deleted"`
		Phones  []struct{ Value string } `json:"phones"`
		Custom  map[string]any           `json:"custom_fields"`
	}
	key := l.keyField()
	l.call(http.MethodGet, "/api/v2/persons?limit=500&updated_since="+url.QueryEscape(l.since.Format(time.RFC3339)), nil, &persons)
	var list []crmtest.Contact
	for _, p := range persons {
		if p.Deleted || p.Added.Before(l.since) {
			continue
		}
		c := crmtest.Contact{ID: fmt.Sprint(p.ID), Name: p.Name}
		c.Key, _ = p.Custom[key].(string)
		for _, n := range p.Phones {
			c.Phone += n.Value
		}
		list = append(list, c)
	}
	return list
}

func (l *live) Entries(contact string) []crmtest.Entry {
	var notes []struct {
		Content string `json:"content"`
		Added   string `json:"add_time"`
	}
	var files []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
		Size int64  `json:"file_size"`
	}
	l.call(http.MethodGet, "/v1/notes?limit=100&sort=add_time%20ASC&person_id="+contact, nil, &notes)
	l.call(http.MethodGet, "/v1/persons/"+contact+"/files?limit=100", nil, &files)
	var list []crmtest.Entry
	for _, n := range notes {
		at, err := time.Parse(time.DateTime, n.Added)
		if err != nil {
			l.t.Fatal(err)
		}
		e := crmtest.Entry{At: at, HTML: n.Content, Text: crmtest.Shown(n.Content)}
		for _, f := range files {
			if strings.Contains(html.UnescapeString(n.Content), f.Name) {
				h := sha256.New()
				l.call(http.MethodGet, fmt.Sprintf("/v1/files/%d/download", f.ID), nil, h)
				e.Files = append(e.Files, crmtest.File{Private: true, Size: f.Size, SHA256: [32]byte(h.Sum(nil))})
			}
		}
		list = append(list, e)
	}
	return list
}

func (l *live) AddContact(name, phone string) (string, bool) {
	var made struct {
		ID int64 `json:"id"`
	}
	l.call(http.MethodPost, "/api/v2/persons", map[string]any{"name": name, "phones": []any{map[string]any{"value": phone}}}, &made)
	for range 30 {
		var found struct {
			Items []struct {
				Item struct {
					ID int64 `json:"id"`
				} `json:"item"`
			} `json:"items"`
		}
		l.call(http.MethodGet, "/api/v2/persons/search?fields=phone&term="+url.QueryEscape(phone), nil, &found)
		for _, i := range found.Items {
			if i.Item.ID == made.ID {
				return fmt.Sprint(made.ID), true
			}
		}
		time.Sleep(2 * time.Second)
	}
	l.t.Fatalf("a person isn't found a minute after it was typed in")
	return "", false
}

func (l *live) DeleteContact(id string) { l.call(http.MethodDelete, "/api/v2/persons/"+id, nil, nil) }

func (l *live) Forbid() string { return "" }

func (l *live) Limit(time.Duration) bool { return false }

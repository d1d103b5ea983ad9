package espocrm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/crm/crmtest"
)

// inspector looks at an EspoCRM through its API, as its user does: at the contacts that are newer than the inspector.
type inspector struct {
	t        *testing.T
	url, key string
	http     *http.Client
	since    time.Time
	user     string // whose contacts these are; everybody's if empty
}

const datetime = "2006-01-02 15:04:05"

// live looks at a real server: at what the API user itself makes there from now on. The server's clock counts, give or
// take a minute: what tells the time may not be what writes it.
func live(t *testing.T, address, key string) *inspector {
	t.Helper()
	i := &inspector{t: t, url: strings.TrimRight(address, "/"), key: key, http: http.DefaultClient}
	res := i.do(http.MethodGet, "App/user", nil, key)
	defer func() { _ = res.Body.Close() }()
	var app struct {
		User struct{ ID string } `json:"user"`
	}
	if err := json.NewDecoder(res.Body).Decode(&app); err != nil || app.User.ID == "" {
		t.Fatalf("ask the server who this is: status %d, %v", res.StatusCode, err)
	}
	now, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		t.Fatalf("ask the server for the time: %v", err)
	}
	i.user, i.since = app.User.ID, now.Add(-time.Minute)
	return i
}

// emptied is the inspector of a case of its own, which begins without the contacts of earlier ones.
func (i *inspector) emptied(t *testing.T) *inspector {
	t.Helper()
	own := *i
	own.t = t
	for _, c := range own.Contacts() {
		own.DeleteContact(c.ID)
	}
	return &own
}

// call returns the status, and the body decoded.
func (i *inspector) call(method, path string, in any) (int, map[string]any) {
	i.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			i.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	res := i.do(method, path, body, i.key)
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	_ = json.NewDecoder(res.Body).Decode(&out) // some answers are no objects
	return res.StatusCode, out
}

func (i *inspector) do(method, path string, body io.Reader, key string) *http.Response {
	i.t.Helper()
	req, err := http.NewRequest(method, i.url+"/api/v1/"+path, body)
	if err != nil {
		i.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("X-Api-Key", key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Skip-Duplicate-Check", "true") // what is typed in here isn't to be argued about
	}
	res, err := i.http.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	return res
}

func (i *inspector) list(path string, q url.Values) []map[string]any {
	i.t.Helper()
	q.Set("maxSize", "200")
	status, page := i.call(http.MethodGet, path+"?"+q.Encode(), nil)
	if status != http.StatusOK {
		return nil
	}
	var all []map[string]any
	items, _ := page["list"].([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func str(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

var keyInDescription = regexp.MustCompile(`Threadline contact (\S+)`)

func (i *inspector) Contacts() []crmtest.Contact {
	i.t.Helper()
	var all []crmtest.Contact
	q := url.Values{"where[0][type]": {"greaterThanOrEquals"}, "where[0][attribute]": {"createdAt"}, "where[0][value]": {i.since.Format(datetime)}}
	if i.user != "" {
		q["where[1][type]"], q["where[1][attribute]"], q["where[1][value]"] = []string{"equals"}, []string{"createdById"}, []string{i.user}
	}
	for _, listed := range i.list("Contact", q) {
		_, c := i.call(http.MethodGet, "Contact/"+str(listed, "id"), nil)
		name := strings.TrimSpace(str(c, "firstName") + " " + str(c, "lastName")) // an instance may join them in another order
		got := crmtest.Contact{ID: str(c, "id"), Key: str(c, "cThreadlineId"), Name: name, Phone: str(c, "phoneNumber")}
		if m := keyInDescription.FindStringSubmatch(str(c, "description")); m != nil {
			got.Key = m[1]
		}
		all = append(all, got)
	}
	return all
}

// Entries are the posts of the stream in their order, or the messages by their time.
func (i *inspector) Entries(contact string) []crmtest.Entry {
	i.t.Helper()
	var all []crmtest.Entry
	posts := i.list("Contact/"+contact+"/stream", url.Values{})
	slices.Reverse(posts)
	for _, n := range posts {
		if str(n, "type") == "Post" {
			shown := sim.Markdown(str(n, "post"))
			all = append(all, crmtest.Entry{At: at(n, "createdAt"), HTML: shown, Text: crmtest.Shown(shown), Files: i.files(n["attachmentsIds"])})
		}
	}
	q := url.Values{"where[0][type]": {"equals"}, "where[0][attribute]": {"contactId"}, "where[0][value]": {contact}, "orderBy": {"dateSent"}, "order": {"asc"}}
	for _, listed := range i.list("CWhatsappMessage", q) {
		_, m := i.call(http.MethodGet, "CWhatsappMessage/"+str(listed, "id"), nil) // lists cut long texts
		all = append(all, crmtest.Entry{At: at(m, "dateSent"), Text: str(m, "body"), Files: i.files(m["filesIds"])})
	}
	return all
}

func at(m map[string]any, name string) time.Time {
	t, _ := time.Parse(datetime, str(m, name))
	return t
}

// files reads each file, and tries to read it without a key.
func (i *inspector) files(ids any) []crmtest.File {
	i.t.Helper()
	var all []crmtest.File
	list, _ := ids.([]any)
	for _, id := range list {
		name, _ := id.(string)
		res := i.do(http.MethodGet, "Attachment/file/"+name, nil, i.key)
		hash := sha256.New()
		size, err := io.Copy(hash, res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			i.t.Errorf("read file: %v, status %d", err, res.StatusCode)
		}
		stranger := i.do(http.MethodGet, "Attachment/file/"+name, nil, "")
		_ = stranger.Body.Close()
		all = append(all, crmtest.File{Size: size, SHA256: [32]byte(hash.Sum(nil)), Private: stranger.StatusCode == http.StatusUnauthorized})
	}
	return all
}

// AddContact types a contact in; a server that keeps international numbers refuses others.
func (i *inspector) AddContact(name, phone string) (string, bool) {
	i.t.Helper()
	first, last, _ := strings.Cut(name, " ")
	in := map[string]any{"firstName": first, "lastName": last, "phoneNumber": phone}
	status, c := i.call(http.MethodPost, "Contact", in)
	return str(c, "id"), status == http.StatusOK
}

func (i *inspector) DeleteContact(id string) {
	i.t.Helper()
	if status, _ := i.call(http.MethodDelete, "Contact/"+id, nil); status != http.StatusOK {
		i.t.Fatalf("delete contact: status %d; the role must allow it", status)
	}
}

func (i *inspector) Forbid() string           { panic("nobody takes a real server's permissions away") }
func (i *inspector) Limit(time.Duration) bool { return false }

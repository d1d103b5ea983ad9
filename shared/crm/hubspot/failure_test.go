package hubspot

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
)

// answering returns a connector whose calls all get one answer, and the list of those calls.
func answering(answer func(*http.Request) (status int, header map[string]string, body string)) (*Connector, *[]string) {
	var calls []string
	c := New(Config{
		BaseURL: "https://hubspot.invalid/",
		Token:   crmtest.Secret("secret-token"),
		Now:     func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		HTTP: &http.Client{Transport: crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			calls = append(calls, r.Method+" "+r.URL.RequestURI())
			status, header, body := answer(r)
			if status == 0 {
				return nil, errors.New("no route to host")
			}
			res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
			for k, v := range header {
				res.Header.Set(k, v)
			}
			return res, nil
		})},
	})
	return c, &calls
}

func TestClasses(t *testing.T) {
	const secret = "+34600111222"
	for _, row := range []struct {
		name    string
		status  int
		header  map[string]string
		body    string
		class   crm.Class
		reason  string
		after   time.Duration
		unknown bool
	}{
		{name: "no connection", class: crm.Transient},
		{name: "bad token", status: 401, body: `{"category":"INVALID_AUTHENTICATION"}`, class: crm.Stopped, reason: "INVALID_AUTHENTICATION"},
		{name: "gateway", status: 502, body: `<html>` + secret, class: crm.Transient, unknown: true},
		{name: "account being moved", status: 477, header: map[string]string{"Retry-After": "3600"}, class: crm.Transient, after: time.Hour, unknown: true},
		{name: "locked", status: 423, body: `{"category":"LOCKED"}`, class: crm.Transient, reason: "LOCKED", after: 2 * time.Second},
		{name: "ten seconds", status: 429, body: `{"errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}`, class: crm.Limited, reason: "TEN_SECONDLY_ROLLING", after: 10 * time.Second},
		{name: "one second", status: 429, body: `{"errorType":"RATE_LIMIT","policyName":"SECONDLY"}`, class: crm.Limited, reason: "SECONDLY", after: time.Second},
		{name: "daily", status: 429, body: `{"errorType":"RATE_LIMIT","policyName":"DAILY"}`, class: crm.Limited, reason: "DAILY", after: time.Hour},
		{name: "refused", status: 400, body: `{"category":"VALIDATION_ERROR","message":"` + secret + ` is bad","errors":[{"code":"INVALID_PHONE ` + secret + `","message":"` + secret + `"}]}`, class: crm.Refused, reason: "VALIDATION_ERROR"},
		{name: "a rule of the administrator", status: 400, body: `{"category":"VALIDATION_ERROR","errors":[{"code":"PROPERTY_VALIDATION_RULE_VIOLATION"}]}`, class: crm.Stopped, reason: "PROPERTY_VALIDATION_RULE_VIOLATION"},
		{name: "too large", status: 413, class: crm.Refused},
		{name: "not JSON", status: 200, body: secret, class: crm.Transient, unknown: true},
		{name: "cut short", status: 200, body: `{"id":"` + secret, class: crm.Transient, unknown: true},
		{name: "nothing in it", status: 200, body: `{}`, class: crm.Transient, reason: "NO_RESULT", unknown: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, _ := answering(func(*http.Request) (int, map[string]string, string) { return row.status, row.header, row.body })
			_, err := c.PutFile(t.Context(), "", "", file("f1"))
			e, ok := asError(err)
			if !ok {
				t.Fatalf("%v, want a classified error", err)
			}
			if e.Class != row.class || e.Reason != row.reason || e.After != row.after || e.Unknown != row.unknown {
				t.Errorf("class %v reason %q after %s unknown %v, want %v %q %s %v",
					e.Class, e.Reason, e.After, e.Unknown, row.class, row.reason, row.after, row.unknown)
			}
			for _, leak := range []string{"600111222", "secret-token", "hubspot.invalid"} {
				if strings.Contains(err.Error(), leak) {
					t.Errorf("%q holds %q", err, leak)
				}
			}
		})
	}
}

func file(key string) crm.File {
	return crm.File{Key: key, Name: "a.pdf", Open: crmtest.Content("")}
}

func TestScopesAreNamed(t *testing.T) {
	c, _ := answering(func(*http.Request) (int, map[string]string, string) {
		return 403, nil, `{"category":"MISSING_SCOPES","context":{"missingScopes":["files"]},
			"errors":[{"context":{"requiredGranularScopes":["files","files.ui_hidden.read","Drop Table"]}}]}`
	})
	_, err := c.PutFile(t.Context(), "", "", file("f1"))
	e, ok := asError(err)
	if !ok || e.Class != crm.Stopped || !slices.Equal(e.Scopes, []string{"files", "files.ui_hidden.read"}) {
		t.Errorf("%v, want Stopped with the two scopes", err)
	}
}

// TestMissingPropertyWords proves that each way in which HubSpot says so leads to Provision, and HubSpot's own
// properties don't: Provision would not help.
func TestMissingPropertyWords(t *testing.T) {
	for body, want := range map[string]bool{
		`{"message":"Property \"threadline_id\" does not exist"}`:                               true,
		`{"message":"Property \"threadline_bsuid\" does not exist"}`:                            true,
		`{"errors":[{"code":"PROPERTY_DOESNT_EXIST"}]}`:                                         true,
		`{"message":"Property values were not valid: [{\"error\":\"PROPERTY_DOESNT_EXIST\"}]"}`: true,
		`{"message":"Property \"hs_attachment_ids\" does not exist"}`:                           false,
		`{"message":"something else"}`:                                                          false,
	} {
		c, _ := answering(func(*http.Request) (int, map[string]string, string) { return 400, nil, body })
		err := c.patch(t.Context(), contacts, "1", nil)
		if got := errors.Is(err, crm.ErrNotProvisioned); got != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestRowOfBatch proves that a batch which went through is no success for a row that didn't.
func TestRowOfBatch(t *testing.T) {
	for body, want := range map[string]crm.Class{
		`{"results":[],"errors":[{"status":"error","category":"VALIDATION_ERROR"}]}`: crm.Stopped, // without any values, too
		`{"results":[],"errors":[{"status":"429","category":"RATE_LIMITS"}]}`:        crm.Limited,
		`{"results":[],"errors":[{"status":"error","category":"SOMETHING_NEW"}]}`:    crm.Transient,
		`{"results":[]}`: crm.Transient,
	} {
		c, _ := answering(func(*http.Request) (int, map[string]string, string) { return 207, nil, body })
		_, err := c.CreateContact(t.Context(), crm.Person{Key: "k"})
		if e, ok := asError(err); !ok || e.Class != want || e.Status >= 500 {
			t.Errorf("%s: %v, want class %v and no outage", body, err, want)
		}
	}
}

// TestConflictStatus proves that 409 and 400 are both understood: HubSpot uses either for a value that is taken.
func TestConflictStatus(t *testing.T) {
	for _, status := range []int{400, 409} {
		c, calls := answering(func(r *http.Request) (int, map[string]string, string) {
			switch {
			case r.Method == http.MethodPost:
				return status, nil, `{"category":"VALIDATION_ERROR","errors":[{"code":"CONFLICTING_UNIQUE_VALUE"}]}`
			case strings.Contains(r.URL.Path, "/properties/"):
				return 200, nil, `{"results":[{"name":"threadline_message","hasUniqueValue":true},{"name":"hs_attachment_ids"}]}`
			}
			return 200, nil, `{"id":"42"}`
		})
		ref, err := c.PutMessage(t.Context(), "1", crm.Entry{Key: "m1", Messages: []crm.Message{{}}}, nil)
		if err != nil || ref != "42" {
			t.Errorf("status %d: %q, %v after %v, want 42", status, ref, err, *calls)
		}
	}
}

// TestDeletedEntryStaysDeleted proves that an entry somebody deleted doesn't hold up the contact's queue for ever.
func TestDeletedEntryStaysDeleted(t *testing.T) {
	c, _ := answering(func(r *http.Request) (int, map[string]string, string) {
		switch {
		case r.Method == http.MethodPost:
			return 409, nil, `{}`
		case strings.Contains(r.URL.Path, "/properties/"):
			return 200, nil, `{"results":[{"name":"threadline_message","hasUniqueValue":true}]}`
		case r.URL.Query().Get("archived") == "true":
			return 200, nil, `{"id":"42"}`
		}
		return 404, nil, `{}`
	})
	_, err := c.PutMessage(t.Context(), "1", crm.Entry{Key: "m1", Messages: []crm.Message{{}}}, nil)
	if e, ok := asError(err); !ok || e.Class != crm.Refused || e.Reason != "DELETED" {
		t.Errorf("%v, want Refused because it is DELETED", err)
	}
}

// TestNobodySeenHasTheKey proves that what HubSpot says is taken, and shows nowhere, is tried again under a status at which
// the caller gives up in the end.
func TestNobodySeenHasTheKey(t *testing.T) {
	c, _ := answering(func(r *http.Request) (int, map[string]string, string) {
		switch {
		case r.Method == http.MethodPost:
			return 409, nil, `{}`
		case strings.Contains(r.URL.Path, "/properties/"):
			return 200, nil, `{"results":[{"name":"threadline_message","hasUniqueValue":true}]}`
		}
		return 404, nil, `{}`
	})
	_, message := c.PutMessage(t.Context(), "1", crm.Entry{Key: "m1", Messages: []crm.Message{{}}}, nil)
	_, contact := c.CreateContact(t.Context(), crm.Person{Key: "k1"})
	for name, err := range map[string]error{"message": message, "contact": contact} {
		if e, ok := asError(err); !ok || e.Class != crm.Transient || e.Status != http.StatusNotFound {
			t.Errorf("%s: %v, want Transient and status 404", name, err)
		}
	}
}

// TestDeletedProperty proves what becomes of a property of ours that somebody deleted, and that HubSpot keeps for a while
// under its name: a person is told of the one that is needed, and the account is served without the others.
func TestDeletedProperty(t *testing.T) {
	for _, needed := range []bool{true, false} {
		c, calls := answering(func(r *http.Request) (int, map[string]string, string) {
			list := strings.HasSuffix(r.URL.Path, "/properties/contacts") && !needed
			switch {
			case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/groups"):
				return 201, nil, `{}`
			case r.Method == http.MethodPost:
				return 409, nil, `{"category":"CONFLICT"}`
			case r.URL.Query().Get("archived") == "true" || !list:
				return 200, nil, `{"results":[]}`
			}
			return 200, nil, `{"results":[{"name":"threadline_id","hasUniqueValue":true}]}`
		})
		err := c.Provision(t.Context())
		if e, ok := asError(err); needed && (!ok || e.Class != crm.Stopped || e.Reason != "DELETED") {
			t.Errorf("%v after %v, want Stopped because it is DELETED", err, *calls)
		}
		if !needed && (err != nil || !c.isMarked(communications) || !slices.Contains(c.lacking, bsuid)) {
			t.Errorf("%v after %v, want an account that lacks them", err, *calls)
		}
	}
}

// TestReadOnlyAttachments proves that files go on a note where HubSpot lets nobody attach them to a communication.
func TestReadOnlyAttachments(t *testing.T) {
	for answer, want := range map[string]bool{
		`{"name":"hs_attachment_ids","modificationMetadata":{"readOnlyValue":true}}`:  false,
		`{"name":"hs_attachment_ids","modificationMetadata":{"readOnlyValue":false}}`: true,
	} {
		c, _ := answering(func(*http.Request) (int, map[string]string, string) {
			return 200, nil, `{"results":[{"name":"threadline_message"},` + answer + `]}`
		})
		if about, err := c.about(t.Context(), communications); err != nil || about.attaches != want {
			t.Errorf("%s: %+v, %v, want %v", answer, about, err, want)
		}
	}
}

// TestSearchPages proves that a match on a later page counts.
func TestSearchPages(t *testing.T) {
	c, calls := answering(func(r *http.Request) (int, map[string]string, string) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"after":"0"`) {
			return 200, nil, `{"results":[{"id":"1","properties":{"phone":"600111222","threadline_id":null}}],"paging":{"next":{"after":"100"}}}`
		}
		return 200, nil, `{"results":[{"id":"2","properties":{"mobilephone":"+34600111222","hs_whatsapp_phone_number":"x"}}]}`
	})
	found, err := c.SearchContacts(t.Context(), crm.Phone{Digits: "34600111222"})
	if err != nil || len(found) != 2 || !slices.Equal(found[1].Phones, []string{"+34600111222", "x"}) {
		t.Errorf("%+v, %v after %v, want two contacts with all their numbers", found, err, *calls)
	}
}

package salesforce_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/salesforce"
)

func answerOf(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// TestOneSearchFails proves that the other one counts when an org can't or won't do one of the two, and that nobody is taken
// for unknown when it does neither.
func TestOneSearchFails(t *testing.T) {
	const index, table = "MALFORMED_SEARCH", "QUERY_TIMEOUT"
	for _, row := range []struct {
		codes []string
		typed string
	}{{[]string{index}, "600 111 222"}, {[]string{table}, "+34600111222"}, {[]string{index, table}, "+34600111222"}} {
		o := newOrg(t, true)
		id, _ := o.AddContact("Mrs Garcia", row.typed)
		fails := strings.Join(row.codes, " ")
		c := o.connect(func(next http.RoundTripper) http.RoundTripper {
			return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
				code := map[bool]string{true: index, false: table}[strings.HasSuffix(r.URL.Path, "/parameterizedSearch")]
				if !strings.Contains(fails, code) || code == table && !strings.Contains(r.URL.RawQuery, "LIKE") {
					return next.RoundTrip(r)
				}
				return answerOf(400, `[{"message":"no","errorCode":"`+code+`"}]`), nil
			})
		})
		hits, err := c.SearchContacts(t.Context(), person().Phone)
		if len(row.codes) == 2 {
			wantError(t, err, crm.Transient, table)
		} else if err != nil || len(hits) != 1 || string(hits[0].Ref) != id {
			t.Errorf("%s: %+v %v, want %s", fails, hits, err, id)
		}
	}
}

// TestTableTakesTooLong proves that reading a very large table, which may outlast the function, costs half a minute and not
// the contact.
func TestTableTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const found = `{"searchRecords":[{"Id":"003D000000QV9n2IAD","Phone":"+34600111222"}]}`
		transport := crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/token"):
				return answerOf(200, `{"access_token":"t","instance_url":"https://acme.my.salesforce.com"}`), nil
			case strings.HasSuffix(r.URL.Path, "/parameterizedSearch"):
				return answerOf(200, found), nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := salesforce.New(salesforce.Config{
			URL: "https://acme.my.salesforce.com", ClientSecret: crmtest.Secret(clientSecret), HTTP: &http.Client{Transport: transport},
		})
		hits, err := c.SearchContacts(t.Context(), person().Phone)
		if err != nil || len(hits) != 1 {
			t.Errorf("%+v %v, want what the index knows", hits, err)
		}
	})
}

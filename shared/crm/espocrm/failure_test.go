package espocrm_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/espocrm"
)

// TestClassified proves what each answer of EspoCRM's means, and that none of its words gets into an error.
func TestClassified(t *testing.T) {
	const validation = `{"messageTranslation":{"label":"validationFailure","scope":null,"data":{"field":"lastName","type":"maxLength","value":"María +34600111222"}}}`
	for name, row := range map[string]struct {
		status  int
		body    string
		class   crm.Class
		unknown bool
		reason  string
	}{
		"a wrong key":            {401, "", crm.Stopped, false, ""},
		"no permission":          {403, "", crm.Stopped, false, ""},
		"a field that's invalid": {400, validation, crm.Refused, false, "validationFailure lastName maxLength"},
		"words for a reason":     {400, `{"messageTranslation":{"label":"María García <b>"}}`, crm.Refused, false, ""},
		"no such entity":         {404, "", crm.Stopped, false, ""},
		"another web server":     {404, "<html>not found</html>", crm.Stopped, false, "NOT_ESPOCRM"},
		"too large":              {413, "<html></html>", crm.Refused, false, ""},
		"in maintenance":         {503, "", crm.Transient, true, ""},
		"broken":                 {500, "", crm.Transient, true, ""},
		"no JSON":                {200, "<html>login</html>", crm.Transient, true, ""},
		"JSON of something else": {200, `{"hello":"María"}`, crm.Transient, true, ""},
	} {
		h := http.Header{"X-Status-Reason": {"María García +34600111222"}}
		url := answering(t, row.status, h, row.body)
		c := espocrm.New(espocrm.Config{URL: url, APIKey: crmtest.Secret(apiKey)})
		_, err := c.PutFile(t.Context(), "", "", file("photo.jpg", "photo"))
		e := crmError(t, err)
		if e.Class != row.class || e.Unknown != row.unknown || e.Reason != row.reason {
			t.Errorf("%s: class %d, unknown %v, reason %q", name, e.Class, e.Unknown, e.Reason)
		}
		for _, secret := range []string{"María", "600111222", apiKey, url} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %q holds %q", name, err, secret)
			}
		}
	}
}

// TestWrongAddress proves that a web server which isn't EspoCRM makes nobody forget a record.
func TestWrongAddress(t *testing.T) {
	url := answering(t, http.StatusNotFound, nil, "<html>not found</html>")
	c := espocrm.New(espocrm.Config{URL: url, APIKey: crmtest.Secret(apiKey)})
	for name, err := range map[string]error{
		"fill":   c.FillContact(t.Context(), "1", person()),
		"update": c.UpdateMessage(t.Context(), "1", "note.1", entry("x"), nil),
	} {
		if errors.Is(err, crm.ErrGone) || crmError(t, err).Class != crm.Stopped {
			t.Errorf("%s: %v, want Stopped", name, err)
		}
	}
}

// TestCheckNamesPermissions proves that Check says which permissions the role lacks, without writing anything.
func TestCheckNamesPermissions(t *testing.T) {
	s := newSimulated(t, sim.Options{SetUp: true})
	s.sim.Forbid("Contact", "stream")
	s.sim.Forbid("CWhatsappMessage", "edit")
	e := crmError(t, s.connector(nil).Check(t.Context()))
	if want := []string{"Contact: stream", "CWhatsappMessage: edit"}; e.Class != crm.Stopped || !slices.Equal(e.Scopes, want) {
		t.Errorf("%v, want %q", e, want)
	}
	s.sim.Forbid("Contact", "")
	if e := crmError(t, s.connector(nil).Check(t.Context())); len(e.Scopes) != 5 {
		t.Errorf("%v, want all that is needed of contacts", e)
	}
}

// TestNoMetadata proves that an instance which doesn't tell its fields is used as it comes.
func TestNoMetadata(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		s := newSimulated(t, sim.Options{SetUp: true})
		c := s.connector(func(next http.RoundTripper) http.RoundTripper {
			return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/Metadata") {
					return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
				}
				return next.RoundTrip(r)
			})
		})
		ref := must(c.PutMessage(t.Context(), contactOf(t, c), entry("hello"), nil))(t)
		if !strings.HasPrefix(string(ref), "note.") {
			t.Errorf("status %d: ref %q, want a note", status, ref)
		}
	}
}

// TestForbiddenIsNotGone proves that a permission that's missing isn't taken for a contact that's gone.
func TestForbiddenIsNotGone(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	c := s.connector(nil)
	on := contactOf(t, c)
	s.sim.Forbid("Contact", "stream")
	_, err := c.PutMessage(t.Context(), on, entry("hello"), nil)
	if e := crmError(t, err); e.Class != crm.Stopped || !slices.Contains(e.Scopes, "Contact: stream") {
		t.Errorf("%v, want Stopped for the stream", err)
	}
}

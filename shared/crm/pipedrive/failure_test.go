package pipedrive_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/pipedrive"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/pipedrive"
)

// TestFailures proves what each refusal of Pipedrive's is taken for, and that nothing is looked for that was never written:
// the person is read first.
func TestFailures(t *testing.T) {
	for name, row := range map[string]struct {
		fail  func(*account)
		class crm.Class
		after time.Duration
		word  string
	}{
		"too many calls at once": {fail: func(a *account) { a.sim.Limit(a.clock.Now().Add(5 * time.Second)) }, class: crm.Limited, after: 5 * time.Second},
		// Whose midnight it is isn't said: it is at a whole hour. The test's clock says 9 o'clock and some seconds.
		"the day's tokens are spent": {fail: func(a *account) { a.sim.Exhaust(a.clock.Now().Add(time.Hour)) }, class: crm.Limited, after: 59 * time.Minute},
		"Cloudflare's 403":           {fail: func(a *account) { a.sim.Block(a.clock.Now().Add(time.Hour)) }, class: crm.Limited, after: 10 * time.Minute, word: "BLOCKED"},
		"a missing right":            {fail: func(a *account) { a.sim.Grant("base") }, class: crm.Stopped, word: "contacts:"},
		"a server's error":           {fail: func(a *account) { a.sim.Fail(a.clock.Now().Add(time.Hour)) }, class: crm.Transient},
		"200 that isn't a success":   {fail: func(a *account) { a.sim.Deny(1) }, class: crm.Transient, word: "SUCCESS_IS_FALSE"},
	} {
		t.Run(name, func(t *testing.T) {
			a, c, on := acquainted(t)
			row.fail(a)
			_, err := c.PutMessage(t.Context(), on, hello(), nil)
			e, ok := errors.AsType[*crm.Error](err)
			if !ok || e.Class != row.class || e.Unknown || e.After < row.after || !strings.Contains(err.Error(), row.word) {
				t.Errorf("%v (%+v)", err, e)
			}
			if row.after != 0 && e.After > 2*row.after {
				t.Errorf("wait %s: that is more than needed", e.After)
			}
		})
	}
}

// TestFirewall proves that an entry which Cloudflare refuses for what is in it doesn't pass for a limit, which would stop all
// others each time that it is tried, and that it wasn't made.
func TestFirewall(t *testing.T) {
	a, _, on := acquainted(t)
	c := a.connector(func(next http.RoundTripper) http.RoundTripper {
		return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return next.RoundTrip(r)
			}
			w := httptest.NewRecorder()
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.WriteString("<!DOCTYPE html><title>Access denied</title>")
			return w.Result(), nil
		})
	})
	_, put := c.PutMessage(t.Context(), on, hello(), nil)
	_, file := c.PutFile(t.Context(), on, "", photo("photo.jpg"))
	for what, err := range map[string]error{"message": put, "file": file} {
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Transient || e.Unknown || e.Reason != "BLOCKED_FOR_ITS_CONTENT" {
			t.Errorf("%s: %v (%+v)", what, err, e)
		}
	}
	// What is only told isn't tried again: a request that isn't done keeps those after it from being found.
	asking, err := a.sim.AddNote(string(on), "<p>/wa hello</p>")
	if err != nil {
		t.Fatal(err)
	}
	told := c.Report(t.Context(), crm.Request{Entry: crm.EntryRef("asks/" + asking)}, crm.Outcome{})
	if e, ok := errors.AsType[*crm.Error](told); !ok || e.Class != crm.Refused {
		t.Errorf("a report: %v, want Refused", told)
	}
	// If nothing else goes through either, it is a limit.
	a.sim.Block(a.clock.Now().Add(time.Hour))
	err = c.UpdateMessage(t.Context(), on, "7", hello(), nil)
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Limited || e.After < 10*time.Minute {
		t.Errorf("%v (%+v)", err, e)
	}
}

// TestCountOfTheDay proves that a 429 is never waited for longer than an hour, whatever else has run out.
func TestCountOfTheDay(t *testing.T) {
	for _, header := range []string{"x-daily-requests-left", "x-daily-ratelimit-token-remaining"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, "0")
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		defer server.Close()
		c := pipedrive.New(pipedrive.Config{URL: server.URL, Token: crmtest.Secret(token), Now: crmtest.NewClock().Now})
		e, ok := errors.AsType[*crm.Error](c.Check(t.Context()))
		if !ok || e.Class != crm.Limited || e.After < time.Minute || e.After > time.Hour {
			t.Errorf("%s: %+v", header, e)
		}
	}
}

// TestDoneAllTheSame proves that a note which was made although its answer said otherwise is found and not made again.
func TestDoneAllTheSame(t *testing.T) {
	a, c, on := acquainted(t)
	second := a.connector(func(next http.RoundTripper) http.RoundTripper {
		return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				a.sim.Deny(1)
			}
			return next.RoundTrip(r)
		})
	})
	if _, err := second.PutMessage(t.Context(), on, hello(), nil); !crm.Unsettled(err) {
		t.Fatalf("%v, want an outcome that isn't known", err)
	}
	ref, ok, err := c.FindMessage(t.Context(), on, hello())
	if err != nil || !ok {
		t.Fatalf("found %v, %v", ok, err)
	}
	if err := c.UpdateMessage(t.Context(), on, ref, hello(), nil); err != nil {
		t.Error(err)
	}
	other := hello()
	other.Key = strings.Repeat("c3", 20)
	if _, ok, err := c.FindMessage(t.Context(), on, other); ok || err != nil {
		t.Errorf("another message: found %v, %v", ok, err)
	}
	if n := len(a.Entries(string(on))); n != 1 {
		t.Errorf("%d notes, want 1", n)
	}
}

// TestWrongToken proves that a wrong token needs a person.
func TestWrongToken(t *testing.T) {
	a := newAccount(t)
	c := a.connector(func(next http.RoundTripper) http.RoundTripper {
		return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			r.Header.Set("x-api-token", "another")
			return next.RoundTrip(r)
		})
	})
	e, ok := errors.AsType[*crm.Error](c.Check(t.Context()))
	if !ok || e.Class != crm.Stopped || e.Reason != "INVALID_TOKEN" {
		t.Errorf("%v", e)
	}
}

// TestBudget proves that a day's tokens are counted, and that the connector goes on when they are renewed.
func TestBudget(t *testing.T) {
	a := newAccount(t, func(o *sim.Options) { o.Budget = 500 })
	c := a.provisioned()
	on := a.contact(c)
	e := hello()
	var err error
	for n := 0; err == nil; n++ {
		if n > 100 {
			t.Fatal("the budget doesn't end")
		}
		_, err = c.PutMessage(t.Context(), on, e, nil)
	}
	limited, ok := errors.AsType[*crm.Error](err)
	if !ok || limited.Class != crm.Limited {
		t.Fatalf("%v, want Limited", err)
	}
	for range 24 {
		a.clock.Advance(limited.After)
		if _, err = c.PutMessage(t.Context(), on, e, nil); err == nil {
			return
		}
		if limited, ok = errors.AsType[*crm.Error](err); !ok || limited.Class != crm.Limited || limited.After > time.Hour {
			t.Fatalf("%v, want Limited for an hour at most", err)
		}
	}
	t.Errorf("still %v after a day", err)
}

// TestEmptyLists proves that a list which is null is an empty one: API v1 may write it so, whatever its document says.
func TestEmptyLists(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"success":true,"data":null,"additional_data":null}`))
	}))
	defer server.Close()
	c := pipedrive.New(pipedrive.Config{URL: server.URL, Token: crmtest.Secret(token)})
	if _, ok, err := c.FindMessage(t.Context(), "7", hello()); ok || err != nil {
		t.Errorf("note: %v, %v", ok, err)
	}
	if _, ok, err := c.FindFile(t.Context(), "7", "8", photo("photo.jpg")); ok || err != nil {
		t.Errorf("file: %v, %v", ok, err)
	}
	if got, _, err := c.FetchOutbound(t.Context(), "2026-11-02 09:00:00"); len(got) != 0 || err != nil {
		t.Errorf("recent notes: %v, %v", got, err)
	}
}

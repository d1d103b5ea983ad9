package crmtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"threadline/shared/crm"
)

// A fault is what happens to one call.
type fault struct {
	name string
	done bool // the CRM carries the call out
	// answer makes what the connector gets of it.
	answer func() (*http.Response, error)
}

var errCut = errors.New("connection cut by the test")

func status(code int) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		return &http.Response{
			StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader("<html>not from the CRM itself</html>")),
		}, nil
	}
}

func cutOff() (*http.Response, error) { return nil, errCut }

var faults = []fault{
	{"refused before", false, cutOff},
	{"done but the answer lost", true, cutOff},
	{"done but answered 502", true, status(http.StatusBadGateway)},
	{"500", false, status(http.StatusInternalServerError)},
	{"429", false, status(http.StatusTooManyRequests)},
}

// injector makes the n-th call of all connectors of a test fail.
type injector struct {
	fault
	n     int64
	calls atomic.Int64
}

func (i *injector) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if i.calls.Add(1) != i.n {
			return next.RoundTrip(r)
		}
		if i.done {
			res, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			_, _ = io.Copy(io.Discard, res.Body) // all of it, so that the CRM is done
			_ = res.Body.Close()
		} else if r.Body != nil {
			_ = r.Body.Close()
		}
		return i.answer()
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// testFaults lets every single call of a message with a photo fail in every way, for a caller that keeps its refs and
// for one that loses them all, and expects the record of a perfect day.
func testFaults(t *testing.T, fixture func(t *testing.T) Fixture) {
	for _, forgetful := range []bool{false, true} {
		for _, kind := range faults {
			t.Run(fmt.Sprintf("%s/forgetful=%v", kind.name, forgetful), func(t *testing.T) {
				for n := int64(1); ; n++ {
					if n > 100 {
						t.Fatal("the scenario makes more than 100 calls")
					}
					in := &injector{fault: kind, n: n}
					f := begin(t, fixture)
					photo := []byte("not really a photo")
					runScenario(t, f, in, photo, forgetful)
					checkScenario(t, f, photo)
					if t.Failed() {
						t.Fatalf("after call %d failed", n)
					}
					if calls := in.calls.Load(); calls < n {
						t.Logf("each of %d calls had its turn", calls)
						return
					}
				}
			})
		}
	}
}

// scenario is what the caller has on its table for a message with a photo.
type scenario struct{ contact, entry, file claim }

// forget loses the refs, as a process does that dies before it wrote them down.
func (s *scenario) forget() {
	for _, c := range []*claim{&s.contact, &s.entry, &s.file} {
		c.ref = ""
	}
}

// step does what is next, and tells whether that was the last.
func (s *scenario) step(ctx context.Context, f Fixture, c crm.Connector, photo []byte) (done bool, err error) {
	on, e := crm.ContactRef(s.contact.ref), f.entry("m1", "hello")
	switch {
	case s.contact.ref == "":
		_, err = s.contact.once(true, nil, func() (string, error) {
			found, err := f.putContact(ctx, c, f.person())
			return string(found.Ref), err
		})
	case s.entry.ref == "":
		_, err = putEntry(ctx, c, &s.entry, on, e)
	case s.file.ref == "":
		_, err = putFile(ctx, c, &s.file, on, crm.EntryRef(s.entry.ref), f.file("f1", photo))
	default:
		err = c.UpdateMessage(ctx, on, crm.EntryRef(s.entry.ref), e, []crm.FileRef{crm.FileRef(s.file.ref)})
		done = err == nil
	}
	return done, err
}

// runScenario does one step after the other until all are done. Each failure ends the process.
func runScenario(t *testing.T, f Fixture, in *injector, photo []byte, forgetful bool) {
	t.Helper()
	var notes scenario
	c := f.Connect(in.wrap)
	for try := 0; ; try++ {
		if try > 50 {
			t.Fatal("no end after 50 steps")
		}
		done, err := notes.step(t.Context(), f, c, photo)
		if errors.Is(err, crm.ErrNotProvisioned) {
			err = c.Provision(t.Context())
		}
		if done {
			return
		}
		if err == nil {
			continue
		}
		e, ok := errors.AsType[*crm.Error](err)
		if !ok || !e.Temporary() {
			t.Fatalf("step %d: %v, want an error that passes", try, err)
		}
		f.Advance(max(e.After, c.Capabilities().SearchLag) + time.Second)
		c = f.Connect(in.wrap)
		if forgetful {
			notes.forget()
		}
	}
}

// checkScenario looks at what a perfect day leaves: one contact, one message, one private photo.
func checkScenario(t *testing.T, f Fixture, photo []byte) {
	t.Helper()
	contact := onlyContact(t, f)
	if contact.Key != "" && contact.Key != string(f.person().Key) || contact.Name != f.person().Name {
		t.Errorf("contact %+v, want %+v", contact, f.person())
	}
	var messages int
	for _, e := range f.CRM.Entries(contact.ID) {
		if strings.Contains(e.Text, "hello") {
			messages++
		}
		if !f.dated(e, noon) {
			t.Errorf("entry at %s, want %s", e.At, noon)
		}
	}
	if messages != 1 {
		t.Errorf("the message is there %d times, want once", messages)
	}
	files := attached(f, contact.ID)
	if len(files) != 1 || !files[0].Private || files[0].SHA256 != sha256.Sum256(photo) || files[0].Size != int64(len(photo)) {
		t.Errorf("attached %+v, want the one photo, private", files)
	}
}

package crmtest

import (
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
					f := fixture(t)
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

// refs are what the caller has on its table.
type refs struct {
	contact crm.ContactRef
	entry   crm.EntryRef
	file    crm.FileRef
	done    bool
}

// runScenario does one step after the other until all are done. Each failure ends the process.
func runScenario(t *testing.T, f Fixture, in *injector, photo []byte, forgetful bool) {
	t.Helper()
	var have refs
	c := f.Connect(in.wrap)
	for try := 0; !have.done; try++ {
		if try > 50 {
			t.Fatal("no end after 50 steps")
		}
		err := step(t, c, &have, photo)
		switch {
		case err == nil:
			continue
		case errors.Is(err, crm.ErrNotProvisioned):
			err = c.Provision(t.Context())
			if err == nil {
				continue
			}
		}
		e, ok := errors.AsType[*crm.Error](err)
		if !ok || !e.Temporary() {
			t.Fatalf("step %d: %v, want an error that passes", try, err)
		}
		c = f.Connect(in.wrap)
		f.Advance(e.After + time.Second)
		if forgetful {
			have = refs{}
			f.Advance(f.Settle)
		}
	}
}

func step(t *testing.T, c crm.Connector, have *refs, photo []byte) (err error) {
	t.Helper()
	switch {
	case have.contact == "":
		have.contact, err = c.EnsureContact(t.Context(), person())
	case have.entry == "":
		have.entry, err = c.EnsureEntry(t.Context(), have.contact, entry("m1", "hello"))
	case have.file == "":
		have.file, err = c.EnsureFile(t.Context(), file("f1", photo))
	default:
		err = c.Complete(t.Context(), have.contact, have.entry, entry("m1", "hello"), []crm.FileRef{have.file})
		have.done = err == nil
	}
	return err
}

// checkScenario looks at what a perfect day leaves: one contact, one message, one private photo.
func checkScenario(t *testing.T, f Fixture, photo []byte) {
	t.Helper()
	contact := onlyContact(t, f)
	if contact.Key != string(person().Key) || contact.Name != person().Name {
		t.Errorf("contact %+v, want %+v", contact, person())
	}
	var messages int
	for _, e := range f.CRM.Entries(contact.ID) {
		if strings.Contains(e.Text, "hello") {
			messages++
		}
		if !e.At.Equal(noon) {
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

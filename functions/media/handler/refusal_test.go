package handler

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/whatsapp"
)

func TestWhatMetaRefuses(t *testing.T) {
	refusal := func(class whatsapp.Class, status, code int) error {
		return &whatsapp.Error{Class: class, HTTPStatus: status, Code: code, Message: "customer's words"}
	}
	no := refusal(whatsapp.ClassPermanent, 400, 100)
	notFound := refusal(whatsapp.ClassTransient, 404, 0)
	for _, test := range []struct {
		name     string
		answers  []answer
		receives int // until it is decided; 0: never, of ten
		reason   string
		counted  string
		refresh  int
	}{
		{"for good", []answer{{info: no}}, 3, "Meta doesn't give it out (code 100)", metric.MediaFailed + " Reason refused", 0},
		{"the download, for good", []answer{{err: no}}, 3, "Meta doesn't give it out (code 100)", metric.MediaFailed + " Reason refused", 0},
		{"no such file under any URL", []answer{{err: notFound}}, 3, "Meta doesn't give it out (code 0)", metric.MediaFailed + " Reason refused", 0},
		{"a server on the way", []answer{{err: refusal(whatsapp.ClassTransient, http.StatusForbidden, 0)}}, 0, "", "", 0},
		{"a server on the way that knows no such address", []answer{{info: notFound}}, 0, "", "", 0},
		{"twice", []answer{{info: no}, {info: no}, {body: photo}}, 3, "", "", 0},
		{"another's host", []answer{{err: whatsapp.ErrUntrustedURL}}, 0, "", metric.ConnectorStopped + " Connector whatsapp", 10},
		{"an object that isn't there, or that the token may not see", []answer{{info: refusal(whatsapp.ClassAccount, 404, 100)}}, 0, "", metric.ConnectorStopped + " Connector whatsapp", 10},
		{"an object that the token may not see", []answer{{info: refusal(whatsapp.ClassAccount, 400, 100)}}, 0, "", metric.ConnectorStopped + " Connector whatsapp", 10},
		{"the account", []answer{{info: refusal(whatsapp.ClassAccount, 400, 190)}}, 0, "", metric.ConnectorStopped + " Connector whatsapp", 10},
		{"the token, in words that we don't know", []answer{{info: refusal(whatsapp.ClassPermanent, http.StatusUnauthorized, 999)}}, 0, "", "", 0},
		{"for now", []answer{{info: refusal(whatsapp.ClassTransient, 500, 2)}}, 0, "", "", 0},
		{"the download, for now", []answer{{err: refusal(whatsapp.ClassTransient, 503, 0)}}, 0, "", "", 0},
		{"a network without a name", []answer{{info: errors.New("34600111222 said no")}}, 0, "", "", 0},
		{"half a file", []answer{{body: photo, length: len(photo) + 1}}, 0, "", "", 0},
		{"more than a file", []answer{{body: photo, length: len(photo) - 1}}, 0, "", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, chat.Attachment{MediaID: "900"}, test.answers...)
			decided := 0
			for n := 1; n <= 10 && decided == 0; n++ {
				err := r.receive()
				if err == nil {
					decided = n
					continue
				}
				if chat.CodeOf(err) != chat.Unavailable || !err.(*chat.Error).Temporary() {
					t.Fatalf("receive %d isn't one to wait after: %v", n, err)
				}
				if strings.Contains(err.Error(), "customer's words") {
					t.Errorf("the error says what Meta quoted: %v", err)
				}
				if a := r.attachment(); a.State != chat.Pending || len(r.crm.entries) != 0 {
					t.Fatalf("while it waits it is %s", a.State)
				}
			}
			a := r.attachment()
			if decided != test.receives || a.Reason != test.reason {
				t.Errorf("decided at receive %d: %q", decided, a.Reason)
			}
			if want := map[bool]chat.FileState{true: chat.FileFailed, false: chat.Stored}[test.reason != ""]; decided > 0 && a.State != want {
				t.Errorf("it is %s, want %s", a.State, want)
			}
			if test.counted != "" && r.counts[test.counted] != max(1, test.refresh) || test.counted == "" && len(r.counts) != 0 || r.refreshed != test.refresh {
				t.Errorf("counted %v, %d times the token was read again", r.counts, r.refreshed)
			}
			if decided > 0 {
				r.toldTheCRM(2)
			}
		})
	}
}

// TestAnOutdatedURLIsReplacedAtOnce: it lives for five minutes, and the file for a week.
func TestAnOutdatedURLIsReplacedAtOnce(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		outdated := answer{err: &whatsapp.Error{Class: whatsapp.ClassTransient, HTTPStatus: status}}
		r := newRig(t, chat.Attachment{MediaID: "900"}, outdated, outdated, answer{body: photo})
		r.receives = refusals // of an outage before
		if err := r.receive(); err != nil {
			t.Fatal(err)
		}
		if a := r.attachment(); a.State != chat.Stored || r.graph.asked != 3 {
			t.Errorf("%d: it is %s after %d URLs", status, a.State, r.graph.asked)
		}
	}
}

func TestMetaSaysHowLongToWait(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900"}, answer{info: &whatsapp.Error{Class: whatsapp.ClassWait, Code: 4, RetryAfter: time.Hour}})
	var wait *chat.Error
	if err := r.receive(); !errors.As(err, &wait) || wait.RetryAfter() != time.Hour {
		t.Errorf("it waits with %v", err)
	}
}

func TestABucketThatIsDownIsWaitedFor(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900", SHA256: base64Of(photo)}, answer{body: photo})
	r.bucket.err = errors.New("access denied")
	for range 10 {
		if err := r.receive(); chat.CodeOf(err) != chat.Unavailable {
			t.Fatal(err)
		}
	}
	r.bucket.err = nil
	if err := r.receive(); err != nil {
		t.Fatal(err)
	}
	if a := r.attachment(); a.State != chat.Stored {
		t.Errorf("it is %s", a.State)
	}
}

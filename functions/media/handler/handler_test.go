package handler

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

func TestTheFileIsStored(t *testing.T) {
	right, wrong := answer{body: photo}, answer{body: "something else"}
	unknownLength := answer{body: photo, length: -1}
	hexSum := hex.EncodeToString(sum(photo))
	for _, test := range []struct {
		name     string
		declared string // in the webhook
		answers  []answer
		state    chat.FileState
		content  string
		tries    int
	}{
		{"hash in base64", base64Of(photo), []answer{right}, chat.Stored, photo, 1},
		{"hash in hex", hexSum, []answer{right}, chat.Stored, photo, 1},
		{"hash in upper case hex", strings.ToUpper(hexSum), []answer{right}, chat.Stored, photo, 1},
		{"hash in the media API only", "", []answer{{body: photo, sha256: hexSum}}, chat.Stored, photo, 1},
		{"no hash at all", "", []answer{right}, chat.Stored, photo, 1},
		{"something that is no hash", "abc", []answer{right}, chat.Stored, photo, 1},
		{"wrong once", base64Of(photo), []answer{wrong, right}, chat.Stored, photo, 2},
		{"wrong twice", base64Of(photo), []answer{wrong, wrong, right}, chat.Stored, photo, 3},
		{"wrong three times", base64Of(photo), []answer{wrong}, chat.Unverified, "something else", 4},
		{"wrong by the media API", "", []answer{{body: photo, sha256: hex.EncodeToString(sum("x"))}}, chat.Unverified, photo, 4},
		{"the webhook's hash counts first", base64Of(photo), []answer{{body: photo, sha256: hex.EncodeToString(sum("x"))}}, chat.Stored, photo, 1},
		{"unknown length", base64Of(photo), []answer{unknownLength}, chat.Stored, photo, 1},
		{"unknown length, wrong once", base64Of(photo), []answer{{body: "x", length: -1}, unknownLength}, chat.Stored, photo, 2},
		{"empty", base64Of(""), []answer{{body: ""}}, chat.Stored, "", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, chat.Attachment{MediaID: "900", MIME: "image/jpeg", SHA256: test.declared}, test.answers...)
			if err := r.receive(); err != nil {
				t.Fatal(err)
			}
			a := r.attachment()
			if a.State != test.state || a.Size != int64(len(test.content)) || (a.Reason != "") != (test.state == chat.Unverified) || a.SHA256 != test.declared {
				t.Fatalf("it is %+v", a)
			}
			content, info := r.stored(a.Key)
			if content != test.content || info.ContentType != "image/jpeg" {
				t.Errorf("the bucket has %q of type %s", content, info.ContentType)
			}
			if declared := test.declared != "" && test.declared != "abc" || test.answers[0].sha256 != ""; test.state == chat.Stored &&
				declared != bytes.Equal(info.SHA256, sum(photo)) && content == photo {
				t.Errorf("S3 was given the hash %x", info.SHA256)
			}
			if r.graph.asked != test.tries || r.graph.downloads != test.tries || r.graph.number != "100" {
				t.Errorf("%d addresses and %d downloads for number %s", r.graph.asked, r.graph.downloads, r.graph.number)
			}
			if n := r.counts[metric.MediaFailed+" Reason unverified"]; (n == 1) != (test.state == chat.Unverified) || len(r.counts) > n {
				t.Errorf("counted %v", r.counts)
			}
			r.toldTheCRM(2)
		})
	}
}

// toldTheCRM checks that so many entries were queued, one of each connector after the other.
func (r *rig) toldTheCRM(n int) {
	r.Helper()
	if len(r.crm.entries) != n {
		r.Fatalf("%d entries to CRM.fifo, want %d", len(r.crm.entries), n)
	}
	for i, e := range r.crm.entries {
		ref, err := route.ParseRef(e.Body)
		if err != nil || ref.Kind != chat.EffectCRM || ref.Target != []string{"hubspot", "odoo"}[i%2] || ref.Cause != route.FileHere ||
			ref.Message != store.SortKey(r.message) || e.DedupID != ref.DedupID() || e.Group != ref.Group(r.message.Contact) {
			r.Errorf("entry %s (%v)", e.Body, err)
		}
	}
}

func TestTheTypeComesFromMetaIfTheWebhookHasNone(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900"}, answer{body: photo, mime: "image/png"})
	if err := r.receive(); err != nil {
		t.Fatal(err)
	}
	if _, info := r.stored(r.attachment().Key); info.ContentType != "image/png" {
		t.Errorf("stored as %s", info.ContentType)
	}
}

func TestAfterAWeekMetaHasForgottenTheFile(t *testing.T) {
	for name, class := range map[string]whatsapp.Class{"down": whatsapp.ClassTransient, "token": whatsapp.ClassAccount} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, chat.Attachment{MediaID: "900"}, answer{info: &whatsapp.Error{Class: class, HTTPStatus: 500}})
			r.now = noon.Add(whatsapp.MediaLife)
			if err := r.receive(); err == nil {
				t.Fatal("given up within the week")
			}
			r.now = r.now.Add(time.Minute)
			if err := r.receive(); err != nil {
				t.Fatal(err)
			}
			if a := r.attachment(); a.State != chat.FileFailed || !strings.Contains(a.Reason, "7 days") {
				t.Errorf("%+v", a)
			}
			r.toldTheCRM(2)
		})
	}
}

// TestDoneIsDone: a second delivery only tells the CRM again, under the same ids.
func TestDoneIsDone(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900"}, answer{body: photo})
	r.crm.err = chat.E(chat.Unavailable, "", errors.New("down"))
	if err := r.receive(); chat.CodeOf(err) != chat.Unavailable {
		t.Fatal(err)
	}
	r.crm.err = nil
	for range 2 {
		if err := r.receive(); err != nil {
			t.Fatal(err)
		}
	}
	if r.graph.asked != 1 || r.bucket.puts != 1 {
		t.Errorf("Meta was asked %d times, the bucket written %d times", r.graph.asked, r.bucket.puts)
	}
	r.toldTheCRM(4)
	if r.crm.entries[0].DedupID != r.crm.entries[2].DedupID {
		t.Error("the second time looks like news")
	}
}

// TestTheFirstToMarkWins: somebody else is done while this one still loads.
func TestTheFirstToMarkWins(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900", SHA256: base64Of("x")}, answer{body: photo})
	other := failed(r.message, "given up by another")
	r.graph.meanwhile = func() {
		if _, err := r.h.mark(t.Context(), r.message, other); err != nil {
			t.Error(err)
		}
	}
	if err := r.receive(); err != nil {
		t.Fatal(err)
	}
	if a := r.attachment(); a.State != chat.FileFailed || a.Reason != other.Reason {
		t.Errorf("it is %+v", a)
	}
	if r.counts[metric.MediaFailed+" Reason refused"] != 1 || r.counts[metric.MediaFailed+" Reason unverified"] != 0 {
		t.Errorf("counted %v", r.counts)
	}
	r.toldTheCRM(2)
}

func TestNothingToFetch(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900"}, answer{body: photo})
	past := r.message
	past.ID = "wamid.past"
	text, err := r.store.Receive(t.Context(), store.Inbound{
		Message: chat.Message{ID: "wamid.text", At: noon, Direction: chat.In, Kind: chat.KindText}, Number: "100",
		Seen: chat.Seen{Phone: "34600111222", At: noon, Source: chat.SourceMessage},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]chat.Message{"past its retention": past, "without a file": text.Message} {
		ref := route.NewRef(m, store.SortKey(m), chat.Effect{Kind: chat.EffectMedia}, route.Stored)
		if err := r.h.Handle(t.Context(), queue.Message{Body: ref.Body()}); err != nil || r.graph.asked != 0 || len(r.crm.entries) != 0 {
			t.Errorf("%s: %v, Meta was asked %d times, %d entries", name, err, r.graph.asked, len(r.crm.entries))
		}
	}
	err = r.h.Handle(t.Context(), queue.Message{Body: []byte(`{"v":2}`)})
	var passing interface{ Temporary() bool }
	if err == nil || errors.As(err, &passing) {
		t.Errorf("garbage: %v", err)
	}
}

func TestSpoolingEnds(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	f, n, err := spooled(strings.NewReader(photo), int64(len(photo)))
	if err != nil || n != int64(len(photo)) {
		t.Fatalf("a file of the longest length: %d bytes (%v)", n, err)
	}
	f.Close()
	if err := os.Remove(f.Name()); err != nil {
		t.Error(err)
	}
	if _, _, err := spooled(strings.NewReader(photo), int64(len(photo))-1); !errors.Is(err, errTooLong) {
		t.Errorf("a longer one: %v", err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("%d temporary files are left (%v)", len(left), err)
	}
	r := newRig(t, chat.Attachment{MediaID: "900"})
	if a, err := r.h.giveUp(t.Context(), r.message, queue.Message{Receives: 1}, waiting(errTooLong)); err != nil || a.State != chat.FileFailed {
		t.Errorf("it is %s (%v)", a.State, err)
	}
}

func TestKeysAreHarmless(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900"})
	folder := "media/" + string(r.message.Conversation) + "/2026-03/"
	var seen []string
	for id, want := range map[string]string{
		"1234567890":             "1234567890",
		"abc_DEF-9":              "abc_DEF-9",
		"../../raw/x":            "",
		"a/b":                    "",
		"":                       "",
		"a b":                    "",
		"é":                      "",
		"1\n":                    "",
		strings.Repeat("9", 128): strings.Repeat("9", 128),
		strings.Repeat("9", 129): "",
	} {
		m := r.message
		m.Attachment = &chat.Attachment{MediaID: id}
		name, ok := strings.CutPrefix(key(m), folder)
		if want == "" {
			want = store.Hash([]byte(id))
		}
		if !ok || name != want || slices.Contains(seen, name) {
			t.Errorf("%q is kept as %s", id, key(m))
		}
		seen = append(seen, name)
	}
}

func TestDigest(t *testing.T) {
	want := sum("x")
	for _, s := range []string{
		hex.EncodeToString(want), strings.ToUpper(hex.EncodeToString(want)),
		base64.StdEncoding.EncodeToString(want), base64.RawStdEncoding.EncodeToString(want),
		base64.URLEncoding.EncodeToString(want), base64.RawURLEncoding.EncodeToString(want),
	} {
		if got := digest(s); !bytes.Equal(got, want) {
			t.Errorf("digest(%q) = %x", s, got)
		}
	}
	for _, s := range []string{"", "x", hex.EncodeToString(want[:31]), base64.StdEncoding.EncodeToString(append(want, 0)), strings.Repeat("z", 64)} {
		if got := digest(s); got != nil {
			t.Errorf("digest(%q) = %x", s, got)
		}
	}
}

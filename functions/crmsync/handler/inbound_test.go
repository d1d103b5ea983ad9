package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/queue"
	"threadline/shared/send"
)

// outbox is the API: it queues what it is asked for, once for each key.
type outbox struct {
	failFor   string // a text that can\'t be asked for now
	r         *rig
	asked     []string
	problem   string
	fail      error
	takesNo   string // a type of file
	conflict  bool   // the key was used for another request
	meanwhile func() // before the next message is queued
}

func (o *outbox) Send(ctx context.Context, out Outgoing) (string, error) {
	o.r.Helper()
	if o.fail != nil {
		return "", o.fail
	}
	if o.failFor != "" && out.Text == o.failFor {
		return "", chat.E(chat.Unavailable, "", errors.New("down"))
	}
	if o.meanwhile != nil {
		o.meanwhile()
	}
	to, err := json.Marshal(out.To)
	if err != nil {
		return "", err
	}
	m := chat.Message{Kind: chat.KindText, Text: out.Text}
	words := out.Text
	if f := out.Media; f != nil {
		m = chat.Message{Kind: chat.Kind(f.Type), Text: f.Caption, Attachment: &chat.Attachment{State: chat.Stored, Key: "upload/" + f.ID}}
		words = f.Type + " " + f.ID + " " + f.Caption
	}
	switch {
	case o.problem != "":
		o.asked = append(o.asked, out.Key+" "+string(to)+" "+words)
		return o.problem, nil
	case o.conflict:
		return "Not sent: the Idempotency-Key was used for another request", nil
	}
	o.asked = append(o.asked, out.Key+" "+string(to)+" "+words)
	phone := ana
	if s, ok := out.To.(string); ok {
		phone = strings.TrimPrefix(s, "+")
	}
	who, err := o.r.store.Person(ctx, chat.Seen{Phone: phone, At: o.r.now, Source: chat.SourceRequest})
	if err != nil {
		return "", err
	}
	m.ID, m.Conversation, m.Contact, m.At, m.Direction = send.KeyedID("api", out.Key), chat.Direct("100", who.ID), who.ID, o.r.now, chat.Out
	m.Origin, m.Status, m.Send = out.Origin, chat.Queued, &chat.Send{To: chat.Address{Phone: phone}}
	_, _, err = o.r.store.Queue(ctx, m)
	return "", err
}

// Upload keeps a file under an id that says what is in it.
func (o *outbox) Upload(ctx context.Context, f crm.RequestFile, open func(context.Context) (io.ReadCloser, error)) (id, problem string, err error) {
	if f.MIME == o.takesNo {
		return "", "Not sent: mime: no files of this type", nil
	}
	content, err := open(ctx)
	if err != nil {
		return "", "", err
	}
	defer content.Close()
	all, err := io.ReadAll(&exactly{from: content, left: f.Size})
	return fmt.Sprintf("%s %s %s", f.Name, f.MIME, all), "", err
}

func (r *rig) api() *outbox {
	o := &outbox{r: r}
	r.h.Sender = o
	return o
}

func (r *rig) tick() error {
	r.Helper()
	body := fmt.Sprintf(`{"v":1,"kind":%q,"target":"fake"}`, chat.EffectFetch)
	return r.h.Handle(r.Context(), queue.Message{ID: "tick", Body: []byte(body), Receives: 1})
}

// deliver handles what the CRM said by itself.
func (r *rig) deliver(requests ...crm.Request) error {
	r.Helper()
	body, err := json.Marshal(crm.Delivery{V: 1, Kind: crm.KindDelivery, Connector: "fake", Requests: requests})
	if err != nil {
		r.Fatal(err)
	}
	return r.h.Handle(r.Context(), queue.Message{ID: "delivery", Body: body, Receives: 1})
}

// outcome gives the message of a request a status.
func (r *rig) outcome(q crm.Request, status chat.Status, p *chat.Problem) chat.Message {
	r.Helper()
	m, err := r.store.Lookup(r.Context(), send.KeyedID("api", keyOf("fake", q)))
	if err != nil {
		r.Fatal(err)
	}
	r.change(m, func(m *chat.Message) {
		if status.AtMeta() {
			m.ProviderID = "wamid.ours"
		}
		m.Reach(status, r.now, p)
	})
	return m
}

// TestAnAnswerFromTheCRMIsSentOnce: however often it is told and fetched, to the person whose record it is.
func TestAnAnswerFromTheCRMIsSentOnce(t *testing.T) {
	r := newRig(t)
	api := r.api()
	hello := r.text("wamid.1", "hello")
	r.mustSync(hello)
	on := r.entry(hello).on
	if err := r.tick(); err != nil { // from now on
		t.Fatal(err)
	}
	q := crm.Request{ID: "note-7", Contact: on, Text: "we are coming", At: noon, Entry: "note-7"}
	r.crm.requests = []crm.Request{q}
	for range 2 {
		if err := r.deliver(q); err != nil {
			t.Fatal(err)
		}
		if err := r.tick(); err != nil {
			t.Fatal(err)
		}
	}
	want := `crm/fake/note-7 {"contact":"` + string(hello.Contact) + `"} we are coming`
	if len(slices.Compact(slices.Clone(api.asked))) != 1 || api.asked[0] != want {
		t.Errorf("the API was asked %q", api.asked)
	}
	// It stands on the timeline already: nothing is made there, and the CRM is told once what came of it.
	m := r.outcome(q, chat.Accepted, nil)
	for range 2 {
		r.mustSync(m)
	}
	if len(r.crm.entries) != 1 || !slices.Equal(r.crm.reports, []string{"note-7: "}) {
		t.Errorf("%d entries, reports %q", len(r.crm.entries), r.crm.reports)
	}
	m = r.outcome(q, chat.Failed, &chat.Problem{Code: outsideWindow, Reason: "Re-engagement message"})
	r.mustSync(m)
	if !slices.Equal(r.crm.reports, []string{"note-7: ", "note-7: Not delivered: the customer last wrote more than 24 hours ago, so only a template may be sent."}) {
		t.Errorf("reports %q", r.crm.reports)
	}
}

// TestARefusalIsWrittenBack: where the request has no entry of its own, the message gets one.
func TestARefusalIsWrittenBack(t *testing.T) {
	r := newRig(t)
	r.api()
	hello := r.text("wamid.1", "hello")
	r.mustSync(hello)
	q := crm.Request{ID: "flow-1", Contact: r.entry(hello).on, Text: "an offer", At: noon}
	if err := r.deliver(q); err != nil {
		t.Fatal(err)
	}
	m := r.outcome(q, chat.Failed, &chat.Problem{Code: outsideWindow, Reason: "Re-engagement message"})
	r.mustSync(m)
	if note := r.entry(m).said().Note; note != "Not delivered: the customer last wrote more than 24 hours ago, so only a template may be sent." {
		t.Errorf("the entry says %q", note)
	}
	if !slices.Equal(r.crm.reports, []string{"flow-1: Not delivered: the customer last wrote more than 24 hours ago, so only a template may be sent."}) {
		t.Errorf("reports %q", r.crm.reports)
	}
}

// TestAnAnswerToSomebodyNew: the record's number says who it is, and the conversation goes on that record.
func TestAnAnswerToSomebodyNew(t *testing.T) {
	r := newRig(t)
	api := r.api()
	r.crm.people["t1"], r.crm.people["t2"] = crm.Person{}, crm.Person{}
	r.crm.typed["t1"], r.crm.typed["t2"] = []string{"+34 600 333 444"}, []string{"600 333 444"} // two have it: ambiguous by itself
	q := crm.Request{ID: "1", Contact: "t2", Phone: "+34 600 333 444", Text: "good day", At: noon}
	if err := r.deliver(q); err != nil {
		t.Fatal(err)
	}
	if want := []string{`crm/fake/1 "+34600333444" good day`}; !slices.Equal(api.asked, want) {
		t.Errorf("the API was asked %q", api.asked)
	}
	m := r.outcome(q, chat.Accepted, nil)
	r.mustSync(m)
	if on := r.entry(m).on; on != "t2" {
		t.Errorf("it is on %s", on)
	}
}

// TestWhatIsNotSentIsSaid: an unknown person, or a request that the API refuses for good.
func TestWhatIsNotSentIsSaid(t *testing.T) {
	r := newRig(t)
	api := r.api()
	if err := r.deliver(crm.Request{ID: "1", Contact: "t9", Phone: "600 333 444", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	api.problem = "Not sent: text: longer than 4096"
	if err := r.deliver(crm.Request{ID: "2", Phone: "+34600333444", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if len(r.crm.reports) != 2 || !strings.Contains(r.crm.reports[0], "country code") || !strings.Contains(r.crm.reports[1], "4096") {
		t.Errorf("reports %q", r.crm.reports)
	}
	api.problem, api.fail = "", chat.E(chat.Unavailable, "", errors.New("down"))
	var passes interface{ Temporary() bool }
	if err := r.deliver(crm.Request{ID: "3", Phone: "+34600333444", Text: "x"}); !errors.As(err, &passes) || !passes.Temporary() {
		t.Errorf("while the API is down: %v", err)
	}
}

// TestTheCursorMovesWhenAllIsAskedFor: what failed is fetched again.
func TestTheCursorMovesWhenAllIsAskedFor(t *testing.T) {
	r := newRig(t)
	api := r.api()
	if err := r.tick(); err != nil {
		t.Fatal(err)
	}
	r.crm.requests = []crm.Request{{ID: "1", Phone: "+34600333444", Text: "x"}}
	api.fail = chat.E(chat.Unavailable, "", errors.New("down"))
	if err := r.tick(); err != nil {
		t.Fatal("it waits in the queue, and not for the next tick")
	}
	api.fail = nil
	for range 3 {
		if err := r.tick(); err != nil {
			t.Fatal(err)
		}
	}
	if len(api.asked) != 1 {
		t.Errorf("asked %q", api.asked)
	}
	if at, err := r.store.Cursor(t.Context(), "fake"); at != "1" || err != nil {
		t.Errorf("the cursor is %q (%v)", at, err)
	}
}

// TestARequestThatFailsHoldsUpNoOther: and what is done isn't done again, however often the CRM is asked.
func TestARequestThatFailsHoldsUpNoOther(t *testing.T) {
	r := newRig(t)
	api := r.api()
	if err := r.tick(); err != nil {
		t.Fatal(err)
	}
	r.crm.requests = []crm.Request{
		{ID: "unknown", Contact: "t9", Text: "x"},
		{ID: "fails", Phone: "+34600333444", Text: "boom"},
		{ID: "fine", Phone: "+34600555666", Text: "x"},
	}
	api.failFor = "boom"
	for range 5 {
		if err := r.tick(); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.crm.reports) != 1 || len(api.asked) != 1 || !strings.Contains(api.asked[0], "fine") {
		t.Errorf("asked %q, reported %q", api.asked, r.crm.reports)
	}
	api.failFor = ""
	if err := r.tick(); err != nil {
		t.Fatal(err)
	}
	if at, err := r.store.Cursor(t.Context(), "fake"); at != "3" || err != nil || len(api.asked) != 2 {
		t.Errorf("asked %q, the cursor is %q (%v)", api.asked, at, err)
	}
}

// TestACRMThatRefusesToBeAskedRings: and no entry is parked for it.
func TestACRMThatRefusesToBeAskedRings(t *testing.T) {
	r := newRig(t)
	r.api()
	r.crm.fail = always("fetch", &crm.Error{Class: crm.Refused, Status: 400, Reason: "BAD_CURSOR"})
	if err := r.tick(); err != nil || r.counts["ConnectorStopped Connector fake"] != 1 {
		t.Errorf("%v, counted %v", err, r.counts)
	}
}

// TestCredentialsAreTriedNowAndThen: an idle CRM's dead token rings before a customer's message needs it.
func TestCredentialsAreTriedNowAndThen(t *testing.T) {
	r := newRig(t)
	for range 3 {
		if err := r.tick(); err != nil {
			t.Fatal(err)
		}
	}
	r.called("check")
	r.now = r.now.Add(checkEvery)
	r.crm.fail = always("check", &crm.Error{Class: crm.Stopped, Status: 401})
	if err := r.tick(); err != nil || r.counts["ConnectorStopped Connector fake"] != 1 {
		t.Errorf("%v, counted %v", err, r.counts)
	}
	r.called("check")
}

// TestGarbageIsParked: a body that no release writes is a bug, and nobody waits behind it.
func TestGarbageIsParked(t *testing.T) {
	r := newRig(t)
	for _, body := range []string{`x`, `{"kind":"delivery"}`, `{"v":2,"kind":"delivery","connector":"fake"}`} {
		var passes interface{ Temporary() bool }
		if err := r.h.Handle(t.Context(), queue.Message{Body: []byte(body)}); err == nil || errors.As(err, &passes) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := r.h.Handle(t.Context(), queue.Message{Body: []byte(`{"v":1,"kind":"fetch","target":"unknown"}`)}); err != nil {
		t.Error(err)
	}
}

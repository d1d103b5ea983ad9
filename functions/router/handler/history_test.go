package handler

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/whatsapp"
)

// past is a message of the history: of the customer, or of the company.
func past(id string, at int64, ours bool, status, what string) string {
	from, to := "34600111222", ""
	if ours {
		from, to = display, `"to":"34600111222",`
	}
	return fmt.Sprintf(`{"id":%q,"from":%q,%s"timestamp":"%d",%s,"history_context":{"status":%q}}`, id, from, to, at, what, status)
}

func pastText(id string, at int64) string {
	return past(id, at, false, "READ", `"type":"text","text":{"body":"`+id+`"}`)
}

// thread is a chunk of one customer's history.
func thread(messages ...string) string {
	return `{` + metadata + `,"history":[{"metadata":{"phase":1,"chunk_order":3,"progress":45},"threads":[{"id":"34600111222","messages":[` + strings.Join(messages, ",") + `]}]}]}`
}

func TestWhatWasWrittenBefore(t *testing.T) {
	r := newRig(t)
	r.takeAll("history", thread(
		past("in", 1700000000, false, "READ", `"type":"text","text":{"body":"hello"}`),
		past("out", 1700000100, true, "READ", `"type":"text","text":{"body":"good day"}`),
		past("lost", 1700000200, true, "ERROR", `"type":"text","text":{"body":"never arrived"}`),
		past("late", 1700000300, true, "PENDING", `"type":"text","text":{"body":"on its way"}`),
		past("photo", 1700000400, false, "READ", `"type":"image","image":{"id":"9"}`),
		past("", 1700000500, false, "READ", `"type":"text","text":{"body":"no id"}`),
		`"odd"`,
	))
	for id, want := range map[string]struct {
		d chat.Direction
		o chat.Origin
		s chat.Status
	}{
		"in": {chat.In, chat.FromCustomer, chat.Delivered}, "out": {chat.Out, chat.FromPhoneApp, chat.Read},
		"lost": {chat.Out, chat.FromPhoneApp, chat.Failed}, "late": {chat.Out, chat.FromPhoneApp, chat.Accepted},
		"photo": {chat.In, chat.FromCustomer, chat.Delivered},
	} {
		m := r.lookup(id)
		if m.Direction != want.d || m.Origin != want.o || m.Status != want.s || !m.Imported || m.Contact != r.contact("34600111222").ID {
			t.Errorf("%s: %s from %s, %s, imported %v", id, m.Direction, m.Origin, m.Status, m.Imported)
		}
	}
	if all := r.messages(); len(all) != 6 {
		t.Errorf("%d messages are stored", len(all))
	}
	if kept := r.kept("RAW#"); len(kept) != 1 {
		t.Errorf("what is no message: %d are kept", len(kept))
	}
	if len(r.crm.entries) != 0 || !slices.Equal(r.refs(&r.media), []string{"media photo stored"}) {
		t.Errorf("%d entries to the CRM, files %q: only files are due at once", len(r.crm.entries), r.refs(&r.media))
	}
	if len(r.bulk.entries) != 1 {
		t.Errorf("%d jobs for one conversation", len(r.bulk.entries))
	}
	n, _, err := r.store.Health(t.Context(), "100")
	if err != nil || n.Facts[chat.FactHistory].Value != "phase 1, 45 %" || n.Display != display {
		t.Errorf("number %+v (%v)", n, err)
	}
	if len(r.bus.Events()) != 0 || r.counts[metric.RawUpdate] != 1 {
		t.Errorf("told %d, counted %v", len(r.bus.Events()), r.counts)
	}
}

// TestFilesOfTheHistory: a placeholder and its file meet in either order, and the file is fetched once it is named.
func TestFilesOfTheHistory(t *testing.T) {
	placeholder := thread(past("photo", 1700000000, false, "READ", `"type":"media_placeholder"`))
	file := `{` + metadata + `,"messages":[{"id":"photo","from":"34600111222","timestamp":"1700000000","type":"image","image":{"id":"9","caption":"my roof"}}]}`
	for name, posts := range map[string][]string{
		"placeholder, file":              {placeholder, file},
		"file, placeholder":              {file, placeholder},
		"placeholder, file, and again":   {placeholder, file, placeholder, file},
		"file, placeholder, file, again": {file, placeholder, file, placeholder},
	} {
		r := newRig(t)
		for _, p := range posts {
			r.takeAll("history", p)
		}
		m := r.lookup("photo")
		if m.Kind != chat.KindImage || m.Text != "my roof" || m.Attachment == nil || m.Attachment.MediaID != "9" || !m.Imported {
			t.Errorf("%s: %+v", name, m)
		}
		if got := r.refs(&r.media); !slices.Contains(got, "media photo stored") {
			t.Errorf("%s: files %q", name, got)
		}
		for _, ref := range r.refs(&r.crm) { // crmsync leaves it while the message has no entry
			if strings.HasSuffix(ref, " stored") {
				t.Errorf("%s: %q is due before its turn", name, ref)
			}
		}
		if len(r.messages()) != 1 || r.counts[metric.RawUpdate] != 0 || len(r.bulk.entries) == 0 {
			t.Errorf("%s: %d messages, counted %v, %d jobs", name, len(r.messages()), r.counts, len(r.bulk.entries))
		}
	}
}

// TestFilesOfTheCompany: Meta names the company alone where it sends the file of what the company wrote, so that its
// customer is known from the placeholder, which may come later, or never.
func TestFilesOfTheCompany(t *testing.T) {
	placeholder := thread(past("photo", 1700000000, true, "READ", `"type":"media_placeholder"`))
	file := `{` + metadata + `,"messages":[{"id":"photo","from":"` + display + `","timestamp":"1700000000","type":"image","image":{"id":"9","caption":"our roof"}}]}`
	r := newRig(t)
	early := r.post("history", file)[0]
	if err := r.handle(early); !errors.Is(err, errOrphan) || !chat.Temporary(err) {
		t.Fatalf("the file of a message that isn't there yet: %v", err)
	}
	r.takeAll("history", placeholder)
	r.take(early)
	m := r.lookup("photo")
	if m.Kind != chat.KindImage || m.Direction != chat.Out || m.Text != "our roof" || m.Contact != r.contact("34600111222").ID || m.Status != chat.Read {
		t.Errorf("%+v", m)
	}
	if got := r.refs(&r.media); !slices.Contains(got, "media photo stored") || len(r.messages()) != 1 {
		t.Errorf("files %q, %d messages", got, len(r.messages()))
	}

	r = newRig(t)
	if err := r.h.history(t.Context(), early, orphanTries); err != nil || r.counts[metric.RawUpdate] != 1 {
		t.Errorf("a file that belongs to nothing: %v, counted %v", err, r.counts)
	}
}

// TestHistoryMeetsThePresent: what came live is not imported again, and the other way round.
func TestHistoryMeetsThePresent(t *testing.T) {
	live := `{` + metadata + `,"messages":[` + hello + `]}`
	old := thread(past("wamid.1", 1772452800, false, "READ", `"type":"text","text":{"body":"hello"}`))
	for _, test := range []struct {
		name     string
		imported bool
		do       func(r *rig)
	}{
		{"live first", false, func(r *rig) { r.takeAll("messages", live); r.takeAll("history", old) }},
		{"imported first", true, func(r *rig) { r.takeAll("history", old); r.takeAll("messages", live) }},
	} {
		r := newRig(t)
		test.do(r)
		test.do(r)
		if all := r.messages(); len(all) != 1 || all[0].Imported != test.imported || r.counts[metric.RawUpdate] != 0 {
			t.Errorf("%s: %d messages, counted %v", test.name, len(all), r.counts)
		}
		if brought := len(r.crm.entries) > 0; brought == test.imported {
			t.Errorf("%s: %d entries to the CRM at once", test.name, len(r.crm.entries))
		}
		if jobs := len(r.bulk.entries) > 0; jobs != test.imported {
			t.Errorf("%s: %d jobs", test.name, len(r.bulk.entries))
		}
	}
}

// TestChunksInAnyOrder: a thousand messages, shuffled and told twice, are one history in the order of time.
func TestChunksInAnyOrder(t *testing.T) {
	var messages []string
	for i := range 1000 {
		messages = append(messages, pastText(fmt.Sprintf("w%04d", i), 1700000000+int64(i)))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
	r := newRig(t)
	us := r.post("history", thread(messages...))
	if len(us) != 10 {
		t.Fatalf("%d updates", len(us))
	}
	us = append(us, us...)
	rng.Shuffle(len(us), func(i, j int) { us[i], us[j] = us[j], us[i] })
	for _, u := range us {
		if u.Kind != whatsapp.KindHistory {
			t.Fatalf("a %s", u.Kind)
		}
		r.take(u)
	}
	all := r.messages()
	if len(all) != 1000 || !slices.IsSortedFunc(all, func(a, b chat.Message) int { return strings.Compare(a.Text, b.Text) }) {
		t.Errorf("%d messages, in order %v", len(all), all[0].Text)
	}
	c, err := r.store.Conversation(t.Context(), all[0].Conversation)
	if err != nil || c.Arrivals != 1000 || !c.Activity.Equal(time.Unix(1700000999, 0)) {
		t.Errorf("%+v (%v)", c, err)
	}
	if len(r.crm.entries)+len(r.media.entries) != 0 {
		t.Errorf("%d and %d entries", len(r.crm.entries), len(r.media.entries))
	}
}

// TestOneThatCantBeStoredHoldsBackNoOther: nor does it keep the others from the CRM.
func TestOneThatCantBeStoredHoldsBackNoOther(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", chat.MaxInlineRaw)
	r.bucket.err = errors.New("refused for good")
	err := r.handle(r.post("history", thread(pastText("w1", 1700000000), past("w2", 1700000001, false, "READ", `"type":"text","text":{"body":"`+long+`"}`), pastText("w3", 1700000002)))[0])
	if err == nil {
		t.Fatal("it is taken for stored")
	}
	if all := r.messages(); len(all) != 2 || len(r.bulk.entries) != 1 {
		t.Errorf("%d messages, %d jobs", len(all), len(r.bulk.entries))
	}
	r.bucket.err = nil
	r.takeAll("history", thread(pastText("w1", 1700000000), past("w2", 1700000001, false, "READ", `"type":"text","text":{"body":"`+long+`"}`), pastText("w3", 1700000002)))
	if m := r.lookup("w2"); m.RawKey == "" || m.Raw != nil {
		t.Errorf("a long one: %d bytes inline, object %q", len(m.Raw), m.RawKey)
	}
}

func TestHistoryOfNobody(t *testing.T) {
	r := newRig(t)
	r.takeAll("history", `{`+metadata+`,"history":[{"metadata":{"phase":0},"threads":[{"messages":[{"id":"w1","timestamp":"1","type":"text","text":{"body":"x"}}]}]}]}`)
	if kept := r.kept("RAW#"); len(kept) != 1 || kept[0].Reason != "nobody" || len(r.bulk.entries) != 0 {
		t.Errorf("kept %+v", kept)
	}
}

func TestWithoutACRMThereIsNothingToFollow(t *testing.T) {
	r := newRig(t)
	r.h.Connectors = nil
	r.takeAll("history", thread(pastText("w1", 1700000000)))
	if len(r.messages()) != 1 || len(r.bulk.entries) != 0 {
		t.Errorf("%d messages, %d jobs", len(r.messages()), len(r.bulk.entries))
	}
}

package handler

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const ana = "34600111222"

// entry is one on the fake CRM's timeline.
type entry struct {
	on    crm.ContactRef
	shows crm.Entry
	files []crm.FileRef
}

// said is the entry's only message.
func (e entry) said() crm.Message { return e.shows.Messages[0] }

// fake is a CRM. What its capabilities say it doesn't keep, it doesn't: what is made twice is there twice.
type fake struct {
	t           *testing.T
	can         crm.Capabilities
	calls       []string
	provisioned bool
	people      map[crm.ContactRef]crm.Person
	typed       map[crm.ContactRef][]string // numbers of records that people typed in
	entries     map[crm.EntryRef]*entry
	files       map[crm.FileRef]string // key, name and content
	made        int
	fail        func(op string) error // before anything is done
	lose        func(op string) error // after it
	meanwhile   func(op string)
	requests    []crm.Request
	reports     []string
}

func newFake(t *testing.T) *fake {
	return &fake{
		t: t, provisioned: true, people: map[crm.ContactRef]crm.Person{}, typed: map[crm.ContactRef][]string{},
		entries: map[crm.EntryRef]*entry{}, files: map[crm.FileRef]string{},
	}
}

// op does one call: it may fail before, or lose its answer after.
func (f *fake) op(ctx context.Context, name string, do func() error) error {
	called(ctx)
	f.calls = append(f.calls, name)
	if f.meanwhile != nil {
		f.meanwhile(name)
	}
	if f.fail != nil {
		if err := f.fail(name); err != nil {
			return err
		}
	}
	if !f.provisioned && name != "provision" {
		return fmt.Errorf("write: %w", crm.ErrNotProvisioned)
	}
	if err := do(); err != nil {
		return err
	}
	if f.lose != nil {
		return f.lose(name)
	}
	return nil
}

func (f *fake) ref() string { f.made++; return fmt.Sprint(f.made) }

func (f *fake) Name() string                   { return "fake" }
func (f *fake) Capabilities() crm.Capabilities { return f.can }
func (f *fake) Check(ctx context.Context) error {
	return f.op(ctx, "check", func() error { return nil })
}

func (f *fake) Provision(ctx context.Context) error {
	return f.op(ctx, "provision", func() error { f.provisioned = true; return nil })
}

func (f *fake) ContactByKey(ctx context.Context, key chat.ContactID) (c crm.Contact, ok bool, err error) {
	err = f.op(ctx, "key", func() error {
		for ref, p := range f.people {
			if p.Key == key {
				c, ok = crm.Contact{Ref: ref, Key: key}, true
			}
		}
		return nil
	})
	return c, ok, err
}

func (f *fake) SearchContacts(ctx context.Context, _ crm.Phone) (found []crm.Contact, err error) {
	err = f.op(ctx, "search", func() error {
		for ref, numbers := range f.typed {
			found = append(found, crm.Contact{Ref: ref, Phones: numbers, Key: f.people[ref].Key})
		}
		return nil
	})
	return found, err
}

func (f *fake) CreateContact(ctx context.Context, p crm.Person) (ref crm.ContactRef, err error) {
	return ref, f.op(ctx, "contact", func() error {
		ref = crm.ContactRef("c" + f.ref())
		f.people[ref] = p
		return nil
	})
}

func (f *fake) FillContact(ctx context.Context, ref crm.ContactRef, p crm.Person) error {
	return f.op(ctx, "fill", func() error {
		if _, ok := f.people[ref]; !ok && f.typed[ref] == nil {
			return fmt.Errorf("fill: %w", crm.ErrGone)
		}
		f.people[ref] = p
		return nil
	})
}

func (f *fake) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (ref crm.EntryRef, err error) {
	err = f.op(ctx, "entry", func() error {
		if _, ok := f.people[on]; !ok {
			return fmt.Errorf("entry: %w", crm.ErrGone)
		}
		ref = crm.EntryRef("e" + f.ref())
		f.entries[ref] = &entry{on: on, shows: e, files: files}
		return nil
	})
	return ref, err
}

func (f *fake) FindMessage(ctx context.Context, on crm.ContactRef, e crm.Entry) (ref crm.EntryRef, ok bool, err error) {
	err = f.op(ctx, "find", func() error {
		for r, old := range f.entries {
			if old.on == on && old.shows.Key == e.Key {
				ref, ok = r, true
			}
		}
		return nil
	})
	return ref, ok, err
}

func (f *fake) PutFile(ctx context.Context, _ crm.ContactRef, on crm.EntryRef, file crm.File) (ref crm.FileRef, err error) {
	err = f.op(ctx, "file", func() error {
		if (on == "") != f.can.FilesFirst {
			f.t.Errorf("a file for the entry %q", on)
		}
		r, err := file.Open(ctx)
		if err != nil {
			return fmt.Errorf("open file: %w", err)
		}
		defer r.Close()
		content, err := io.ReadAll(r)
		if err != nil || int64(len(content)) != file.Size {
			f.t.Errorf("the file has %d bytes, said to be %d (%v)", len(content), file.Size, err)
		}
		ref = crm.FileRef("f" + f.ref())
		f.files[ref] = file.Key + " " + file.Name + " " + file.MIME + " " + string(content)
		return nil
	})
	return ref, err
}

func (f *fake) FindFile(ctx context.Context, _ crm.ContactRef, _ crm.EntryRef, file crm.File) (ref crm.FileRef, ok bool, err error) {
	err = f.op(ctx, "find file", func() error {
		for r, content := range f.files {
			if strings.HasPrefix(content, file.Key+" ") {
				ref, ok = r, true
			}
		}
		return nil
	})
	return ref, ok, err
}

func (f *fake) UpdateMessage(ctx context.Context, on crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	return f.op(ctx, "update", func() error {
		e := f.entries[ref]
		if e == nil {
			return fmt.Errorf("update: %w", crm.ErrGone)
		}
		if e.on != on {
			f.t.Errorf("updated on %s, made on %s", on, e.on)
		}
		e.shows, e.files = to, files
		return nil
	})
}

func (f *fake) FetchOutbound(ctx context.Context, since string) (requests []crm.Request, next string, err error) {
	err = f.op(ctx, "fetch", func() error {
		n, err := strconv.Atoi(since)
		if err != nil {
			n = len(f.requests) // from now on
		}
		requests, next = f.requests[n:], fmt.Sprint(len(f.requests))
		return nil
	})
	return requests, next, err
}

func (f *fake) Report(ctx context.Context, r crm.Request, o crm.Outcome) error {
	return f.op(ctx, "report", func() error {
		says := ": "
		if o.Unknown {
			says = "? "
		}
		f.reports = append(f.reports, r.ID+says+o.Problem)
		return nil
	})
}

// once gives err for the first call of op, and nothing after.
func once(op string, err error) func(string) error {
	return func(name string) error {
		if name != op || err == nil {
			return nil
		}
		defer func() { err = nil }()
		return err
	}
}

// always gives err for every call of op.
func always(op string, err error) func(string) error {
	return func(name string) error {
		if name == op {
			return err
		}
		return nil
	}
}

type counts map[string]int

func (c counts) Count(_ context.Context, name string, n int, dims ...string) {
	c[strings.Join(append([]string{name}, dims...), " ")] += n
}

// rig is crmsync between a table, a bucket and a CRM in memory.
type rig struct {
	*testing.T
	h      *Handler
	store  *store.Store
	bucket blob.Memory
	now    time.Time
	queued time.Time // when effects were
	crm    *fake
	counts counts
}

func newRig(t *testing.T) *rig {
	ids := 0
	s := store.New(store.NewMemory(), "t", 0)
	s.NewID = func() string { ids++; return fmt.Sprintf("01ID%04d", ids) }
	s.Pause = func(context.Context, int) error { return nil }
	r := &rig{T: t, store: s, now: noon, crm: newFake(t), counts: counts{}}
	s.Now = func() time.Time { return r.now }
	if err := s.SetCursor(t.Context(), "provision fake", "for "); err != nil {
		t.Fatal(err)
	}
	r.h = &Handler{Store: s, Blobs: &r.bucket, Connectors: map[string]crm.Connector{"fake": r.crm}, Metrics: r.counts, Now: s.Now}
	return r
}

// received stores a customer's message.
func (r *rig) received(m chat.Message, seen chat.Seen) chat.Message {
	r.Helper()
	m.Direction, m.Status, m.ProviderID = chat.In, chat.Delivered, string(m.ID)
	if m.At.IsZero() {
		m.At = noon
	}
	seen.At, seen.ID = m.At, string(m.ID)
	if seen.Source == "" {
		seen.Source = chat.SourceMessage
	}
	got, err := r.store.Receive(r.Context(), store.Inbound{Message: m, Number: "100", Seen: seen})
	if err != nil {
		r.Fatal(err)
	}
	return got.Message
}

func (r *rig) text(id, body string) chat.Message {
	r.Helper()
	return r.received(chat.Message{ID: chat.MessageID(id), Kind: chat.KindText, Text: body}, chat.Seen{Phone: ana, Name: "Test Customer"})
}

// photo stores a message with a file that is still to come.
func (r *rig) photo() chat.Message {
	r.Helper()
	return r.received(chat.Message{
		ID: "wamid.photo", Kind: chat.KindImage,
		Attachment: &chat.Attachment{State: chat.Pending, MediaID: "900", MIME: "image/jpeg"},
	}, chat.Seen{Phone: ana, Name: "Test Customer"})
}

// arrives changes the attachment as the media function does.
func (r *rig) arrives(m chat.Message, state chat.FileState, reason string) {
	r.Helper()
	const content = "the bytes"
	if state.Have() {
		if err := r.bucket.Put(r.Context(), "media/1", strings.NewReader(content), int64(len(content)), blob.PutOptions{}); err != nil {
			r.Fatal(err)
		}
	}
	r.change(m, func(m *chat.Message) {
		m.Attachment.State, m.Attachment.Reason, m.Attachment.Key, m.Attachment.Size = state, reason, "media/1", int64(len(content))
	})
}

func (r *rig) change(m chat.Message, edit func(*chat.Message)) {
	r.Helper()
	_, err := r.store.Change(r.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error { edit(m); return nil })
	if err != nil {
		r.Fatal(err)
	}
}

// sync handles the message's effect once.
func (r *rig) sync(m chat.Message) error { return r.due(m, route.Stored) }

func (r *rig) due(m chat.Message, cause string) error {
	ref := route.NewRef(m, store.SortKey(m), chat.Effect{Kind: chat.EffectCRM, Target: "fake"}, cause)
	return r.h.Handle(r.Context(), queue.Message{ID: ref.ID, Body: ref.Body(), Receives: 1, Sent: r.queued})
}

func (r *rig) mustSync(m chat.Message) {
	r.Helper()
	if err := r.sync(m); err != nil {
		r.Fatal(err)
	}
}

// called empties the list of calls and compares it.
func (r *rig) called(want ...string) {
	r.Helper()
	if !slices.Equal(r.crm.calls, want) {
		r.Errorf("the CRM was called %q, want %q", r.crm.calls, want)
	}
	r.crm.calls = nil
}

// entry is the only one in which a message is shown in the CRM.
func (r *rig) entry(m chat.Message) entry {
	r.Helper()
	var found []entry
	for _, e := range r.crm.entries {
		if slices.ContainsFunc(e.shows.Messages, func(shown crm.Message) bool { return shown.ID == m.ID }) {
			found = append(found, *e)
		}
	}
	if len(found) != 1 {
		r.Fatalf("the message is in %d entries", len(found))
	}
	return found[0]
}

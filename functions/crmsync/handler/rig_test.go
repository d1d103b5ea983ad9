package handler

import (
	"context"
	"fmt"
	"io"
	"slices"
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

// fake is a CRM that keeps a connector's promises: everything is found by its key.
type fake struct {
	t           *testing.T
	calls       []string
	provisioned bool
	contacts    map[chat.ContactID]crm.ContactRef
	people      map[crm.ContactRef]crm.Person
	entries     map[string]*entry
	files       map[string]string // key to name and content
	made        int
	fail        func(op string) error // before anything is done
	lose        func(op string) error // after it
	meanwhile   func(op string)
}

func newFake(t *testing.T) *fake {
	return &fake{
		t: t, provisioned: true, contacts: map[chat.ContactID]crm.ContactRef{}, people: map[crm.ContactRef]crm.Person{},
		entries: map[string]*entry{}, files: map[string]string{},
	}
}

// op does one call: it may fail before, or lose its answer after.
func (f *fake) op(name string, do func() error) error {
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

func (f *fake) Name() string { return "fake" }

func (f *fake) Provision(context.Context) error {
	return f.op("provision", func() error { f.provisioned = true; return nil })
}

func (f *fake) EnsureContact(_ context.Context, p crm.Person) (ref crm.ContactRef, err error) {
	err = f.op("contact", func() error {
		if f.contacts[p.Key] == "" {
			f.contacts[p.Key] = crm.ContactRef("c" + f.ref())
		}
		ref = f.contacts[p.Key]
		f.people[ref] = p
		return nil
	})
	return ref, err
}

func (f *fake) EnsureEntry(_ context.Context, on crm.ContactRef, e crm.Entry) (crm.EntryRef, error) {
	return crm.EntryRef(e.Key), f.op("entry", func() error {
		if _, ok := f.people[on]; !ok {
			return fmt.Errorf("entry: %w", crm.ErrGone)
		}
		if f.entries[e.Key] == nil {
			f.entries[e.Key] = &entry{on: on, shows: e}
		}
		return nil
	})
}

func (f *fake) EnsureFile(ctx context.Context, file crm.File) (crm.FileRef, error) {
	return crm.FileRef("f" + file.Key), f.op("file", func() error {
		r, err := file.Open(ctx)
		if err != nil {
			return fmt.Errorf("open file: %w", err)
		}
		defer r.Close()
		content, err := io.ReadAll(r)
		if err != nil || int64(len(content)) != file.Size {
			f.t.Errorf("the file has %d bytes, said to be %d (%v)", len(content), file.Size, err)
		}
		f.files[file.Key] = file.Name + " " + file.MIME + " " + string(content)
		return nil
	})
}

func (f *fake) Complete(_ context.Context, on crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	return f.op("complete", func() error {
		e := f.entries[string(ref)]
		if e == nil {
			return fmt.Errorf("complete: %w", crm.ErrGone)
		}
		if e.on != on {
			f.t.Errorf("completed on %s, made on %s", on, e.on)
		}
		e.shows, e.files = to, files
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
	crm    *fake
	counts counts
}

func newRig(t *testing.T) *rig {
	ids := 0
	s := store.New(store.NewMemory(), "t", 0)
	s.Now = func() time.Time { return noon }
	s.NewID = func() string { ids++; return fmt.Sprintf("01ID%04d", ids) }
	s.Pause = func(context.Context, int) error { return nil }
	r := &rig{T: t, store: s, crm: newFake(t), counts: counts{}}
	r.h = &Handler{Store: s, Blobs: &r.bucket, Connectors: map[string]crm.Connector{"fake": r.crm}, Metrics: r.counts}
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
	return r.h.Handle(r.Context(), queue.Message{Body: ref.Body(), Receives: 1})
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

// entry is the one that a message has in the CRM.
func (r *rig) entry(m chat.Message) entry {
	r.Helper()
	e := r.crm.entries[entryKey(m)]
	if e == nil {
		r.Fatal("the message has no entry")
	}
	return *e
}

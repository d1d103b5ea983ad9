package sim

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// Posting is an entry in the CRM, and when it was made.
type Posting struct {
	crm.Entry
	On   crm.ContactRef
	Made time.Time
}

// Postings are the entries in the order in which they were made.
func (s *Sim) Postings() []Posting {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.postings)
}

// posted is how many entries there are.
func (s *Sim) posted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.postings)
}

// noting is a connector whose new entries are noted.
type noting struct {
	crm.Connector
	s *Sim
}

// PutMessage is the connector's.
func (p *noting) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (crm.EntryRef, error) {
	ref, err := p.Connector.PutMessage(ctx, on, e, files)
	if err == nil {
		p.note(ctx, on, e)
	}
	return ref, err
}

// FindMessage is the connector's.
func (p *noting) FindMessage(ctx context.Context, on crm.ContactRef, e crm.Entry) (crm.EntryRef, bool, error) {
	ref, ok, err := p.Connector.FindMessage(ctx, on, e)
	if ok && err == nil {
		p.note(ctx, on, e)
	}
	return ref, ok, err
}

// note remembers an entry that is there.
func (p *noting) note(ctx context.Context, on crm.ContactRef, e crm.Entry) {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if !p.s.known[e.Key] {
		p.s.known[e.Key] = true
		p.s.postings = append(p.s.postings, Posting{e, on, p.s.at(inv)})
	}
}

// Ledger is the plainest CRM there can be: it finds everything again by its key. It is as slow and as limited as a Pace and
// a CRMLimit make it, and so quick otherwise that a run may write a hundred thousand entries.
type Ledger struct {
	mu      sync.Mutex
	entries map[crm.EntryRef]crm.Entry
	files   map[crm.EntryRef][]crm.FileRef
}

// Entry returns an entry, and the files on it.
func (l *Ledger) Entry(key string) (crm.Entry, []crm.FileRef) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[crm.EntryRef(key)], l.files[crm.EntryRef(key)]
}

// NewLedger returns an empty one.
func NewLedger() *Ledger {
	return &Ledger{entries: map[crm.EntryRef]crm.Entry{}, files: map[crm.EntryRef][]crm.FileRef{}}
}

// ledgerAPI is a Ledger as crmsync sees it. Each method is as many calls as HubSpot's connector makes.
type ledgerAPI struct {
	s *Sim
	l *Ledger
}

// limited is how the CRM says that there were too many calls.
var limited = &crm.Error{Class: crm.Limited, Op: "call", Status: 429, After: 10 * time.Second}

// call makes so many calls, and then does what they were for.
func (a *ledgerAPI) call(ctx context.Context, op string, calls int, do func()) error {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	for range calls {
		_, err := through(ctx, a.s, "crm", op, func() (struct{}, error) {
			if a.s.crmCalls.full(a.s.at(inv)) {
				return struct{}{}, limited
			}
			return struct{}{}, nil
		}, func(Fault) (struct{}, error) { return struct{}{}, &crm.Error{Class: crm.Transient, Op: op} })
		if err != nil {
			return err
		}
	}
	a.l.mu.Lock()
	defer a.l.mu.Unlock()
	do()
	return nil
}

// Name returns "ledger".
func (*ledgerAPI) Name() string { return "ledger" }

// Capabilities are those of a CRM in which everything has a key.
func (*ledgerAPI) Capabilities() crm.Capabilities {
	return crm.Capabilities{AtomicContacts: true, AtomicMessages: true, AtomicFiles: true, FilesFirst: true}
}

// Check has nothing to look at.
func (*ledgerAPI) Check(context.Context) error { return nil }

// Provision has nothing to do.
func (*ledgerAPI) Provision(context.Context) error { return nil }

// ContactByKey finds nobody: making a contact again is finding it.
func (a *ledgerAPI) ContactByKey(ctx context.Context, _ chat.ContactID) (c crm.Contact, ok bool, err error) {
	return c, false, a.call(ctx, "key", 1, func() {})
}

// SearchContacts finds nobody.
func (a *ledgerAPI) SearchContacts(ctx context.Context, _ crm.Phone) ([]crm.Contact, error) {
	return nil, a.call(ctx, "search", 1, func() {})
}

// CreateContact takes the person's key for the record's name.
func (a *ledgerAPI) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	return crm.ContactRef(p.Key), a.call(ctx, "contact", 1, func() {})
}

// FillContact has nothing to fill.
func (a *ledgerAPI) FillContact(ctx context.Context, _ crm.ContactRef, _ crm.Person) error {
	return a.call(ctx, "fill", 1, func() {})
}

// PutMessage makes an entry under its key.
func (a *ledgerAPI) PutMessage(ctx context.Context, _ crm.ContactRef, e crm.Entry, files []crm.FileRef) (crm.EntryRef, error) {
	ref := crm.EntryRef(e.Key)
	return ref, a.call(ctx, "entry", 2, func() { a.l.entries[ref], a.l.files[ref] = e, files })
}

// FindMessage isn't needed where there are keys.
func (a *ledgerAPI) FindMessage(context.Context, crm.ContactRef, crm.Entry) (crm.EntryRef, bool, error) {
	return "", false, nil
}

// PutFile reads a file.
func (a *ledgerAPI) PutFile(ctx context.Context, _ crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, error) {
	r, err := f.Open(ctx)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, r)
	if err := errors.Join(err, r.Close()); err != nil {
		return "", err
	}
	return crm.FileRef(f.Key), a.call(ctx, "file", 1, func() {})
}

// FindFile isn't needed where there are keys.
func (a *ledgerAPI) FindFile(context.Context, crm.ContactRef, crm.EntryRef, crm.File) (crm.FileRef, bool, error) {
	return "", false, nil
}

// UpdateMessage brings an entry up to date.
func (a *ledgerAPI) UpdateMessage(ctx context.Context, _ crm.ContactRef, e crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	return a.call(ctx, "update", 1, func() { a.l.entries[e], a.l.files[e] = to, files })
}

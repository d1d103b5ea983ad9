// Package handler is crmsync: it puts a message, and later its file, on the customer's record in a CRM.
//
// It reads the present state and writes what is missing, so a second effect for the same message only completes. What
// it did is claimed on the table before and noted after; together with the connector's own keys that makes one contact,
// one entry and one file of any number of tries. It decides nothing about the conversation.
package handler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/store"
)

// stoppedFor is how long at least to leave a CRM alone that only a person can mend.
const stoppedFor = time.Minute

// Blobs gives out files; *blob.S3 does.
type Blobs interface {
	Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error)
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Handler handles entries of CRM.fifo.
type Handler struct {
	Store      *store.Store
	Blobs      Blobs
	Connectors map[string]crm.Connector
	Metrics    Counter
}

// Choose returns the known connectors that are configured, or names those that aren't known.
func Choose(known map[string]crm.Connector, names []string) (map[string]crm.Connector, error) {
	chosen := map[string]crm.Connector{}
	var errs []error
	for _, n := range route.Connectors(names) {
		if chosen[n] = known[n]; known[n] == nil {
			errs = append(errs, fmt.Errorf("CRM_CONNECTOR: there is no connector %q", n))
		}
	}
	return chosen, errors.Join(errs...)
}

// Handle brings one message's entry in one CRM up to date.
func (h *Handler) Handle(ctx context.Context, qm queue.Message) error {
	r, err := route.ParseRef(qm.Body)
	if err != nil {
		return err
	}
	c := h.Connectors[r.Target]
	if c == nil {
		slog.WarnContext(ctx, "dropped an effect for a connector that isn't configured", "connector", r.Target)
		return nil
	}
	m, err := h.Store.Message(ctx, r.Conversation, r.Message)
	if chat.CodeOf(err) == chat.NotFound {
		return nil // past its retention
	}
	if err != nil {
		return err
	}
	if !due(m) {
		return nil
	}
	s := &sync{h: h, connector: c, m: m}
	if later, err := s.imported(ctx, r.Cause); later || err != nil {
		return err
	}
	err = s.run(ctx)
	if errors.Is(err, crm.ErrNotProvisioned) {
		slog.InfoContext(ctx, "provisioning", "connector", c.Name())
		if err = c.Provision(ctx); err == nil {
			err = s.run(ctx)
		}
	}
	slog.DebugContext(ctx, "synced", "connector", c.Name(), "conversation", m.Conversation, "ok", err == nil)
	return h.judge(ctx, s, err)
}

// due tells whether the message belongs on the record: what the customer wrote, and what Meta took from us, which is
// what Meta has a name for. A reaction and the end of a call are shown on the entry of the message that they are about.
func due(m chat.Message) bool {
	a, amends := m.Amends()
	if m.Kind == chat.KindReaction || amends && a.Kind == chat.KindCall {
		return false
	}
	return m.Direction == chat.In || m.ProviderID != ""
}

// imported tells whether a message of the imported history is to wait: the job that brings the history in order makes
// its entry, with all that is known by then.
func (s *sync) imported(ctx context.Context, cause string) (later bool, err error) {
	if !s.m.Imported || cause == route.Imported {
		return false, nil
	}
	known, err := s.h.Store.Entries(ctx, s.m.Conversation, s.connector.Name(), []chat.MessageID{s.m.ID})
	return len(known) == 0, err
}

// judge turns a failure into what the queue shall do: wait, or record it and go on.
func (h *Handler) judge(ctx context.Context, s *sync, err error) error {
	if errors.Is(err, crm.ErrNotProvisioned) || errors.Is(err, crm.ErrGone) {
		// It doesn't stay provisioned, or records vanish as we make them: a person has to look.
		err = &crm.Error{Class: crm.Stopped, Op: "sync", Err: err}
	}
	var failure *crm.Error
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Class {
	case crm.Limited:
		if slow := h.Store.Slow(ctx, s.connector.Name()); slow != nil { // the next objection says so again
			slog.WarnContext(ctx, "slow an import down", "connector", s.connector.Name(), "error", redact.Error(slow))
		}
	case crm.Stopped:
		h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", s.connector.Name())
		slog.ErrorContext(ctx, "the CRM refuses until somebody changes something", "connector", s.connector.Name(), "error", redact.Error(failure))
		return &chat.Error{Kind: chat.Unavailable, After: max(stoppedFor, failure.After), Err: err}
	case crm.Refused:
		slog.ErrorContext(ctx, "the CRM refused an entry for good", "connector", s.connector.Name(), "error", redact.Error(failure))
		_, err := h.Store.ClaimEntry(ctx, s.m, s.connector.Name(), func(e *store.Entry) { e.Reason = failure.Error() })
		h.Metrics.Count(ctx, metric.Parked, 1, "Source", s.connector.Name())
		return err
	}
	return err
}

// sync is one message on its way into one CRM.
type sync struct {
	h         *Handler
	connector crm.Connector
	m         chat.Message
}

// run does what is missing. A record that was deleted in the CRM is made again, once.
func (s *sync) run(ctx context.Context) error {
	err := s.once(ctx)
	if !errors.Is(err, crm.ErrGone) {
		return err
	}
	if err := s.forget(ctx); err != nil {
		return err
	}
	return s.once(ctx)
}

func (s *sync) once(ctx context.Context) error {
	who, on, err := s.contact(ctx)
	if err != nil {
		return err
	}
	begun := false // by an earlier try, which may have made the entry when the message said less
	claim, err := s.claim(ctx, func(e *store.Entry) {
		begun = e.Contact != ""
		e.Contact = cmp.Or(e.Contact, string(on))
	})
	if err != nil {
		return err
	}
	on = crm.ContactRef(claim.Contact) // where the entry was begun, also if the contact has moved since
	quoted, err := s.quoted(ctx)
	if err != nil {
		return err
	}
	want := render(s.m, who, quoted)
	if claim.Ref == "" {
		ref, err := s.connector.EnsureEntry(ctx, on, want)
		if err != nil {
			return fmt.Errorf("entry: %w", err)
		}
		shows := shown(want, "")
		if begun {
			shows = ""
		}
		if claim, err = s.claim(ctx, func(e *store.Entry) { e.Ref, e.Shown, e.Reason = string(ref), shows, "" }); err != nil {
			return err
		}
	}
	file := claim.File
	if a := s.m.Attachment; a != nil && a.State.Have() && file == "" {
		var note string
		if file, note, err = s.attach(ctx); err != nil {
			return err
		}
		want.Note = lines(want.Note, note)
	}
	if claim.Shown == shown(want, file) {
		return nil
	}
	var files []crm.FileRef
	if file != "" {
		files = []crm.FileRef{crm.FileRef(file)}
	}
	if err := s.connector.Complete(ctx, on, crm.EntryRef(claim.Ref), want, files); err != nil {
		return fmt.Errorf("complete: %w", err)
	}
	_, err = s.claim(ctx, func(e *store.Entry) { e.File, e.Shown, e.Reason = file, shown(want, file), "" })
	return err
}

// quoted is the message that this one answers, nil if we don't have it.
func (s *sync) quoted(ctx context.Context) (*chat.Message, error) {
	if _, amends := s.m.Amends(); amends {
		return nil, nil
	}
	quotes, err := s.h.Store.Quotes(ctx, s.m)
	if m, ok := quotes[s.m.ReplyTo]; ok {
		return &m, nil
	}
	return nil, err
}

// attach gives the CRM the file, or says why the entry has to do without it.
func (s *sync) attach(ctx context.Context) (file, note string, err error) {
	ref, err := s.connector.EnsureFile(ctx, s.file())
	var refused *crm.Error
	switch {
	case errors.Is(err, blob.ErrNotFound):
		slog.WarnContext(ctx, "a file isn't in the bucket any more", "conversation", s.m.Conversation)
		return "", "The file is past its retention.", nil
	case errors.As(err, &refused) && refused.Class == crm.Refused:
		return "", "The CRM doesn't take the file (" + refused.Reason + "); it is kept in Threadline.", nil
	case err != nil:
		return "", "", fmt.Errorf("file: %w", err)
	}
	return string(ref), "", nil
}

// contact finds or makes the customer's record, and completes it when more is known of the person than before.
func (s *sync) contact(ctx context.Context) (chat.Contact, crm.ContactRef, error) {
	who, err := s.h.Store.Contact(ctx, s.m.Contact)
	if err != nil {
		return who, "", err
	}
	ids, err := s.h.Store.Identities(ctx, who)
	if err != nil {
		return who, "", err
	}
	p := crm.Person{Key: who.ID, Name: cmp.Or(who.Saved, who.Name), Username: who.Username}
	if len(ids) > 0 && ids[0].Kind == chat.AliasWAID {
		p.Phone = ids[0].Value
	}
	known := digest(p.Name, p.Username, p.Phone)
	link, err := s.h.Store.Link(ctx, who.ID, s.connector.Name())
	if err != nil || link.Ref != "" && link.Shown == known {
		return who, crm.ContactRef(link.Ref), err
	}
	on, err := s.connector.EnsureContact(ctx, p)
	if err != nil {
		return who, "", fmt.Errorf("contact: %w", err)
	}
	return who, on, s.h.Store.SetLink(ctx, who.ID, s.connector.Name(), store.Link{Ref: string(on), Shown: known})
}

// forget drops what the table remembers of records that are gone.
func (s *sync) forget(ctx context.Context) error {
	who, err := s.h.Store.Contact(ctx, s.m.Contact)
	if err != nil {
		return err
	}
	if err := s.h.Store.SetLink(ctx, who.ID, s.connector.Name(), store.Link{}); err != nil {
		return err
	}
	_, err = s.claim(ctx, func(e *store.Entry) { *e = store.Entry{} })
	return err
}

func (s *sync) claim(ctx context.Context, edit func(*store.Entry)) (store.Entry, error) {
	return s.h.Store.ClaimEntry(ctx, s.m, s.connector.Name(), edit)
}

// file is the message's attachment for the CRM.
func (s *sync) file() crm.File {
	a := s.m.Attachment
	return crm.File{
		Key: entryKey(s.m), Name: fileName(s.m), MIME: a.MIME, Size: a.Size,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			r, _, err := s.h.Blobs.Get(ctx, a.Key)
			return r, err
		},
	}
}

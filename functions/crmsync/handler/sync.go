package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/store"
)

// sync is one message on its way into one CRM.
type sync struct {
	h         *Handler
	connector crm.Connector
	can       crm.Capabilities
	m         chat.Message
	since     time.Time // when its effect was queued

	who chat.Contact
	on  crm.ContactRef // the record that the entry is on

	// The entry, which may show other messages too.
	head    chat.Message // whose entry it is
	claim   store.Entry  // what is known of it
	begun   time.Time    // when it was begun by an earlier try whose outcome isn't known; zero: it wasn't
	held    bool         // nobody else writes to it
	members []member
}

// member is a message that an entry shows, and what is known of its file.
type member struct {
	chat.Message
	claim store.Entry
}

// imported tells whether a message of the imported history is to wait: the job that brings the history in order makes
// its entry, with all that is known by then.
func (s *sync) imported(ctx context.Context, cause string) (later bool, err error) {
	if !s.m.Imported || route.HasTurn(cause) {
		return false, nil
	}
	known, err := s.h.Store.Entries(ctx, s.m.Conversation, s.connector.Name(), []chat.MessageID{s.m.ID})
	return len(known) == 0, err
}

// run does what is missing. A message that the CRM refuses in the entry of others gets one of its own.
func (s *sync) run(ctx context.Context) error {
	err := s.try(ctx)
	refusal, ok := errors.AsType[*crm.Error](err)
	if !ok || refusal.Class != crm.Refused || !s.added() {
		return err
	}
	if err := s.leave(ctx); err != nil {
		return err
	}
	return s.try(ctx)
}

// try does what is missing. A record that was deleted in the CRM is made again, and one that was merged is followed, once.
func (s *sync) try(ctx context.Context) (err error) {
	defer func() {
		if s.held {
			_, released := s.note(ctx, s.entryOwner(), func(e *store.Entry) { e.Busy = time.Time{} })
			s.held = false
			err = errors.Join(err, released)
		}
	}()
	err = s.once(ctx)
	moved, ok := errors.AsType[*crm.Moved](err)
	switch {
	case ok:
		err = s.follow(ctx, moved.To)
	case errors.Is(err, crm.ErrGone):
		err = s.forget(ctx)
	default:
		return err
	}
	if err != nil {
		return err
	}
	return s.once(ctx)
}

func (s *sync) once(ctx context.Context) error {
	if done, err := s.asked(ctx); done || err != nil {
		return err
	}
	if err := s.contact(ctx); err != nil {
		return err
	}
	if err := s.place(ctx); err != nil {
		return err
	}
	if s.can.FilesFirst {
		if err := s.files(ctx); err != nil {
			return err
		}
	}
	if err := s.entry(ctx); err != nil {
		return err
	}
	if !s.can.FilesFirst {
		if err := s.files(ctx); err != nil {
			return err
		}
	}
	return s.update(ctx)
}

// How long an entry waits whose file is arriving, in a CRM that shows entries in the order in which they were made. The
// next messages of the contact wait behind it.
const (
	holdFor   = time.Minute
	holdFirst = time.Second
)

func (s *sync) heldBack(cause string) time.Duration {
	a := s.m.Attachment
	if !s.can.InsertionOrder || cause != route.Stored || a == nil || a.State != chat.Pending || s.since.IsZero() {
		return 0
	}
	age := s.h.now().Sub(s.since)
	if age >= holdFor {
		return 0
	}
	return min(max(age/2, holdFirst), holdFor-age)
}

// entry makes the entry if there is none.
func (s *sync) entry(ctx context.Context) error {
	if s.claim.Ref != "" {
		return nil
	}
	want, err := s.render(ctx)
	if err != nil {
		return err
	}
	files := s.attached()
	ref, found, err := s.findEntry(ctx, want)
	if err != nil {
		return err
	}
	if !found {
		if err := s.begin(ctx); err != nil {
			return err
		}
		if ref, err = s.connector.PutMessage(ctx, s.on, want, files); err != nil {
			return s.unbegun(ctx, fmt.Errorf("entry: %w", err))
		}
	}
	shows := ""
	if !found && s.begun.IsZero() {
		shows = shown(want, files)
	}
	s.held = shows == "" || s.lacksFiles()
	s.claim, err = s.note(ctx, s.head, func(e *store.Entry) {
		e.Ref, e.Tried, e.Shown, e.Reason = string(ref), time.Time{}, shows, ""
		if !s.held {
			e.Busy = time.Time{}
		}
	})
	return err
}

// begin notes that the entry is about to be made, unless place did just now.
func (s *sync) begin(ctx context.Context) (err error) {
	if s.can.AtomicMessages || s.begun.IsZero() && !s.claim.Tried.IsZero() {
		return nil
	}
	s.claim, err = s.note(ctx, s.head, func(e *store.Entry) { e.Tried = s.h.now().UTC() })
	return err
}

// findEntry looks for what an earlier try may have made.
func (s *sync) findEntry(ctx context.Context, want crm.Entry) (ref crm.EntryRef, ok bool, err error) {
	if s.begun.IsZero() || s.can.AtomicMessages {
		return "", false, nil
	}
	if err := s.lag(s.begun); err != nil {
		return "", false, err
	}
	ref, ok, err = s.connector.FindMessage(ctx, s.on, want)
	if err != nil {
		return "", false, fmt.Errorf("find entry: %w", err)
	}
	return ref, ok, nil
}

// unbegun notes that an entry certainly wasn't made by this try, and returns why. An earlier one may have made it, on the
// record into which the contact was merged since.
func (s *sync) unbegun(ctx context.Context, err error) error {
	if crm.Unsettled(err) {
		return err
	}
	_, noted := s.note(ctx, s.head, func(e *store.Entry) { e.Tried, e.Busy = s.begun, time.Time{} })
	s.held = false
	return errors.Join(err, noted)
}

// busyFor is as long as this function may run: whoever is at an entry is done or dead then.
const busyFor = 2 * time.Minute

var errBusy = errors.New("somebody else writes to the entry")

// busy is how long somebody else may write to an entry.
func (s *sync) busy(e store.Entry) time.Duration {
	if s.held {
		return 0
	}
	return e.Busy.Sub(s.h.now())
}

// hold keeps everybody else from writing to the entry, provided that nobody did since it was read.
func (s *sync) hold(ctx context.Context) error {
	if s.held {
		return nil
	}
	known, wait := s.claim, time.Duration(0)
	claim, err := s.note(ctx, s.head, func(e *store.Entry) {
		if wait = s.busy(*e); wait <= 0 && !reflect.DeepEqual(*e, known) {
			wait = time.Second // it says something else by now
		}
		if wait <= 0 {
			e.Busy = s.h.now().Add(busyFor).UTC()
		}
	})
	if err != nil {
		return err
	}
	if wait > 0 {
		return queue.Later(wait, errBusy)
	}
	s.claim, s.held = claim, true
	return nil
}

// lag waits until the CRM shows what was made at a time.
func (s *sync) lag(at time.Time) error {
	if left := s.can.SearchLag - s.h.now().Sub(at); left > 0 {
		return queue.Later(left, errors.New("the CRM may not show yet what was made"))
	}
	return nil
}

// update makes the entry show what the message says now.
func (s *sync) update(ctx context.Context) error {
	want, err := s.render(ctx)
	if err != nil {
		return err
	}
	files := s.attached()
	if now := shown(want, files); s.claim.Shown != now {
		if err := s.hold(ctx); err != nil {
			return err
		}
		if err := s.connector.UpdateMessage(ctx, s.on, crm.EntryRef(s.claim.Ref), want, files); err != nil {
			return fmt.Errorf("update entry: %w", err)
		}
		if s.claim, err = s.note(ctx, s.head, func(e *store.Entry) { e.Shown, e.Reason, e.Busy = now, "", time.Time{} }); err != nil {
			return err
		}
		s.held = false
	}
	for _, m := range s.members {
		if m.claim.Ref != "" || m.ID == s.head.ID {
			continue
		}
		if _, err := s.note(ctx, m.Message, func(e *store.Entry) { e.Ref, e.Reason = s.claim.Ref, "" }); err != nil {
			return err
		}
	}
	return nil
}

// refused records what the CRM will never take; the next one goes on.
func (s *sync) refused(ctx context.Context, refusal *crm.Error) error {
	slog.ErrorContext(ctx, "the CRM refused an entry for good", "connector", s.connector.Name(), "error", redact.Error(refusal))
	_, err := s.note(ctx, s.m, func(e *store.Entry) { e.Reason = refusal.Error() })
	s.h.Metrics.Count(ctx, metric.Parked, 1, "Source", s.connector.Name())
	return err
}

// note changes what the table knows of a message's entry.
func (s *sync) note(ctx context.Context, m chat.Message, change func(*store.Entry)) (store.Entry, error) {
	return s.h.Store.ClaimEntry(ctx, m, s.connector.Name(), change)
}

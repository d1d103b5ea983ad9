package handler

import (
	"context"
	"errors"
	"log/slog"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/store"
)

// What became of a request is told in the CRM.

// report tells the CRM what became of a request, if it has a way to show that.
func (h *Handler) report(ctx context.Context, c crm.Connector, r crm.Request, o crm.Outcome) error {
	reporter, ok := c.(crm.Reporter)
	if !ok {
		slog.WarnContext(ctx, "what became of a request can't be told: the CRM has no place to say so", "connector", c.Name())
		return nil
	}
	err := reporter.Report(ctx, r, o)
	failure, ok := errors.AsType[*crm.Error](err)
	switch {
	case errors.Is(err, crm.ErrGone), ok && failure.Class == crm.Refused:
		return nil // the record is gone: nobody waits for the answer
	case ok && failure.Class == crm.Stopped && whole(failure) == 0:
		slog.WarnContext(ctx, "what became of a request can't be told: the CRM forbids it there", "connector", c.Name(), "error", redact.Error(failure))
		return nil
	}
	return err
}

// asked deals with a message that somebody asked for in this CRM: it is told what came of it. Where the request already
// stands on the timeline, that is all; done is true then.
func (s *sync) asked(ctx context.Context) (done bool, err error) {
	if s.m.Origin != chat.FromCRM {
		return false, nil
	}
	said, ok, err := s.h.keptWith(ctx, s.connector.Name(), s.m.ID)
	if err != nil || !ok {
		return false, err
	}
	r, open := said.Request, false
	o := crm.Outcome{Problem: statusNote(s.m), Unknown: s.m.Status == chat.Unknown}
	if len(r.Files) > 0 {
		if o, open, err = s.h.outcome(ctx, s.connector.Name(), r); err != nil {
			return false, err
		}
	}
	outcome := digest(o.Problem)
	claim, err := s.note(ctx, s.m, func(e *store.Entry) {
		if r.Entry != "" {
			e.Ref = string(r.Entry)
			if s.m.Attachment != nil {
				e.FileReason = "It stands there already."
			}
		}
	})
	if err != nil {
		return false, err
	}
	if claim.Reported != outcome && (o.Problem != "" || !open) {
		if err := s.h.report(ctx, s.connector, r, o); err != nil {
			return false, err
		}
		if _, err := s.note(ctx, s.m, func(e *store.Entry) { e.Reported = outcome }); err != nil {
			return false, err
		}
	}
	return r.Entry != "", nil
}

// outcome says why not all of a request was sent, or may not have been. It is open as long as nothing is known of some part.
func (h *Handler) outcome(ctx context.Context, connector string, r crm.Request) (o crm.Outcome, open bool, err error) {
	unsent, unsure := false, false
	for _, p := range parts(connector, r) {
		said, _, err := h.keptWith(ctx, connector, p.id)
		if err != nil {
			return o, false, err
		}
		m, err := h.Store.Lookup(ctx, p.id)
		if err != nil && chat.CodeOf(err) != chat.NotFound {
			return o, false, err
		}
		note := statusNote(m)
		if m.Attachment != nil {
			note = p.about(note)
		}
		o.Problem = lines(o.Problem, said.Refused, note)
		unsent = unsent || said.Refused != "" || m.Status == chat.Failed
		unsure = unsure || m.Status == chat.Unknown
		open = open || said.Refused == "" && !route.OnRecord(m)
	}
	o.Unknown = unsure && !unsent
	return o, open, nil
}

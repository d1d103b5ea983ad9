package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// How a part of a request is asked for, once.

// kept is a request as it is kept with each of its messages.
type kept struct {
	crm.Request
	Refused string `json:"refused,omitempty"` // why this message, or its file, won't be sent
	Done    bool   `json:"done,omitempty"`    // of the first one: all of them were asked for, and what was refused was reported
}

// keptWith returns what is kept with a message; nothing if it wasn't asked for in that CRM.
func (h *Handler) keptWith(ctx context.Context, connector string, id chat.MessageID) (said kept, ok bool, err error) {
	raw, err := h.Store.Request(ctx, id, connector)
	if err != nil || raw == "" {
		return kept{}, false, err
	}
	if err := json.Unmarshal([]byte(raw), &said); err != nil {
		return kept{}, false, fmt.Errorf("read request: %w", err)
	}
	return said, true, nil
}

// ask has one message of a request sent, and returns why it isn't. Where only its file can't be, its text is.
func (h *Handler) ask(ctx context.Context, c crm.Connector, p part, said kept) (problem string, err error) {
	if p.file != nil {
		before, _, err := h.keptWith(ctx, c.Name(), p.id)
		if err != nil {
			return "", err
		}
		if sent, err := h.there(ctx, p.id); sent || err != nil {
			return before.Refused, err
		}
		if said.Refused = before.Refused; said.Refused == "" {
			said.Refused, err = h.askFile(ctx, c, p, said)
			if err != nil || said.Refused == "" {
				return "", err
			}
		}
		p.out.Text, p.out.Media = p.out.Media.Caption, nil
	}
	// Before it is sent, so that whatever comes of it finds what was asked for.
	if err := h.Store.SetRequest(ctx, p.id, c.Name(), encode(said)); err != nil || p.file != nil && p.out.Text == "" {
		return said.Refused, err
	}
	problem, err = h.send(ctx, c, p)
	if err != nil || problem == "" {
		return said.Refused, err
	}
	said.Refused = lines(said.Refused, problem)
	return said.Refused, h.Store.SetRequest(ctx, p.id, c.Name(), encode(said))
}

// askFile uploads a file and has its message sent.
func (h *Handler) askFile(ctx context.Context, c crm.Connector, p part, said kept) (problem string, err error) {
	id, problem, err := h.upload(ctx, c, p, said.At)
	if err != nil || problem != "" {
		return p.about(problem), err
	}
	if err := h.Store.SetRequest(ctx, p.id, c.Name(), encode(said)); err != nil {
		return "", err
	}
	withFile := *p.out.Media
	withFile.ID = id
	p.out.Media = &withFile
	problem, err = h.send(ctx, c, p)
	return p.about(problem), err
}

// uploadFor is how long a file may take. One that always takes longer than this function may run would hold up whatever
// is asked for after it.
const uploadFor = 90 * time.Second

// lostAfter is how long after it was asked for a file may be out of reach. One that the CRM has lost, and answers with an
// error of its own, would be tried for ever; what isn't sent in a day mostly may not be sent any more.
const lostAfter = 24 * time.Hour

func (h *Handler) upload(ctx context.Context, c crm.Connector, p part, asked time.Time) (id, problem string, err error) {
	const unreadable, slow = "Not sent: the file can't be read in the CRM.", "Not sent: the CRM takes too long to give the file out."
	opener, ok := c.(crm.Opener)
	if !ok || p.file.Size <= 0 {
		return "", unreadable, nil
	}
	f := *p.file
	f.Name = p.name()
	within, cancel := context.WithTimeout(ctx, uploadFor)
	defer cancel()
	id, problem, err = h.Sender.Upload(within, f, func(ctx context.Context) (io.ReadCloser, error) { return opener.OpenFile(ctx, f.Ref) })
	if err == nil {
		return id, problem, nil
	}
	refusal, ok := errors.AsType[*crm.Error](err)
	switch {
	case errors.Is(err, crm.ErrGone), errors.Is(err, errLength), ok && refusal.Class == crm.Refused,
		ok && refusal.Class == crm.Transient && refusal.Reason != ownPace && !asked.IsZero() && h.now().Sub(asked) > lostAfter:
		problem, err = unreadable, nil
	case within.Err() != nil && ctx.Err() == nil:
		problem, err = slow, nil
	}
	slog.WarnContext(ctx, "a file of a request can't be uploaded", "connector", c.Name(), "id", p.id, "final", err == nil)
	return "", problem, err
}

// send asks the API. What it says against a message that is there is about the repetition: what was asked for first is
// sent, whatever was changed in the CRM since.
func (h *Handler) send(ctx context.Context, c crm.Connector, p part) (problem string, err error) {
	if problem, err = h.Sender.Send(ctx, p.out); err != nil {
		return "", fmt.Errorf("ask the API: %w", err)
	}
	slog.InfoContext(ctx, "asked for in the CRM", "connector", c.Name(), "id", p.id, "refused", problem != "")
	if problem == "" {
		return "", nil
	}
	if sent, err := h.there(ctx, p.id); sent || err != nil {
		return "", err
	}
	return problem, nil
}

func (h *Handler) there(ctx context.Context, id chat.MessageID) (bool, error) {
	_, err := h.Store.Lookup(ctx, id)
	if chat.CodeOf(err) == chat.NotFound {
		return false, nil
	}
	return err == nil, err
}

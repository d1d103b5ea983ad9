package handler

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/link"
	"threadline/shared/store"
)

// TestWithoutAFile: the bucket or the CRM won't have it. The entry says so, and that is the end of it.
func TestWithoutAFile(t *testing.T) {
	for _, test := range []struct {
		name   string
		fail   error
		remove bool
		note   string
	}{
		{"the CRM refuses it", &crm.Error{Class: crm.Refused, Reason: "FILE_TOO_LARGE"}, false, "The CRM doesn't take the file (FILE_TOO_LARGE); it is kept in Threadline."},
		{"it is past its retention", nil, true, "The file is past its retention."},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			m := r.photo()
			r.arrives(m, chat.Stored, "")
			if test.remove {
				r.change(m, func(m *chat.Message) { m.Attachment.Key = "media/expired" })
			}
			r.crm.fail = always("file", test.fail)
			for range 3 {
				r.mustSync(m)
			}
			if e := r.entry(m); e.said().Note != test.note || len(e.files) != 0 {
				t.Errorf("it shows %+v", e)
			}
			r.called("key", "search", "contact", "entry", "file", "update")
			if len(r.counts) != 0 {
				t.Errorf("counted %v", r.counts)
			}
		})
	}
}

// large makes a photo that is too large for the CRM.
func (r *rig) large() chat.Message {
	r.Helper()
	r.crm.can.MaxFile = 50_000_000
	m := r.photo()
	r.arrives(m, chat.Stored, "")
	r.change(m, func(m *chat.Message) { m.Attachment.Size = 120_000_000 })
	return m
}

// linked gives the rig links, and says where one to a message's file leads.
func (r *rig) linked() link.Links {
	l := link.Links{URL: "https://example.com", Key: func(context.Context) (string, error) { return "key", nil }}
	r.h.Links = l
	return l
}

// TestTooLargeForTheCRM: it isn't even tried, whether the CRM takes files first or last.
func TestTooLargeForTheCRM(t *testing.T) {
	for _, first := range []bool{false, true} {
		r := newRig(t)
		r.crm.can.FilesFirst = first
		m := r.large()
		r.mustSync(m)
		if first {
			r.called("key", "search", "contact", "entry")
		} else {
			r.called("key", "search", "contact", "entry", "update")
		}
		if note := r.entry(m).said().Note; note != "The file is too large for the CRM (120.0 MB, it takes 50.0); it is kept in Threadline." {
			t.Errorf("it says %q", note)
		}
	}
}

// TestAFileThatTheCRMLacksIsLinked: the entry leads to it, for as long as it is kept, and nobody reads so in the log.
func TestAFileThatTheCRMLacksIsLinked(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })

	for why, prepare := range map[string]func(*rig) chat.Message{
		"The file is too large for the CRM (120.0 MB, it takes 50.0): ": (*rig).large,
		"The CRM doesn't take the file (BLOCKED_TYPE): ": func(r *rig) chat.Message {
			m := r.photo()
			r.arrives(m, chat.Stored, "")
			r.crm.fail = always("file", &crm.Error{Class: crm.Refused, Reason: "BLOCKED_TYPE"})
			return m
		},
	} {
		r := newRig(t)
		l := r.linked()
		m := prepare(r)
		for range 3 {
			r.mustSync(m)
		}
		note := r.entry(m).said().Note
		token, ok := strings.CutPrefix(note, why+"https://example.com/m/")
		if !ok {
			t.Fatalf("it says %q", note)
		}
		want := link.Claim{Conversation: m.Conversation, Message: store.SortKey(m)}
		if got, ok, err := l.Read(t.Context(), token); err != nil || !ok || got != want {
			t.Errorf("it leads to %+v, %v, %v", got, ok, err)
		}
		if strings.Contains(logged.String(), token) {
			t.Error("the log has the token")
		}
		known, err := r.store.Entries(t.Context(), m.Conversation, "fake", []chat.MessageID{m.ID})
		if err != nil || known[m.ID].FileReason != note || known[m.ID].Lacks(m) {
			t.Errorf("known of it is %+v, %v", known[m.ID], err)
		}
	}
}

// TestNoLinkYet: without the key nothing is noted, so that the next try makes the link.
func TestNoLinkYet(t *testing.T) {
	r := newRig(t)
	m := r.large()
	r.h.Links = link.Links{Key: func(context.Context) (string, error) { return "", errors.New("no secret") }}
	if err := r.sync(m); chat.CodeOf(err) != chat.Unavailable {
		t.Fatalf("it is %v", err)
	}
	r.linked()
	r.mustSync(m)
	if note := r.entry(m).said().Note; !strings.Contains(note, "https://example.com/m/") {
		t.Errorf("it says %q", note)
	}
}

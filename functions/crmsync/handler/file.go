package handler

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/link"
	"threadline/shared/store"
)

// Files of the entry's messages.

// files gives the CRM those that it doesn't have.
func (s *sync) files(ctx context.Context) error {
	for i := range s.members {
		m := &s.members[i]
		if !m.lacksFile() {
			continue
		}
		if err := s.hold(ctx); err != nil {
			return err
		}
		if err := s.file(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// lacksFile tells whether we have a file that the CRM doesn't have.
func (m member) lacksFile() bool {
	a := m.Attachment
	return a != nil && a.State.Have() && m.claim.File == "" && m.claim.FileReason == ""
}

// lacksFiles tells whether a file of the entry is still to be brought.
func (s *sync) lacksFiles() bool { return slices.ContainsFunc(s.members, member.lacksFile) }

// file gives the CRM one file, or notes why the entry has to do without it.
func (s *sync) file(ctx context.Context, m *member) error {
	reason := ""
	ref, err := s.upload(ctx, m)
	var refused *crm.Error
	switch {
	case errors.Is(err, blob.ErrNotFound):
		slog.WarnContext(ctx, "a file isn't in the bucket any more", "conversation", m.Conversation)
		reason = "The file is past its retention."
	case errors.As(err, &refused) && refused.Class == crm.Refused:
		if reason, err = s.elsewhere(ctx, m.Message, refused); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("file: %w", err)
	}
	m.claim, err = s.note(ctx, m.Message, func(e *store.Entry) {
		e.File, e.FileTried, e.FileReason = string(ref), time.Time{}, reason
	})
	if m.ID == s.head.ID {
		s.claim = m.claim
	}
	return err
}

// elsewhere says why the CRM doesn't have a file, and where it can be had instead: at a link that has no end, because nobody
// makes a new one for what stands in a CRM.
func (s *sync) elsewhere(ctx context.Context, m chat.Message, refusal *crm.Error) (string, error) {
	why := "The CRM doesn't take the file (" + refusal.Reason + ")"
	if errors.Is(refusal, errTooLarge) {
		why = "The file is too large for the CRM (" + refusal.Reason + ")"
	}
	if s.h.Links == nil {
		return why + "; it is kept in Threadline.", nil
	}
	to, err := s.h.Links.To(ctx, link.Claim{Conversation: m.Conversation, Message: store.SortKey(m)})
	if err != nil {
		return "", fmt.Errorf("link to the file: %w", err)
	}
	return why + ": " + to, nil
}

var errTooLarge = errors.New("the file is larger than the CRM takes")

// tooLarge is what the CRM would say.
func tooLarge(size, most int64) error {
	return &crm.Error{Class: crm.Refused, Op: "file", Err: errTooLarge, Reason: fmt.Sprintf("%.1f MB, it takes %.1f", float64(size)/1e6, float64(most)/1e6)}
}

func (s *sync) upload(ctx context.Context, m *member) (crm.FileRef, error) {
	f := s.content(m.Message)
	if s.can.MaxFile > 0 && f.Size > s.can.MaxFile {
		return "", tooLarge(f.Size, s.can.MaxFile)
	}
	var entry crm.EntryRef
	if !s.can.FilesFirst {
		entry = crm.EntryRef(s.claim.Ref)
	}
	if !s.can.AtomicFiles {
		if begun := m.claim.FileTried; !begun.IsZero() {
			if err := s.lag(begun); err != nil {
				return "", err
			}
			ref, ok, err := s.connector.FindFile(ctx, s.on, entry, f)
			if ok || err != nil {
				return ref, err
			}
		}
		if _, err := s.note(ctx, m.Message, func(e *store.Entry) { e.FileTried = s.h.now().UTC() }); err != nil {
			return "", err
		}
	}
	ref, err := s.connector.PutFile(ctx, s.on, entry, f)
	if err != nil && !s.can.AtomicFiles && !crm.Unsettled(err) {
		_, noted := s.note(ctx, m.Message, func(e *store.Entry) { e.FileTried = m.claim.FileTried }) // see unbegun
		err = errors.Join(err, noted)
	}
	return ref, err
}

// attached are the files that the CRM has of the entry's messages, in their order.
func (s *sync) attached() []crm.FileRef {
	var refs []crm.FileRef
	for _, m := range s.members {
		if m.claim.File != "" {
			refs = append(refs, crm.FileRef(m.claim.File))
		}
	}
	return refs
}

// content is the message's attachment for the CRM.
func (s *sync) content(m chat.Message) crm.File {
	a := m.Attachment
	return crm.File{
		Key: entryKey(m), Name: fileName(m), MIME: a.MIME, Size: a.Size, SHA256: verified(*a), At: m.At,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			r, _, err := s.h.Blobs.Get(ctx, a.Key)
			return r, err
		},
	}
}

// verified is the SHA-256 of a file that was compared with it, in hex; empty if it wasn't.
func verified(a chat.Attachment) string {
	sum, err := base64.StdEncoding.DecodeString(a.SHA256)
	if h, isHex := hex.DecodeString(a.SHA256); isHex == nil {
		sum, err = h, nil
	}
	if a.State != chat.Stored || err != nil || len(sum) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(sum)
}

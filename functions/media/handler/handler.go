// Package handler is the media function: it brings a customer's file from Meta into the bucket before Meta's id expires
// (7 days), and tells the customer's record that it is there.
//
// It guarantees that a stored file has the hash that Meta declared, or is marked unverified after three fresh tries,
// and that no file is held in memory: it streams.
package handler

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// tries is how often a file is fetched because its URL was outdated or its bytes don't have the declared hash.
const tries = 3

// maxFile is the longest body that is taken without a declared length, in bytes. Meta's own limit is 100 MB.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
const maxFile = 200 << 20

// Graph gives out files; *whatsapp.Client does.
type Graph interface {
	MediaInfo(ctx context.Context, mediaID, number string) (whatsapp.MediaInfo, error)
	DownloadMedia(ctx context.Context, info whatsapp.MediaInfo) (*whatsapp.Download, error)
}

// Blobs keeps files; *blob.S3 does.
type Blobs interface {
	Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error
}

// Queue takes entries; *queue.Sender does.
type Queue interface {
	Send(ctx context.Context, entries ...queue.Entry) error
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Handler handles entries of the media queue.
type Handler struct {
	Store   *store.Store
	Graph   Graph
	Blobs   Blobs
	CRM     Queue
	Metrics Counter
	Refresh func(context.Context) error // reads the access token again
	Now     func() time.Time            // default time.Now
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// Handle fetches one file.
func (h *Handler) Handle(ctx context.Context, qm queue.Message) error {
	r, err := route.ParseRef(qm.Body)
	if err != nil {
		return err
	}
	m, err := h.Store.Message(ctx, r.Conversation, r.Message)
	if chat.CodeOf(err) == chat.NotFound || (err == nil && m.Attachment == nil) {
		return nil // past its retention
	}
	if err != nil {
		return err
	}
	if m.Attachment.State == chat.Pending {
		got, err := h.fetch(ctx, m)
		if err != nil {
			if got, err = h.giveUp(ctx, m, qm, err); err != nil {
				return err
			}
		}
		if m, err = h.mark(ctx, m, got); err != nil {
			return err
		}
	}
	slog.DebugContext(ctx, "a file", "conversation", m.Conversation, "state", m.Attachment.State, "bytes", m.Attachment.Size)
	return h.dispatch(ctx, m)
}

// fetch streams the file into the bucket. A URL that Meta doesn't know any more and a wrong hash are answered by a fresh
// URL, the hash in the end by keeping the file as it is: a doubtful photo is better than none.
func (h *Handler) fetch(ctx context.Context, m chat.Message) (chat.Attachment, error) {
	a := *m.Attachment
	a.Key, a.Reason = key(m), ""
	for try := 1; ; try++ {
		info, err := h.Graph.MediaInfo(ctx, a.MediaID, string(m.Conversation.Number()))
		if err != nil {
			return a, err
		}
		declared := digest(a.SHA256)
		if declared == nil {
			declared = digest(info.SHA256)
		}
		a.State = chat.Stored
		if try > tries {
			declared, a.State, a.Reason = nil, chat.Unverified, "it doesn't have the hash that WhatsApp declared"
		}
		got, err := h.stream(ctx, info, a, declared)
		switch {
		case errors.Is(err, blob.ErrChecksum):
			slog.WarnContext(ctx, "a file doesn't have the declared hash", "conversation", m.Conversation, "try", try)
		case outdated(err) && try < tries:
			slog.InfoContext(ctx, "a file's URL is outdated", "conversation", m.Conversation, "try", try)
		case outdated(err):
			return got, fmt.Errorf("%w: %w", errNoFile, err)
		default:
			return got, err
		}
	}
}

// outdated tells whether a download was refused because its URL is past its five minutes.
func outdated(err error) bool {
	var refusal *whatsapp.Error
	return errors.As(err, &refusal) && (refusal.HTTPStatus == http.StatusNotFound || refusal.HTTPStatus == http.StatusGone)
}

// stream copies the file from Meta into the bucket, and says what is known of it then. A page where no hash speaks for
// it is an error of the server and not the customer's file.
func (h *Handler) stream(ctx context.Context, info whatsapp.MediaInfo, a chat.Attachment, sum []byte) (chat.Attachment, error) {
	d, err := h.Graph.DownloadMedia(ctx, info)
	if err != nil {
		return a, err
	}
	defer d.Body.Close()
	if max(info.Size, d.Size) > maxFile {
		return a, errTooLong
	}
	body, found, err := peek(d.Body)
	if err != nil {
		return a, chat.E(chat.Unavailable, "", fmt.Errorf("read a file: %w", err))
	}
	declared := cmp.Or(a.MIME, info.MIME)
	a.MIME, a.Size = declared, d.Size
	if contradicts(declared, found) {
		if isPage(found) && sum == nil {
			return a, errPage
		}
		a.State, a.Reason = chat.Unverified, "it is "+found+", and WhatsApp declared "+declared
		a.MIME = found
	}
	if a.Size < 0 {
		spool, n, err := spooled(body, maxFile)
		if err != nil {
			return a, err
		}
		defer os.Remove(spool.Name())
		defer spool.Close()
		body, a.Size = spool, n
	}
	return a, h.Blobs.Put(ctx, a.Key, body, a.Size, blob.PutOptions{ContentType: a.MIME, SHA256: sum})
}

// errNoFile says that there is nothing at any of several fresh URLs.
var errNoFile = errors.New("no file under any fresh URL")

// errPage says that a server gave a web page in place of a file.
var errPage = chat.E(chat.Unavailable, "", errors.New("a web page came in place of the file"))

// errTooLong says that a file goes on beyond what Meta allows.
var errTooLong = errors.New("the file is longer than Meta allows")

// spooled writes a body of unknown length, but at most limit bytes, to disk, because S3 wants to know it beforehand.
func spooled(body io.Reader, limit int64) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "file-*")
	if err != nil {
		return nil, 0, chat.E(chat.Unavailable, "", fmt.Errorf("spool: %w", err))
	}
	n, err := io.Copy(f, io.LimitReader(body, limit+1))
	if err == nil && n > limit {
		err = errTooLong
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, 0, chat.E(chat.Unavailable, "", fmt.Errorf("spool: %w", err))
	}
	return f, n, nil
}

// mark records the outcome; whoever was first wins.
func (h *Handler) mark(ctx context.Context, m chat.Message, got chat.Attachment) (chat.Message, error) {
	marked := false
	m, err := h.Store.Change(ctx, m.Conversation, m.At, m.ID, func(now *chat.Message) error {
		marked = now.Attachment.State == chat.Pending
		if !marked {
			return store.Same()
		}
		*now.Attachment = got
		return nil
	})
	if err != nil || !marked {
		return m, err
	}
	switch got.State {
	case chat.FileFailed:
		h.Metrics.Count(ctx, metric.MediaFailed, 1, "Reason", "refused")
	case chat.Unverified:
		h.Metrics.Count(ctx, metric.MediaFailed, 1, "Reason", "unverified")
	}
	return m, nil
}

// dispatch completes the message's entries on the customer's record.
func (h *Handler) dispatch(ctx context.Context, m chat.Message) error {
	sort := store.SortKey(m)
	for _, e := range route.Due(m, route.FileHere) {
		r := route.NewRef(m, sort, e, route.FileHere)
		if err := h.CRM.Send(ctx, queue.Entry{Body: r.Body(), Group: r.Group(m.Contact), DedupID: r.DedupID()}); err != nil {
			return fmt.Errorf("dispatch %s: %w", e.Kind, err)
		}
	}
	return nil
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// key is where the file is kept: with its conversation, so that all of a person's files are found together.
func key(m chat.Message) string {
	id := m.Attachment.MediaID
	if !plainID.MatchString(id) {
		id = store.Hash([]byte(id))
	}
	return fmt.Sprintf("media/%s/%s/%s", m.Conversation, m.At.UTC().Format("2006-01"), id)
}

// digest reads a SHA-256 as Meta writes it: base64 in webhooks, hex in the media API. nil if it is neither.
func digest(s string) []byte {
	if b, err := hex.DecodeString(s); err == nil && len(b) == 32 {
		return b
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(s); err == nil && len(b) == 32 {
			return b
		}
	}
	return nil
}

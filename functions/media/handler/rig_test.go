package handler

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const photo = "the bytes of a photo"

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// graph is Meta: each call to MediaInfo takes the next answer, and the last one for ever.
type graph struct {
	answers   []answer
	asked     int
	downloads int
	number    string
	open      int // bodies that nobody closed yet
	meanwhile func()
}

// answer is what one try meets.
type answer struct {
	info   error // of MediaInfo
	err    error // of the download
	body   string
	length int // of the declared length: 0 right, -1 unknown, else that
	sha256 string
	mime   string
}

func (g *graph) now() answer { return g.answers[min(g.asked, len(g.answers))-1] }

func (g *graph) MediaInfo(_ context.Context, id, number string) (whatsapp.MediaInfo, error) {
	g.asked++
	g.number = number
	return whatsapp.MediaInfo{ID: id, URL: fmt.Sprintf("https://lookaside.fbsbx.com/%d", g.asked), SHA256: g.now().sha256, MIME: g.now().mime}, g.now().info
}

func (g *graph) DownloadMedia(_ context.Context, info whatsapp.MediaInfo) (*whatsapp.Download, error) {
	g.downloads++
	a := g.now()
	if !strings.HasSuffix(info.URL, fmt.Sprintf("/%d", g.asked)) {
		return nil, fmt.Errorf("the address of try %d isn't fresh", g.asked)
	}
	if a.err != nil {
		return nil, a.err
	}
	if g.meanwhile != nil {
		g.meanwhile()
	}
	g.open++
	size := int64(len(a.body))
	if a.length != 0 {
		size = int64(a.length)
	}
	return &whatsapp.Download{Body: &body{strings.NewReader(a.body), g}, Size: size}, nil
}

type body struct {
	io.Reader
	graph *graph
}

func (b *body) Close() error { b.graph.open--; return nil }

// lane is CRM.fifo.
type lane struct {
	entries []queue.Entry
	err     error
}

func (l *lane) Send(_ context.Context, es ...queue.Entry) error {
	if l.err != nil {
		return l.err
	}
	l.entries = append(l.entries, es...)
	return nil
}

type counts map[string]int

func (c counts) Count(_ context.Context, name string, n int, dims ...string) {
	c[strings.Join(append([]string{name}, dims...), " ")] += n
}

// bucket is S3, and counts what is written.
type bucket struct {
	blob.Memory
	puts int
	err  error
}

func (b *bucket) Put(ctx context.Context, key string, r io.Reader, size int64, o blob.PutOptions) error {
	b.puts++
	if b.err != nil {
		return b.err
	}
	return b.Memory.Put(ctx, key, r, size, o)
}

// rig is the media function over one message with a photo.
type rig struct {
	*testing.T
	h         *Handler
	store     *store.Store
	graph     graph
	bucket    bucket
	crm       lane
	counts    counts
	refreshed int
	message   chat.Message
	receives  int
	now       time.Time
}

func newRig(t *testing.T, a chat.Attachment, answers ...answer) *rig {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir()) // nothing may be left there
	ids := 0
	s := store.New(store.NewMemory(), "t", 0)
	s.Now = func() time.Time { return noon }
	s.NewID = func() string { ids++; return fmt.Sprintf("01ID%04d", ids) }
	s.Pause = func(context.Context, int) error { return nil }
	r := &rig{T: t, store: s, counts: counts{}, graph: graph{answers: answers}, now: noon}
	a.State = chat.Pending
	received, err := s.Receive(t.Context(), store.Inbound{
		Message: chat.Message{
			ID: "wamid.1", ProviderID: "wamid.1", At: noon, Direction: chat.In, Kind: chat.KindImage, Text: "my roof",
			Status: chat.Delivered, Attachment: &a,
		},
		Number: "100", Seen: chat.Seen{Phone: "34600111222", At: noon, Source: chat.SourceMessage, ID: "wamid.1"},
		Plan: func(m chat.Message) []chat.Effect { return route.Plan(m, []string{"hubspot", "odoo"}) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.message = received.Message
	r.h = &Handler{
		Store: s, Graph: &r.graph, Blobs: &r.bucket, CRM: &r.crm, Metrics: r.counts,
		Refresh: func(context.Context) error { r.refreshed++; return nil }, Now: func() time.Time { return r.now },
	}
	return r
}

// receive handles the message's entry once more.
func (r *rig) receive() error {
	r.receives++
	ref := route.NewRef(r.message, store.SortKey(r.message), chat.Effect{Kind: chat.EffectMedia}, route.Stored)
	return r.h.Handle(r.Context(), queue.Message{Body: ref.Body(), Receives: r.receives, Sent: noon})
}

// attachment is how it stands. Whatever happened, nothing is left open or on disk.
func (r *rig) attachment() chat.Attachment {
	r.Helper()
	m, err := r.store.Message(r.Context(), r.message.Conversation, store.SortKey(r.message))
	if err != nil {
		r.Fatal(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		r.Errorf("%d temporary files are left (%v)", len(left), err)
	}
	if r.graph.open != 0 {
		r.Errorf("%d downloads are left open", r.graph.open)
	}
	return *m.Attachment
}

// stored is the object under key.
func (r *rig) stored(key string) (content string, info blob.Info) {
	r.Helper()
	o, info, err := r.bucket.Get(r.Context(), key)
	if err != nil {
		r.Fatal(err)
	}
	defer o.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(o); err != nil {
		r.Fatal(err)
	}
	return b.String(), info
}

func base64Of(s string) string { return base64.StdEncoding.EncodeToString(sum(s)) }

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"threadline/functions/media/handler"
	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

const (
	documentSize = 100 << 20 // bytes; Meta's limit for a document
	heapTarget   = 32 << 20  // bytes
)

// media runs the media function's handler on a document of 100 MiB and watches the heap: its own with that of the two
// servers that it talks to.
func (b *bench) media() error {
	sum := sha256.New()
	if _, err := io.Copy(sum, document()); err != nil {
		return err
	}
	want := hex.EncodeToString(sum.Sum(nil))
	graph := httptest.NewServer(graphWithDocument(want))
	defer graph.Close()
	bucket := &sinkBucket{}
	s3Server := httptest.NewServer(bucket)
	defer s3Server.Close()

	conversations := &store.Store{DB: store.NewMemory(), Table: "table"}
	m, err := pendingDocument(b.ctx, conversations, want)
	if err != nil {
		return err
	}
	h := handler.Handler{
		Store:   conversations,
		Graph:   &whatsapp.Client{BaseURL: graph.URL, Token: func(context.Context) (string, error) { return "token", nil }},
		Blobs:   blob.New(s3Client(s3Server.URL), "bucket"),
		CRM:     &queue.Sender{Client: takesAll{}, URL: "crm.fifo"},
		Metrics: &metric.Metrics{Out: io.Discard},
		Refresh: func(context.Context) error { return nil },
	}
	entry := route.NewRef(m, store.SortKey(m), chat.Effect{Kind: chat.EffectMedia}, route.Stored)
	runtime.GC()
	stop := watchHeap()
	begin := time.Now()
	err = h.Handle(b.ctx, queue.Message{ID: "1", Body: entry.Body(), Receives: 1})
	took := time.Since(begin)
	base, peak := stop()
	if err != nil {
		return err
	}
	stored, err := conversations.Message(b.ctx, m.Conversation, store.SortKey(m))
	if err != nil {
		return err
	}
	if stored.Attachment.State != chat.Stored || bucket.got != want {
		return fmt.Errorf("the document is %s, and not what was sent", stored.Attachment.State)
	}
	title("Media function, a document of 100 MiB")
	fmt.Printf("Peak heap in use %s (target below %s), %s before; %s for %s\n",
		target(peak < heapTarget, mib(peak)), mib(heapTarget), mib(base), mib(documentSize), took.Round(time.Millisecond))
	return nil
}

// document is a stream of 100 MiB.
func document() io.Reader { return io.LimitReader(pattern{}, documentSize) }

// pattern is bytes without an end.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// graphWithDocument is as much of Meta's API as it takes to fetch one file.
func graphWithDocument(sum string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			w.Header().Set("Content-Type", "application/pdf")
			w.Header().Set("Content-Length", fmt.Sprint(documentSize))
			_, _ = io.CopyBuffer(w, document(), make([]byte, 32<<10))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"900100","url":"http://%s/file","mime_type":"application/pdf","sha256":%q,"file_size":%d}`, r.Host, sum, documentSize)
	})
}

// sinkBucket takes one object and remembers its hash.
type sinkBucket struct{ got string }

func (s *sinkBucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	if _, err := io.Copy(sum, r.Body); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	s.got = hex.EncodeToString(sum.Sum(nil))
}

func s3Client(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

// pendingDocument stores a customer's message whose file is still with Meta.
func pendingDocument(ctx context.Context, s *store.Store, sum string) (chat.Message, error) {
	received, err := s.Receive(ctx, store.Inbound{
		Number: number,
		Seen:   chat.Seen{Phone: customer, At: time.Now(), ID: "wamid.document"},
		Message: chat.Message{
			ID: "wamid.document", At: time.Now(), Direction: chat.In, Kind: chat.KindDocument, Origin: chat.FromCustomer,
			Attachment: &chat.Attachment{State: chat.Pending, MediaID: "900100", MIME: "application/pdf", SHA256: sum},
		},
		Plan: func(m chat.Message) []chat.Effect { return route.Plan(m, []string{"hubspot"}) },
	})
	return received.Message, err
}

// watchHeap samples the heap until stop, which returns what it was at first and at most.
func watchHeap() (stop func() (base, peak uint64)) {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	base, peak := now.HeapInuse, now.HeapInuse
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			select {
			case <-end:
				tick.Stop()
				return
			case <-tick.C:
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapInuse)
			}
		}
	}()
	return func() (uint64, uint64) {
		close(end)
		<-ended
		return base, peak
	}
}

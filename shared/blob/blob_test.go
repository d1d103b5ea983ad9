package blob_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"threadline/shared/blob"
	"threadline/shared/blob/blobtest"
)

func newClient(endpoint string, httpClient aws.HTTPClient) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, UsePathStyle: true, HTTPClient: httpClient,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func TestMemory(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blobtest.Store { return &blob.Memory{} })
}

// Ensure that the twin is equal to a real endpoint, when there is one.
func TestS3(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("AWS_ENDPOINT_URL is not set")
	}
	client := newClient(endpoint, nil)
	blobtest.Run(t, func(t *testing.T) blobtest.Store {
		bucket := "blobtest-" + strings.ToLower(rand.Text()[:12])
		if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
		return blob.New(client, bucket)
	})
}

// zeros is an endless unseekable body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Ensure that 100 MiB go up in constant memory, in one request that carries the declared hash, over http and https.
func TestUploadStreams(t *testing.T) {
	const size = 100 << 20
	h := sha256.New()
	if _, err := io.CopyN(h, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	for _, declared := range [][]byte{h.Sum(nil), nil} {
		for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
			upload(t, start, size, declared)
		}
	}
}

func upload(t *testing.T, start func(http.Handler) *httptest.Server, size int64, declared []byte) {
	t.Helper()
	var peak uint64
	server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.Header.Get("X-Amz-Checksum-Sha256"), base64.StdEncoding.EncodeToString(declared); got != want {
			t.Errorf("checksum header %q, want %q", got, want)
		}
		if got := r.Header.Get("X-Amz-Content-Sha256"); got != "UNSIGNED-PAYLOAD" {
			t.Errorf("payload hash %q", got)
		}
		var total int64
		for chunk := make([]byte, 1<<20); ; {
			n, err := r.Body.Read(chunk)
			total += int64(n)
			var m runtime.MemStats
			if total%(8<<20) < int64(n) {
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
			if err != nil {
				break
			}
		}
		if total != size || r.ContentLength != size {
			t.Errorf("%d bytes arrived, length %d, want %d", total, r.ContentLength, size)
		}
	}))
	defer server.Close()
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	store := blob.New(newClient(server.URL, server.Client()), "bucket")
	body := struct{ io.Reader }{io.LimitReader(zeros{}, size)}
	if err := store.Put(t.Context(), "media/x", body, size, blob.PutOptions{SHA256: declared}); err != nil {
		t.Fatal(err)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
}

// Ensure that S3's own words become the two errors, and that one failed attempt shows its own cause.
func TestErrors(t *testing.T) {
	for _, row := range []struct {
		status int
		code   string
		want   error
		none   error
	}{
		{400, "BadDigest", blob.ErrChecksum, blob.ErrNotFound},
		{400, "XAmzContentChecksumMismatch", blob.ErrChecksum, blob.ErrNotFound},
		{400, "XAmzContentSHA256Mismatch", blob.ErrChecksum, blob.ErrNotFound},
		{404, "NoSuchKey", blob.ErrNotFound, blob.ErrChecksum},
		{404, "NoSuchBucket", nil, blob.ErrNotFound},
		{503, "SlowDown", nil, blob.ErrChecksum},
	} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls++
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(row.status)
			_, _ = io.WriteString(w, "<Error><Code>"+row.code+"</Code></Error>")
		}))
		store := blob.New(newClient(server.URL, nil), "bucket")
		body := struct{ io.Reader }{strings.NewReader("x")}
		err := store.Put(t.Context(), "k", body, 1, blob.PutOptions{})
		server.Close()
		if err == nil || row.want != nil && !errors.Is(err, row.want) || errors.Is(err, row.none) {
			t.Errorf("%s: got %v", row.code, err)
		}
		if err != nil && !strings.Contains(err.Error(), row.code) {
			t.Errorf("%s is hidden by %v", row.code, err)
		}
		if calls != 1 {
			t.Errorf("%s: %d attempts with a body that can't be rewound", row.code, calls)
		}
	}
}

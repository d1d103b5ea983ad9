package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"threadline/shared/blob"
)

// wire is the way to Meta: it remembers what is posted and accepts everything. It is the bucket's way too, where files
// are put by a signed request.
type wire struct {
	files  *blob.Memory
	posted [][]byte
}

// RoundTrip answers as Meta does.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.posted = append(w.posted, body)
	id := fmt.Sprintf("wamid.accepted.%d", len(w.posted))
	answer := map[string]any{
		"id": id, "success": true, "messages": []any{map[string]any{"id": id, "message_status": "accepted"}},
		"contacts": []any{map[string]any{"input": "+34600111222", "wa_id": "34600111222"}},
	}
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(rec).Encode(answer); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// Link is where a file can be read.
func (w *wire) Link(_ context.Context, key string, _ blob.LinkOptions) (string, error) {
	return "https://bucket.example/" + key, nil
}

// UploadLink is how a file can be put.
func (w *wire) UploadLink(_ context.Context, key string, _ int64, _ blob.PutOptions, _ time.Duration) (blob.Upload, error) {
	return blob.Upload{Method: http.MethodPut, URL: "https://bucket.example/" + key}, nil
}

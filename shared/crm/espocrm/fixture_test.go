package espocrm_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
)

const (
	personKey  = "01JCONTACT0000000000000001"
	anotherKey = "01JCONTACT0000000000000002"
	entryKey   = "0123456789abcdef0123456789abcdef01234567"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func person() crm.Person {
	return crm.Person{Key: personKey, Name: "María García López", Phone: match.Phone("34600111222")}
}

func entry(text string) crm.Entry {
	return crm.Entry{Key: entryKey, At: noon, Messages: []crm.Message{{
		ID: "wamid.1", At: noon, Direction: chat.In, Kind: chat.KindText, Author: "María", Text: text,
	}}}
}

func file(name string, content string) crm.File {
	return crm.File{
		Key: "f" + entryKey[:39], Name: name, MIME: "image/jpeg", Size: int64(len(content)),
		Open: crmtest.Content(content),
	}
}

// must returns a value without error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func contactOf(t *testing.T, c crm.Connector) crm.ContactRef {
	t.Helper()
	return must(c.CreateContact(t.Context(), person()))(t)
}

// answering is a server that always answers the same.
func answering(t *testing.T, status int, header http.Header, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func crmError(t *testing.T, err error) *crm.Error {
	t.Helper()
	e, ok := errors.AsType[*crm.Error](err)
	if !ok {
		t.Fatalf("%v, want a classified error", err)
	}
	return e
}

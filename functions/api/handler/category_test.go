package handler

import (
	"context"
	"errors"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

func TestATemplateHasItsOwnCategory(t *testing.T) {
	const send = `{"to":"+34600111222","template":{"name":"order","language":"es"}`
	for _, c := range []struct {
		name, request string
		own           string // what Meta says; "down": it says nothing
		want          string
		life          time.Duration
	}{
		{"its own", send + `}`, "UTILITY", "utility", templateLife},
		{"a one-time code", send + `}`, "AUTHENTICATION", "authentication", codeLife},
		{"made stricter", send + `,"category":"marketing"}`, "UTILITY", "marketing", templateLife},
		{"not made less strict", send + `,"category":"utility"}`, "MARKETING", "marketing", templateLife},
		{"in another language", `{"to":"+34600111222","template":{"name":"order","language":"pt"}}`, "UTILITY", "marketing", templateLife},
		{"of a kind that nobody knows", send + `}`, "SURPRISE", "marketing", templateLife},
		{"Meta is down", send + `}`, "down", "marketing", templateLife},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			asked := 0
			r.api.Templates = func(_ context.Context, waba, name string) ([]whatsapp.TemplateInfo, error) {
				asked++
				if c.own == "down" {
					return nil, errors.New("down")
				}
				if waba != "waba" || name != "order" {
					t.Errorf("asked for %s of %s", name, waba)
				}
				return []whatsapp.TemplateInfo{{Name: "order", Language: "es", Category: c.own}}, nil
			}
			if _, err := r.store.SeeNumber(t.Context(), store.Number{ID: ourNumber, WABA: "waba", Seen: chat.Stamp{At: noon, ID: "1"}}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				r.post(c.request).sent()
				if m := r.last(); m.Send.Category != c.want || !m.Send.Expires.Equal(r.now.Add(c.life)) {
					t.Errorf("%s until %s", m.Send.Category, m.Send.Expires)
				}
			}
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
			r.now = r.now.Add(knownFor)
			if r.post(c.request).sent(); asked != 2 {
				t.Errorf("asked %d times ten minutes later", asked)
			}
		})
	}
}

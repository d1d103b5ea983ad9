package pipedrive_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/pipedrive"
)

// TestStatusOnNote proves that a later status replaces the first one, and that the writer's words stay.
func TestStatusOnNote(t *testing.T) {
	a, c, on := acquainted(t)
	a.write(on, "hello there")
	r := a.asked(c)[0]
	e := hello()
	e.Messages[0].Direction = chat.Out
	for status, want := range map[chat.Status]string{chat.Delivered: "WhatsApp: Delivered.", chat.Failed: "WhatsApp: The number isn't on WhatsApp."} {
		e.Messages[0].Status, e.Messages[0].Note = status, ""
		if status == chat.Failed {
			e.Messages[0].Note = "The number isn't on WhatsApp."
		}
		if err := c.UpdateMessage(t.Context(), on, r.Entry, e, nil); err != nil {
			t.Fatal(err)
		}
		text := a.Entries(string(on))[0].Text
		if !strings.HasPrefix(text, "/wa hello there\n") || !strings.Contains(text, want) || strings.Count(text, "WhatsApp:") != 1 {
			t.Errorf("the note is %q", text)
		}
	}
}

// TestLostWebhook proves that an answer whose webhook never arrived is found by asking, once, and that what is older than
// the first question isn't sent.
func TestLostWebhook(t *testing.T) {
	a := newAccount(t)
	c := a.connector(nil)
	if err := c.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	on := a.contact(c)
	a.hooks.fail(503)
	a.write(on, "too old")
	a.sim.Flush()
	a.clock.Advance(time.Minute)
	_, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, text := range []string{"first", "second"} {
		a.clock.Advance(time.Minute)
		a.write(on, text)
		a.sim.Flush()
		var got []crm.Request
		if got, cursor, err = c.FetchOutbound(t.Context(), cursor); err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			texts[r.ID] = r.Text
		}
	}
	if len(texts) != 2 {
		t.Errorf("asked for %v, want the two that are new", texts)
	}
}

// TestOddNote proves that a note which isn't as documented, or is deleted, keeps no other answer from being found, and that a copy
// of one that was answered isn't sent again.
func TestOddNote(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"success":true,"data":[
			{"id":"7","content":"/wa no number","update_time":"2026-11-02 09:00:01"},
			{"id":8,"content":{"text":"/wa"},"user":"Sales","update_time":"2026-11-02 09:00:02"},
			{"id":9,"content":"/wa deleted","active_flag":0,"update_time":"2026-11-02 09:00:03"},
			{"id":11,"content":"<p>/wa copied</p><p>WhatsApp: Sent. Ref. tl0123456789abcdef</p>","update_time":"2026-11-02 09:00:04"},
			{"id":10,"content":"/wa hello","active_flag":1,"user":["Sales"],"person_id":"5","update_time":"2026-11-02 09:00:04"}]}`))
	}))
	defer server.Close()
	c := pipedrive.New(pipedrive.Config{URL: server.URL, Token: crmtest.Secret(token)})
	got, _, err := c.FetchOutbound(t.Context(), "2026-11-02 09:00:00")
	if err != nil || len(got) != 1 || got[0].ID != "note/10" || got[0].Text != "hello" || got[0].Contact != "5" {
		t.Errorf("%+v, %v; want the last one", got, err)
	}
}

// TestImport proves that more notes of one moment than are read at once don't have the same ones read each time.
func TestImport(t *testing.T) {
	notes, pages := `{"id":7,"content":"x","update_time":"2026-11-02 09:00:00"}`, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pages++
		_, _ = w.Write([]byte(`{"success":true,"data":[` + notes + `],"additional_data":{"pagination":{"more_items_in_collection":true}}}`))
	}))
	defer server.Close()
	c := pipedrive.New(pipedrive.Config{URL: server.URL, Token: crmtest.Secret(token)})
	for since, want := range map[string]string{"2026-11-02 08:59:30": "2026-11-02 09:00:00", "2026-11-02 09:00:00": "2026-11-02 09:00:01"} {
		pages = 0
		if _, next, err := c.FetchOutbound(t.Context(), since); err != nil || next != want || pages > 100 {
			t.Errorf("since %s: next %s after %d pages, %v; want %s", since, next, pages, err, want)
		}
	}
}

// TestManyLostWebhooks proves that every answer among more notes than a page has is found, whether they were written in one
// second or not, although notes that were listed change meanwhile and move to the end.
func TestManyLostWebhooks(t *testing.T) {
	for name, pause := range map[string]time.Duration{"one second": 0, "a second each": time.Second} {
		t.Run(name, func(t *testing.T) {
			a, first, on := acquainted(t)
			_, cursor, err := first.FetchOutbound(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			a.clock.Advance(2 * time.Minute)
			var ids []string
			for range 250 {
				a.clock.Advance(pause)
				id, err := a.sim.AddNote(string(on), "<p>/wa hello</p>")
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, "note/"+id)
			}
			pages := 0
			c := a.connector(func(next http.RoundTripper) http.RoundTripper {
				return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
					if pages++; pages == 2 && pause > 0 {
						if err := a.sim.EditNote(strings.TrimPrefix(ids[3], "note/"), "<p>/wa hello there</p>"); err != nil {
							t.Error(err)
						}
					}
					return next.RoundTrip(r)
				})
			})
			got, next, err := c.FetchOutbound(t.Context(), cursor)
			if err != nil || next == cursor {
				t.Fatalf("next %s, %v", next, err)
			}
			found := map[string]bool{}
			for _, r := range got {
				found[r.ID] = true
			}
			for _, id := range ids {
				if !found[id] {
					t.Errorf("%s isn't found", id)
				}
			}
		})
	}
}

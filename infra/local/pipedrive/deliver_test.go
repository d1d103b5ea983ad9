package pipedrive

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestRetries proves four attempts, with 3, 30 and 150 seconds between them.
func TestRetries(t *testing.T) {
	c := start(t, Options{})
	var mu sync.Mutex
	var attempts []int
	status := 500
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			Meta struct {
				Attempt int    `json:"attempt"`
				Source  string `json:"change_source"`
			} `json:"meta"`
		}
		err := json.NewDecoder(r.Body).Decode(&e)
		user, pass, _ := r.BasicAuth()
		mu.Lock()
		defer mu.Unlock()
		if err != nil || user != "me" || pass != "pw" || e.Meta.Source != "app" {
			t.Errorf("call %+v by %s: %v", e, user, err)
		}
		attempts = append(attempts, e.Meta.Attempt)
		w.WriteHeader(status)
	}))
	defer server.Close()
	id := c.person("Ana", "600111222")
	c.want(201, "POST", "/v1/webhooks", `{"subscription_url":"`+server.URL+`","event_action":"*","event_object":"note","name":"x","version":"2.0","http_auth_user":"me","http_auth_password":"pw"}`)
	write := func() {
		t.Helper()
		if err := c.sim.Write(id, "hello"); err != nil {
			t.Fatal(err)
		}
		c.sim.Flush()
	}
	write()
	if fmt.Sprint(attempts) != "[1 2 3 4]" || fmt.Sprint(c.slept) != "[3s 30s 2m30s]" {
		t.Errorf("attempts %v after waits of %v", attempts, c.slept)
	}
	for range bansAfter - 1 {
		write()
	}
	status, attempts = 200, nil
	write()
	if len(attempts) != 0 {
		t.Errorf("%d attempts while banned, want none", len(attempts))
	}
	c.clock.Advance(banned)
	write()
	if len(attempts) != 1 {
		t.Errorf("%d attempts after the ban, want one", len(attempts))
	}
	status = 500
	c.clock.Advance(givesUp)
	write()
	if n := len(c.sim.Hooks()); n != 0 {
		t.Errorf("%d webhooks after three days without a delivery, want none", n)
	}
}

package whatsapp

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// Ensure that a request that was written is never written again by the
// transport, whatever it thinks of the broken connection: kept alive or not,
// HTTP/1 or HTTP/2.
func TestSendIsNeverRepeated(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			var arrived, dropping atomic.Int32
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Proto != proto {
					t.Errorf("spoke %s", r.Proto)
				}
				io.Copy(io.Discard, r.Body)
				arrived.Add(1)
				if dropping.Load() == 1 {
					panic(http.ErrAbortHandler)
				}
				answer(200, `{"messages":[{"id":"wamid.1"}]}`)(w, r)
			}))
			srv.EnableHTTP2 = proto == "HTTP/2.0"
			srv.StartTLS()
			defer srv.Close()
			c := client(srv.URL)
			c.HTTP = srv.Client()
			if _, err := c.Send(t.Context(), "106", hello); err != nil {
				t.Fatal(err)
			}
			dropping.Store(1)
			_, err := c.Send(t.Context(), "106", hello)
			if OutcomeOf(err) != Unknown || ClassOf(err) != ClassAmbiguous {
				t.Errorf("%v is %s", err, OutcomeOf(err))
			}
			if n := arrived.Load(); n != 2 {
				t.Errorf("%d requests arrived for 2 messages", n)
			}
		})
	}
}

func TestSendBrokenAnswer(t *testing.T) {
	for name, raw := range map[string]string{
		"half a body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"messages\":[{\"id\":\"wamid.1\"}]}",
		"half a 400":  "HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{\"error\":{\"code\":131047}}",
		"no HTTP":     "to " + phone + " " + words + "\r\n\r\n",
		"odd header":  "HTTP/1.1 200 OK\r\n" + words + "\r\n\r\n",
		"bad place":   "HTTP/1.1 301 Moved\r\nLocation: http://%zz/" + phone + "\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				io.WriteString(conn, raw)
			})
			_, err := c.Send(t.Context(), "106", hello)
			if OutcomeOf(err) != Unknown {
				t.Errorf("%v is %s", err, OutcomeOf(err))
			}
			tellsNothing(t, err)
		})
	}
}

func TestSendTimeOutAfterWriting(t *testing.T) {
	arrived, done := make(chan struct{}), make(chan struct{})
	c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(arrived)
		<-done
	})
	defer close(done)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := c.Send(ctx, "106", hello)
	if OutcomeOf(err) != Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("%v is %s", err, OutcomeOf(err))
	}
}

// Ensure that a failure before anything was written says so.
func TestSendNotWritten(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	untrusted := httptest.NewUnstartedServer(answer(200, `{}`))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	secretDown := errors.New("no secret for " + phone)

	noToken, failing, empty := client(closed), client(closed), client(closed)
	noToken.Token = nil
	failing.Token = func(context.Context) (string, error) { return "", secretDown }
	empty.Token = func(context.Context) (string, error) { return " \n", nil }
	for name, tt := range map[string]struct {
		c   *Client
		ctx context.Context
	}{
		"refused": {client(closed), t.Context()}, "untrusted": {client(untrusted.URL), t.Context()},
		"ended": {client(closed), ended}, "no token": {noToken, t.Context()},
		"token failed": {failing, t.Context()}, "token empty": {empty, t.Context()},
	} {
		_, err := tt.c.Send(tt.ctx, "106", hello)
		if OutcomeOf(err) != NotSent || ClassOf(err) != ClassNotSent {
			t.Errorf("%s: %v is %s, %s", name, err, OutcomeOf(err), ClassOf(err))
		}
		tellsNothing(t, err, l.Addr().String())
		if name == "token failed" && !errors.Is(err, secretDown) {
			t.Errorf("%s: cause is not there", name)
		}
	}
}

// Ensure that a connection which may have died unnoticed is not used.
func TestIdleConnectionIsReplaced(t *testing.T) {
	var connections atomic.Int32
	srv := httptest.NewUnstartedServer(answer(200, `{"messages":[{"id":"wamid.1"}]}`))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := client(srv.URL)
	send := func(want int32) {
		t.Helper()
		if _, err := c.Send(t.Context(), "106", hello); err != nil {
			t.Fatal(err)
		}
		if got := connections.Load(); got != want {
			t.Errorf("%d connections, want %d", got, want)
		}
	}
	send(1)
	send(1)
	c.lastUse.Store(time.Now().Add(-time.Minute).Unix())
	send(2)
}

func TestBaseURL(t *testing.T) {
	for base, ok := range map[string]bool{
		"": true, "https://graph.facebook.com": true, "https://graph.facebook.com/": true, "http://127.0.0.1:9": true,
		"http://localhost:9": true, "http://[::1]:9": true, "http://example.com": false, "http://localhost.example.com": false,
		"ftp://127.0.0.1": false, "graph.facebook.com": false, "https://u:p@graph.facebook.com": false, "https://graph.facebook.com/v1": false,
	} {
		if _, err := (&Client{BaseURL: base}).base(); (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	api "threadline/functions/api/handler"
	sender "threadline/functions/sender/handler"
	"threadline/infra/sim"
	"threadline/shared/queue"
	"threadline/shared/whatsapp"
)

// world is a simulation with a REST API whose answers can be read, and a sender whose requests to Meta can.
type world struct {
	t   testing.TB
	sim *sim.Sim
	api http.Handler
	out *wire
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, sim: sim.New(t, sim.Options{Receipts: []sim.Receipt{}})}
	w.out = &wire{files: w.sim.Bucket}
	graph := &whatsapp.Client{Token: secret, HTTP: &http.Client{Transport: w.out}}
	s := sender.Handler{
		Store: w.sim.Store, Graph: graph, Files: w.sim.Bucket, Metrics: w.sim.Metrics, Now: w.sim.Now,
		CRM:     &queue.Sender{Client: w.sim.CRM, URL: w.sim.CRM.URL},
		Refresh: func(context.Context) error { return nil },
	}
	w.api = (&api.API{
		Store: w.sim.Store, Outbound: direct(s.Handle), Files: w.sim.Bucket, Links: w.out, Numbers: []string{sim.Number},
		Connectors: []string{"hubspot"}, Key: secret, Now: w.sim.Now,
	}).Handler()
	return w
}

func secret(context.Context) (string, error) { return "secret", nil }

// direct is a queue whose consumer doesn't wait.
type direct queue.Handler

// Send hands the entries over.
func (d direct) Send(ctx context.Context, entries ...queue.Entry) error {
	for _, e := range entries {
		if err := d(ctx, queue.Message{Body: e.Body, Receives: 1}); err != nil {
			return err
		}
	}
	return nil
}

// call makes a request of the REST API; the answer is JSON.
func (w *world) call(method, path string, body []byte) (int, any) {
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(string(body)))
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	v, err := decode(rec.Body.Bytes())
	if err != nil {
		w.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	return rec.Code, v
}

// view is what there is to be seen.
type view struct{ stored, shown, crm place }

func (v view) minus(u view) view {
	return view{v.stored.minus(u.stored), v.shown.minus(u.shown), v.crm.minus(u.crm)}
}

// look waits until nothing happens any more, and reads everything.
func (w *world) look() view {
	w.sim.Quiet()
	v := view{newPlace(), newPlace(), newPlace()}
	read := []string{"/api/v1/numbers", "/api/v1/conversations?limit=100"}
	for key, av := range w.sim.Table.Items() {
		var it map[string]any
		if err := attributevalue.UnmarshalMap(av, &it); err != nil {
			w.t.Fatal(err)
		}
		kept := strings.HasPrefix(key[0], "RAW#") || strings.HasPrefix(key[1], "EVT#") // for somebody to look at
		v.stored.add(key[0]+" "+key[1], "", it, kept)
		switch key[1] {
		case "CONTACT":
			read = append(read, "/api/v1/contacts/"+fmt.Sprint(it["id"]))
		case "CONV":
			read = append(read, "/api/v1/conversations/"+fmt.Sprint(it["id"])+"/messages?limit=100")
		}
	}
	for _, path := range read {
		if status, answer := w.call(http.MethodGet, path, nil); status == http.StatusOK {
			v.shown.add(path, "", answer, false)
		}
	}
	for _, c := range w.sim.HubSpot.Contacts() {
		for name, value := range c.Properties {
			v.crm.add(c.ID, name, value, false)
		}
		for _, e := range w.sim.HubSpot.Timeline(c.ID) {
			v.crm.add(e.ID, "entry", fmt.Sprintln(e.At.UTC().Format("2006-01-02T15:04:05Z"), html.UnescapeString(e.HTML)), false)
			for _, f := range e.Files {
				v.crm.add(e.ID, "file", f.Name+" "+f.MIME, false)
			}
		}
	}
	return v
}

// parsed is what package whatsapp reads in a webhook, and whether that is more than that it came.
func parsed(t testing.TB, body []byte) (place, bool) {
	p, understood := newPlace(), false
	updates, err := whatsapp.Split(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range updates {
		v := parse(t, u)
		if e, ok := v.(whatsapp.AccountEvent); !ok || len(e.Changes) > 0 || e.Template != nil {
			understood = true
		}
		p.addParsed(reflect.TypeOf(v).Name(), reflect.ValueOf(v), "")
		p.addParsed("Update", reflect.ValueOf(u), "")
	}
	return p, understood
}

func parse(t testing.TB, u whatsapp.Update) any {
	var v any
	var err error
	switch u.Kind {
	case whatsapp.KindMessage, whatsapp.KindEcho:
		v, err = whatsapp.ParseMessage(u)
	case whatsapp.KindStatus:
		v, err = whatsapp.ParseStatus(u)
	case whatsapp.KindHistory:
		v, err = whatsapp.ParseHistory(u)
	case whatsapp.KindContact:
		v, err = whatsapp.ParseSavedContact(u)
	case whatsapp.KindCall:
		v, err = whatsapp.ParseCall(u)
	case whatsapp.KindPreference:
		v, err = whatsapp.ParsePreference(u)
	case whatsapp.KindHandover:
		v, err = whatsapp.ParseHandover(u)
	case whatsapp.KindGroup:
		v, err = whatsapp.ParseGroupEvent(u)
	case whatsapp.KindSignal:
		v, err = whatsapp.ParseSignal(u)
	case whatsapp.KindEvent:
		v, err = whatsapp.ParseAccountEvent(u)
	default:
		t.Fatalf("there is no parser for updates of kind %s", u.Kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

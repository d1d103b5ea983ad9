package webhook_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"threadline/infra/local/webhookcrm"
	"threadline/shared/crm"
)

// TestFile proves that the bytes pass as they are, whatever their name, with a length, and with a hash even if nobody knew it.
func TestFile(t *testing.T) {
	for _, content := range []string{"some bytes", ""} {
		a := &answering{status: 201, body: `{"ref":"file-9"}`}
		c := a.connect(t, secret)
		for _, sum := range []string{hexSum(content), ""} {
			ref, err := c.PutFile(t.Context(), "17", "18", file(content, sum))
			if err != nil || ref != "file-9" {
				t.Fatalf("%q, %v", ref, err)
			}
		}
		for i, r := range a.got {
			document := r.Header.Get("Threadline-Document")
			agreed(t, "file.put.v1", []byte(document))
			for _, want := range []string{hexSum(content), `"name":"ni\u00f1o \ud83d\ude42.pdf"`, `"contact":{"ref":"17"}`, `"entry":{"ref":"18"}`} {
				if !strings.Contains(document, want) {
					t.Errorf("%s isn't in %s", want, document)
				}
			}
			if a.bodies[i] != content || r.ContentLength != int64(len(content)) || len(r.TransferEncoding) > 0 {
				t.Errorf("%q in %d bytes, %v", a.bodies[i], r.ContentLength, r.TransferEncoding)
			}
			if r.Header.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("the type is %s", r.Header.Get("Content-Type"))
			}
		}
	}
}

// Ensure that other bytes than those that were signed don't reach the record, and are sent again.
func TestFileChangedOnTheWay(t *testing.T) {
	company := newCompany(t, webhookcrm.Options{})
	c := company.connect(nil)
	on, err := c.CreateContact(t.Context(), person())
	if err != nil {
		t.Fatal(err)
	}
	ref, err := c.PutMessage(t.Context(), on, entry("look"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.PutFile(t.Context(), on, ref, file("bytes", hexSum("BYTES")))
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Transient || e.Reason != "other_bytes" {
		t.Errorf("%v, want Transient", err)
	}
	if files := company.sim.Timeline(string(on))[0].Files; len(files) != 0 {
		t.Errorf("%+v on the record", files)
	}
}

// TestLongBundle proves that no conversation makes a document of more than 4 MB.
func TestLongBundle(t *testing.T) {
	a := &answering{status: 204}
	c := a.connect(t, secret)
	e := entry("")
	for range 99 {
		e.Messages = append(e.Messages, e.Messages[0])
	}
	for i := range e.Messages {
		e.Messages[i].Text = strings.Repeat("\"\n🙂", 20_000)
	}
	if _, err := c.PutMessage(t.Context(), "17", e, nil); err != nil {
		t.Fatal(err)
	}
	if n := len(a.bodies[0]); n > 4<<20 {
		t.Errorf("%d bytes", n)
	}
	agreed(t, "message.put.v1", []byte(a.bodies[0]))
	if !bytes.Contains([]byte(a.bodies[0]), []byte("… (shortened)")) {
		t.Error("nothing says that it was shortened")
	}
}

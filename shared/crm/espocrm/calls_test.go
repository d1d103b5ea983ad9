package espocrm_test

import (
	"testing"
	"time"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/crm"
	"threadline/shared/crm/match"
)

// TestCalls pins what things cost, as docs/crm/espocrm.md tells it: the first look at what the instance has is two
// calls more, once an hour in each process.
func TestCalls(t *testing.T) {
	for name, o := range map[string]sim.Options{"notes": {}, "messages": {SetUp: true}} {
		t.Run(name, func(t *testing.T) {
			s := newSimulated(t, o)
			c := s.connector(nil)
			if err := c.Provision(t.Context()); err != nil {
				t.Fatal(err)
			}
			counted := len(s.sim.Calls())
			spent := func(what string, want int) {
				t.Helper()
				all := s.sim.Calls()
				t.Logf("%s: %d calls", what, len(all)-counted)
				if got := len(all) - counted; got != want {
					t.Errorf("%s: %d calls, want %d: %v", what, got, want, all[counted:])
				}
				counted = len(all)
			}
			on := must(match.Contact(t.Context(), c, person(), nil))(t).Ref
			spent("a new contact", 4)
			ref := must(c.PutMessage(t.Context(), on, entry("hello"), nil))(t)
			spent("a message", 1)
			photo := must(c.PutFile(t.Context(), on, "", file("photo.jpg", "photo")))(t)
			must(c.PutMessage(t.Context(), on, entry("look"), []crm.FileRef{photo}))(t)
			spent("a message with a photo that is there", 2)
			if err := c.UpdateMessage(t.Context(), on, ref, entry("hello"), []crm.FileRef{photo}); err != nil {
				t.Fatal(err)
			}
			spent("an update", 2)
			if !o.SetUp {
				return
			}
			_, cursor, err := c.FetchOutbound(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			must(s.sim.AddMessage(string(on), "we are open", pdf("one"), pdf("two")))(t)
			s.clock.Advance(time.Minute)
			counted = len(s.sim.Calls())
			requests, _, err := c.FetchOutbound(t.Context(), cursor)
			if err != nil || len(requests) != 1 {
				t.Fatalf("%+v, %v", requests, err)
			}
			spent("a look at what is to be sent, with one answer and its two files", 1+1+2)
			for _, f := range requests[0].Files {
				download(t, c, f.Ref)
			}
			spent("two files of an answer", 2)
			if err := c.Report(t.Context(), requests[0], crm.Outcome{}); err != nil {
				t.Fatal(err)
			}
			spent("to say what became of an answer", 1)
		})
	}
}

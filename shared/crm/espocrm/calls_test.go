package espocrm_test

import (
	"testing"

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
		})
	}
}

package espocrm_test

import (
	"testing"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/chat"
	"threadline/shared/crm"
)

// TestDoubtOnTheRecord proves that the status says of an answer of unknown outcome that it may have been delivered, of ours
// and of one made by hand, until that is known.
func TestDoubtOnTheRecord(t *testing.T) {
	const doubt = "May have been delivered: WhatsApp's answer was lost."
	s := newSimulated(t, sim.Options{SetUp: true})
	c := s.connector(nil)
	on := contactOf(t, c)
	status := func(id string) string {
		_, m := s.call("GET", "CWhatsappMessage/"+id, nil)
		return str(m, "status")
	}
	ours := entry("we are open")
	ours.Messages[0].Direction, ours.Messages[0].Status = chat.Out, chat.Unknown
	ref := must(c.PutMessage(t.Context(), on, ours, nil))(t)
	if got := status(string(ref[len("message."):])); got != "maybe delivered" {
		t.Errorf("the status of ours is %q", got)
	}
	r := crm.Request{ID: must(s.sim.AddMessage(string(on), "we are open"))(t), Contact: on, Text: "we are open", At: s.clock.Now()}
	for _, row := range []struct {
		o    crm.Outcome
		want string
	}{
		{crm.Outcome{Problem: doubt, Unknown: true}, doubt},
		{crm.Outcome{Problem: "Not sent: too late"}, "Not sent: too late"},
		{crm.Outcome{Problem: doubt, Unknown: true}, doubt},
		{crm.Outcome{}, "sent"},
	} {
		if err := c.Report(t.Context(), r, row.o); err != nil {
			t.Fatal(err)
		}
		if got := status(r.ID); got != row.want {
			t.Errorf("after %+v the status is %q", row.o, got)
		}
	}
}

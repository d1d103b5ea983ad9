package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"threadline/shared/whatsapp/whatsapptest"
)

// TestAnImport: what was written before the number was connected comes to the CRM whole and in order, however its parts
// come; nothing is sent, and who writes meanwhile doesn't wait.
func TestAnImport(t *testing.T) {
	const people, each = 6, 60
	rng := rand.New(rand.NewPCG(1, 1))
	var posts [][]byte
	for p := range people {
		var messages []string
		for i := range each {
			messages = append(messages, fmt.Sprintf(`{"id":"past.%d.%d","from":"3460011100%d","timestamp":"%d","type":"text","text":{"body":"%d"},"history_context":{"status":"READ"}}`,
				p, i, p, Start.Add(-48*time.Hour).Unix()+int64(i), i))
		}
		rng.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		for ; len(messages) > 0; messages = messages[20:] {
			posts = append(posts, fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"history","value":{`+
				`"metadata":{"display_phone_number":"%s","phone_number_id":"%s"},"history":[{"metadata":{"phase":1,"chunk_order":1,"progress":50},`+
				`"threads":[{"id":"3460011100%d","messages":[%s]}]}]}}]}]}`, Number, Number, p, strings.Join(messages[:20], ",")))
		}
	}
	posts = append(posts, posts[:people]...)
	rng.Shuffle(len(posts), func(i, j int) { posts[i], posts[j] = posts[j], posts[i] })

	s := New(t, Options{})
	for _, p := range posts {
		if got := s.Post(p); got != 200 {
			t.Fatalf("answered %d", got)
		}
	}
	s.Run(3 * time.Minute) // it is being fed
	asked := s.Now()
	s.Deliver("34600222333", whatsapptest.Text(Number, "34600222333", "wamid.now", "are you open?", asked))
	s.Run(5 * time.Second)
	found := false
	for _, c := range s.HubSpot.Contacts() {
		found = found || strings.Contains(fmt.Sprint(s.HubSpot.Timeline(c.ID)), "are you open?")
	}
	if !found {
		t.Error("a message of today waits for those of the past")
	}
	s.Quiet()
	inOrder(t, s)
	total := 0
	for _, c := range s.HubSpot.Contacts() {
		total += len(s.HubSpot.Timeline(c.ID))
	}
	if total != people*each+1 || len(s.Delivered()) != 0 {
		t.Errorf("%d entries, %d messages sent", total, len(s.Delivered()))
	}
	for name, q := range s.queues() {
		if q.Len() != 0 {
			t.Errorf("%d entries are left in %s", q.Len(), name)
		}
	}
}

package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"threadline/shared/whatsapp/whatsapptest"
)

// TestEveryDeliveryTwice: SQS delivers every message of every queue a second time.
func TestEveryDeliveryTwice(t *testing.T) {
	want, _ := perfect(t, "conversation")
	s := New(t, Options{Twice: true})
	conversation(s)
	if diff := Diff(want, s.State()); diff != "" {
		t.Errorf("the run didn't end as a perfect one does:\n%s", diff)
	}
}

// talk is what several customers and the company say: webhooks, and receipts of messages known by Meta's ids.
func talk(s *Sim) (posts [][]byte) {
	for c := range 3 {
		from := fmt.Sprintf("3460011122%d", c)
		for i := range 4 {
			at := Start.Add(time.Duration(i) * 10 * time.Second)
			posts = append(posts, whatsapptest.Text(Number, from, fmt.Sprintf("wamid.%d.%d", c, i), fmt.Sprintf("text %d", i), at))
		}
		id := fmt.Sprintf("90010%d", c)
		sum := s.AddFile(id, "image/jpeg", []byte("photo "+id))
		posts = append(posts, whatsapptest.Photo(Number, from, "wamid.photo."+id, id, sum, "a photo", Start))
		// Of a message that the company wrote on another device: it stays unknown to us.
		for _, state := range []string{"sent", "delivered", "read"} {
			posts = append(posts, whatsapptest.Status(Number, from, "wamid.elsewhere."+id, state, "", Start))
		}
	}
	return posts
}

// answers asks for a reply to each customer.
func answers(s *Sim) {
	for c := range 3 {
		from := fmt.Sprintf("3460011122%d", c)
		s.Reply("reply "+from, from, "hello "+from)
	}
}

// TestRandomSchedules: webhooks come three times each over hours in any order, queues are served in any order, SQS
// repeats itself, calls fail now and then. It ends as one ordered pass does.
func TestRandomSchedules(t *testing.T) {
	const replies = 12 * time.Hour // after the last webhook
	ordered := New(t, Options{})
	for _, body := range talk(ordered) {
		ordered.Deliver("", body)
	}
	ordered.After(replies, func() { answers(ordered) })
	ordered.Quiet()
	want := ordered.State(Arrivals)

	for i := range uint64(60) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(*seed, i))
			faults := rand.New(rand.NewPCG(*seed, i+1<<32))
			s := New(t, Options{Seed: i + 1, Twice: i%2 == 0, SearchLag: 5 * time.Second, Fault: func(Call) Fault {
				if faults.IntN(100) < 2 {
					return Faults[faults.IntN(len(Faults))]
				}
				return None
			}})
			for n, body := range talk(s) {
				for range 3 {
					s.After(time.Duration(rng.Int64N(int64(3*time.Hour))), func() { s.Deliver(fmt.Sprint(n), body) })
				}
			}
			s.After(replies, func() { answers(s) })
			s.Quiet()
			if diff := Diff(want, s.State(Arrivals)); diff != "" {
				t.Errorf("the run didn't end as the ordered one does:\n%s", diff)
			}
		})
	}
}

// TestOrderOfOneCustomer: fifty messages and fifty replies stay in order on the phone and in the CRM, while every
// twentieth call fails somehow.
func TestOrderOfOneCustomer(t *testing.T) {
	const messages, replies = 50, 10 * time.Hour
	chatter := func(s *Sim) {
		for i := range messages {
			s.After(time.Duration(i)*2*time.Second, func() {
				s.Deliver(customer, whatsapptest.Text(Number, customer, fmt.Sprintf("wamid.%03d", i), fmt.Sprintf("text %d", i), s.Now()))
			})
			s.After(replies+time.Duration(i)*2*time.Second, func() {
				s.Reply(fmt.Sprintf("reply %d", i), customer, fmt.Sprintf("reply %d", i))
			})
		}
		s.Quiet()
	}
	well := New(t, Options{})
	chatter(well)
	want := well.State(Arrivals)
	for i := range uint64(8) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(*seed, i))
			s := New(t, Options{Seed: i + 1, Fault: func(c Call) Fault {
				// Receipts come within seconds: one that is later than two minutes would rightly make a repeat. An attempt that
				// leaves no trace counts as one of two: a message that this befell twice would rightly stay unknown.
				receipt := c.Function == "router" && !c.At.Before(Start.Add(replies))
				if fault := Faults[rng.IntN(len(Faults))]; rng.IntN(20) == 0 && !receipt && (c.Function != "sender" || harmless[fault]) {
					return fault
				}
				return None
			}})
			chatter(s)
			if diff := Diff(want, s.State(Arrivals)); diff != "" {
				t.Errorf("the run didn't end as a perfect one does:\n%s", diff)
			}
			inOrder(t, s)
			for n, d := range s.Delivered() {
				if want := fmt.Sprintf("reply %d", n); d.Text != want {
					t.Fatalf("delivery %d on the phone is %q, want %q", n, d.Text, want)
				}
			}
		})
	}
}

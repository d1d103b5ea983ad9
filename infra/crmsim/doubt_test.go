package crmsim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

// TestADoubtInEveryCRM: what may have been delivered is shown as that, in the CRM's own kind of text, and then as what the
// receipts say, whatever goes wrong at any call. Later receipts cost no call.
func TestADoubtInEveryCRM(t *testing.T) {
	const doubtful, refused = "May have been delivered", "Not delivered"
	each(t, func(t *testing.T, k Kind) {
		for _, bundle := range []time.Duration{0, 5 * time.Minute} {
			for _, status := range []chat.Status{"", chat.Sent, chat.Failed} {
				for i, fault := range append([]Fault{None}, Faults...) {
					first, step := 1+i%4, 4
					if seeds(0) > 0 {
						first, step = 1, 1
					}
					for n := first; ; n += step {
						name := fmt.Sprintf("bundle %s, then %q, call %d %s", bundle, status, n, fault)
						r := New(t, Options{Seed: uint64(n), Workers: 1, Twice: true, Bundle: bundle, Fault: func(c Call) Fault {
							if c.N == n {
								return fault
							}
							return None
						}}, k)
						from := number(0)
						r.Text(from, "wamid.1", "<one>")
						r.After(time.Minute, func() { r.Doubt(from, "m_2", "<two>") })
						r.Quiet()
						shows(t, name, r, doubtful)
						said := map[chat.Status]string{"": doubtful, chat.Sent: "", chat.Failed: refused}[status]
						if status != "" {
							r.Receipt("m_2", status)
							r.Quiet()
							shows(t, name, r, said)
						}
						if calls := len(r.Calls()); status == chat.Sent {
							r.Receipt("m_2", chat.Delivered)
							r.Receipt("m_2", chat.Read)
							if r.Quiet(); len(r.Calls()) > calls {
								t.Errorf("%s: %d calls for later receipts", name, len(r.Calls())-calls)
							}
						}
						settled(t, r)
						if t.Failed() || fault == None || len(r.Calls()) < n {
							break
						}
					}
				}
			}
		}
	})
}

// shows checks that a CRM shows both messages once, and of the second these words and no others.
func shows(t *testing.T, name string, r *Rig, words string) {
	t.Helper()
	records, err := r.CRMs[0].Records()
	if err != nil || len(records) != 1 {
		t.Fatalf("%s: %d records (%v)", name, len(records), err)
	}
	all := fmt.Sprint(records[0].Entries)
	for _, text := range []string{"<one>", "<two>"} {
		if strings.Count(all, text) != 1 {
			t.Errorf("%s: %s is there %d times: %s", name, text, strings.Count(all, text), all)
		}
	}
	for _, told := range []string{"May have been delivered", "Not delivered"} {
		want := 0
		if told == words {
			want = 1
		}
		if n := strings.Count(all, told); n != want {
			t.Errorf("%s: %q is there %d times, want %d: %s", name, told, n, want, all)
		}
	}
}

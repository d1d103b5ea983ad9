package crmsim

import (
	"strings"
	"testing"
	"time"

	"threadline/shared/metric"
)

// What people do in the CRM meanwhile.

// records are those of a CRM.
func records(t *testing.T, c *CRM) []Record {
	t.Helper()
	all, err := c.Records()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// showing returns the entries of all records that hold a text, and on which records they are.
func showing(t *testing.T, c *CRM, text string) (entries []Entry, on []string) {
	t.Helper()
	for _, record := range records(t, c) {
		for _, e := range record.Entries {
			if strings.Contains(e.Text, text) {
				entries, on = append(entries, e), append(on, record.ID)
			}
		}
	}
	return entries, on
}

// once checks that a text is in the CRM once, with so many files, and on that record; empty: on any.
func once(t *testing.T, c *CRM, text, record string, files int) Entry {
	t.Helper()
	entries, on := showing(t, c, text)
	if len(entries) != 1 || len(entries[0].Files) != files || record != "" && on[0] != record {
		t.Errorf("%s is there %d times, on %q: %q; want it once on %q with %d files", text, len(entries), on, entries, record, files)
		return Entry{}
	}
	return entries[0]
}

// TestADeletedContactIsMadeAgain: with what is written from then on. What was written before may stay where it was.
func TestADeletedContactIsMadeAgain(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1}, k)
		c, from := r.CRMs[0], number(0)
		r.Text(from, "wamid.1", "<one>")
		r.Photo(from, "wamid.2", "<two>", []byte("a photo"), 0)
		r.Run(time.Hour)
		gone := records(t, c)[0].ID
		if err := c.Delete(gone); err != nil {
			t.Fatal(err)
		}
		r.Text(from, "wamid.3", "<three>")
		r.Run(time.Hour)
		r.Edit(from, "wamid.4", "wamid.2", "<four>")
		r.Quiet()
		now := records(t, c)
		if len(now) != 1 || now[0].ID == gone {
			t.Fatalf("%d contacts", len(now))
		}
		once(t, c, "<three>", now[0].ID, 0)
		once(t, c, "Edited a message:", now[0].ID, 0)
		if entries, _ := showing(t, c, "Edited. Before: <two>"); len(entries) > 1 || len(entries) == 1 && len(entries[0].Files) != 1 {
			t.Errorf("the old message is shown as %q", entries)
		}
		if n := r.Metrics.Of(metric.ConnectorStopped); n > 0 {
			t.Errorf("somebody was called %d times to mend the CRM", n)
		}
		settled(t, r)
	})
}

// TestAMergedContactIsFollowed: also when the answer to any call got lost, or the process ended with it, and whoever tidied
// the CRM up came before it was asked for again.
func TestAMergedContactIsFollowed(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		for _, fault := range []Fault{Lost, Gone} {
			for n := 1; ; n++ {
				if calls := merged(t, k, fault, n); t.Failed() {
					t.Fatalf("%s, call %d", fault, n)
				} else if calls < n {
					break
				}
			}
		}
	})
}

// merged tells of a message with a photo whose n-th call goes wrong, after which its contact is merged into another one. It
// returns how many calls there were before.
func merged(t *testing.T, k Kind, fault Fault, n int) (calls int) {
	t.Helper()
	var r *Rig
	var c *CRM
	var old, other string
	merge := func() {
		join := c.Merge
		if join == nil {
			join = func(from, _ string) error { return c.Delete(from) }
		}
		if err := join(old, other); err != nil {
			t.Error(err)
		}
	}
	counting := false
	r = New(t, Options{Seed: 1, Fault: func(Call) Fault {
		if !counting {
			return None
		}
		if calls++; calls < n {
			return None
		}
		counting = false
		r.After(time.Second, merge)
		return fault
	}}, k)
	c, from := r.CRMs[0], number(0)
	r.Text(from, "wamid.1", "<one>")
	r.Run(time.Hour)
	old = records(t, c)[0].ID
	var err error
	if other, err = c.Add("Mrs Garcia", "+34 600 999 888"); err != nil {
		t.Fatal(err)
	}
	r.Run(time.Hour)
	counting = true
	r.Photo(from, "wamid.2", "<two>", []byte("a photo"), 0)
	r.Quiet()
	if counting {
		return calls
	}
	r.Text(from, "wamid.3", "<three>")
	r.Quiet()
	on := other
	switch all := records(t, c); {
	case k.keepsNothing(): // its contacts are made again
		on = ""
	case k.Connector == "hubspot" && len(all) == 1: // it makes a third contact of two
		on = all[0].ID
	}
	once(t, c, "<three>", on, 0)
	if shown, _ := showing(t, c, "<two>"); len(shown) > 1 || len(shown) == 1 && len(shown[0].Files) > 1 {
		t.Errorf("<two> is shown as %q", shown)
	}
	if moved, _ := showing(t, c, "<one>"); len(moved) == 1 {
		once(t, c, "<two>", on, 1)
	}
	settled(t, r)
	return calls
}

// keepsNothing tells whether what is merged in such a CRM is simply gone for us.
func (k Kind) keepsNothing() bool {
	return k.Connector == "odoo" || k.Connector == "espocrm" || k.Name == "webhook that does the least"
}

// TestADeletedEntryIsMadeAgain: once there is something new to show. HubSpot keeps the key of what was deleted: there it
// stays deleted.
func TestADeletedEntryIsMadeAgain(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1, Twice: true}, k)
		c, from := r.CRMs[0], number(0)
		r.Photo(from, "wamid.2", "<two>", []byte("a photo"), 0)
		r.Run(time.Hour)
		if err := c.Drop(once(t, c, "<two>", "", 1).ID); err != nil {
			t.Fatal(err)
		}
		r.Edit(from, "wamid.3", "wamid.2", "<three>")
		r.Quiet()
		once(t, c, "Edited a message:", "", 0)
		if entries, _ := showing(t, c, "Edited. Before: <two>"); k.Connector == "hubspot" {
			t.Logf("it is there %d times", len(entries))
		} else {
			once(t, c, "Edited. Before: <two>", "", 1)
			settled(t, r)
		}
		if n := len(records(t, c)); n != 1 {
			t.Errorf("%d contacts", n)
		}
	})
}

// TestADeletedBundleTakesNothingAlong: what is written next is on the record, whatever became of the entry that it would have
// been added to.
func TestADeletedBundleTakesNothingAlong(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1, Twice: true, Bundle: time.Hour}, k)
		c, from := r.CRMs[0], number(0)
		r.Text(from, "wamid.1", "<one>")
		r.Text(from, "wamid.2", "<two>")
		r.Run(10 * time.Minute)
		if err := c.Drop(once(t, c, "<two>", "", 0).ID); err != nil {
			t.Fatal(err)
		}
		r.Photo(from, "wamid.3", "<three>", []byte("a photo"), time.Minute)
		r.Run(10 * time.Minute)
		r.Text(from, "wamid.4", "<four>")
		r.Quiet()
		once(t, c, "<three>", "", 1)
		if entries, _ := showing(t, c, "<four>"); len(entries) != 1 {
			t.Errorf("<four> is there %d times", len(entries))
		}
		settled(t, r)
	})
}

package store

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"threadline/shared/chat"
)

// placeholder is an imported message whose file is still to be named.
func placeholder(id string, at int) Inbound {
	in := imported(id, at)
	in.Message.Kind, in.Message.RawType, in.Message.Text = chat.KindPlaceholder, "media_placeholder", ""
	in.Message.Hash = "hash of the placeholder " + id
	return in
}

// named is the update that names a placeholder's file.
func named(id string, at int) Inbound {
	in := imported(id, at)
	in.Message.Kind, in.Message.RawType, in.Message.Text = chat.KindImage, "image", "the caption"
	in.Message.Attachment = &chat.Attachment{State: chat.Pending, MediaID: "1"}
	in.Message.Hash, in.Message.Raw = "hash of the file "+id, []byte("{}")
	in.Plan = func(m chat.Message) []chat.Effect {
		return []chat.Effect{{Kind: chat.EffectMedia, Target: m.Attachment.MediaID}, {Kind: chat.EffectCRM, Target: string(m.Contact)}}
	}
	return in
}

// imported is a text of the history.
func imported(id string, at int) Inbound {
	in := inbound(id, after(at), both("ES.1", "34600111222"))
	in.Message.Imported = true
	return in
}

func TestAPlaceholderIsFilled(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		receive(t, s, imported("w0", -9))
		was := receive(t, s, placeholder("w", 0)).Message
		receive(t, s, imported("w1", 9))
		for i := range 2 { // and on a redelivery
			r := receive(t, s, named("w", 0))
			m := r.Message
			if r.First || !r.Filled || r.Differs || m.Kind != chat.KindImage || m.Attachment.MediaID != "1" || m.Text != "the caption" ||
				m.RawType != "image" || string(m.Raw) != "{}" || m.Arrival != was.Arrival || SortKey(m) != SortKey(was) || !m.Imported {
				t.Errorf("time %d: %+v", i+1, r)
			}
			if want := (chat.Effect{Kind: chat.EffectCRM, Target: string(was.Contact)}); len(m.Effects) != 2 || m.Effects[1] != want {
				t.Errorf("it causes %v", m.Effects)
			}
			if r := receive(t, s, placeholder("w", 0)); r.Filled || r.Differs || !reflect.DeepEqual(r.Message, m) {
				t.Errorf("the placeholder again: %+v", r)
			}
		}
		if got := ids(messages(t, s, was.Conversation, 10)); got != "w0 w w1" {
			t.Errorf("the conversation holds %s", got)
		}
		if c, err := s.Conversation(t.Context(), was.Conversation); err != nil || c.Arrivals != 3 {
			t.Errorf("%d arrivals, %v", c.Arrivals, err)
		}
	})
}

func TestAPlaceholderThatComesLate(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		first := receive(t, s, named("w", 0))
		late := placeholder("w", 0)
		late.Message.Status, late.Message.Steps = chat.Read, map[chat.Status]chat.Step{chat.Read: {At: after(3)}}
		r := receive(t, s, late)
		if !first.First || first.Filled || r.First || r.Filled || r.Differs || r.Message.Kind != chat.KindImage || r.Message.Hash != first.Message.Hash {
			t.Errorf("%+v", r)
		}
		if r.Message.Status != chat.Read || !r.Message.Steps[chat.Read].At.Equal(after(3)) {
			t.Errorf("what it says of how far the message came: %s %v", r.Message.Status, r.Message.Steps)
		}
		lower := placeholder("w", 0)
		lower.Message.Hash, lower.Message.Status = "of another chunk", chat.Sent
		if r := receive(t, s, lower); r.Differs || r.Message.Status != chat.Read {
			t.Errorf("%+v", r)
		}
	})
}

func TestWhatDiffers(t *testing.T) {
	edited := func(m *chat.Message) {
		m.Amend(chat.Amendment{Kind: chat.KindEdit, Direction: m.Direction, Text: "another text", Stamp: chat.Stamp{At: after(1), ID: "e"}})
	}
	for _, c := range []struct {
		name          string
		stored, again func(*Inbound)
		want          bool
	}{
		{"other content", nil, func(in *Inbound) { in.Message.Text = "other" }, true},
		{"an echo of what we sent", func(in *Inbound) { in.Message.Direction, in.Message.Kind = chat.Out, chat.KindTemplate },
			func(in *Inbound) { in.Message.Direction = chat.Out }, false},
		{"the history of what came", nil, func(in *Inbound) { in.Message.Imported = true }, false},
		{"what was imported comes", func(in *Inbound) { in.Message.Imported = true }, nil, false},
		{"the history of what was edited", func(in *Inbound) { edited(&in.Message) }, func(in *Inbound) { in.Message.Imported = true }, false},
		{"the history of an edit", func(in *Inbound) { edited(&in.Message) },
			func(in *Inbound) { in.Message.Imported, in.Message.Text = true, "another text" }, false},
		{"a history of its own", nil, func(in *Inbound) { in.Message.Imported, in.Message.Text = true, "other" }, true},
		{"a placeholder without a file", func(in *Inbound) { *in = placeholder("w", 0) },
			func(in *Inbound) { in.Message.Imported, in.Message.Kind = true, chat.KindUnsupported }, true},
		{"a placeholder of what came", nil, func(in *Inbound) { *in = placeholder("w", 0) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(NewMemory(), "table")
			first, again := inbound("w", noon, onlyB("ES.1")), inbound("w", noon, onlyB("ES.1"))
			again.Message.Hash = "another hash"
			if c.stored != nil {
				c.stored(&first)
			}
			if c.again != nil {
				c.again(&again)
			}
			m := receive(t, s, first).Message
			if r := receive(t, s, again); r.Differs != c.want || r.First || r.Filled || !reflect.DeepEqual(r.Message, m) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// History comes with how far its messages came, in whatever order with what came otherwise.
func TestAnImportOnlyRaisesAStatus(t *testing.T) {
	history := func(at int, st chat.Status) Inbound {
		in := echo("w", 0)
		in.Message.Imported, in.Message.Status, in.Message.Hash = true, st, fmt.Sprint("history with ", st, at)
		in.Message.Steps = map[chat.Status]chat.Step{st: {At: after(at)}}
		return in
	}
	all := []Inbound{echo("w", 0), history(2, chat.Read), history(1, chat.Delivered), history(3, chat.Delivered)}
	orders(len(all), func(order []int) {
		s := newStore(NewMemory(), "table")
		for _, i := range order {
			receive(t, s, all[i])
		}
		m := receive(t, s, all[0]).Message
		if m.Status != chat.Read || !m.Steps[chat.Delivered].At.Equal(after(1)) || !m.Steps[chat.Read].At.Equal(after(2)) {
			t.Errorf("order %v: %s %v", order, m.Status, m.Steps)
		}
	})
}

// An imported message counts for the window at its own time, and an echo doesn't count.
func TestAnImportDoesNotOpenTheWindowNow(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		old := receive(t, s, imported("w1", -100_000)).Message
		receive(t, s, imported("w0", -200_000))
		out := echo("w2", -50_000)
		out.Message.Imported = true
		receive(t, s, out)
		c, err := s.Conversation(t.Context(), old.Conversation)
		if err != nil || !c.WindowEnd().Equal(old.At.Add(chat.ServiceWindow)) || c.LastFrom != "w1" || !c.Activity.Equal(after(-50_000)) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

// Imported messages come in pages, each second whole and in the order of arrival, and none behind the end.
func TestImportedInPages(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var conv chat.ConversationID
		var want []string
		for i := range 34 { // out of order, two a second, with live ones among them
			second := i % 17 * 7 % 17
			in := imported(fmt.Sprintf("%c%02d", 'b'-i/17, second), second)
			switch {
			case second%3 == 0:
				in.Message.Imported = false
			case second < 14:
				want = append(want, string(in.Message.ID))
			}
			conv = receive(t, s, in).Message.Conversation
		}
		slices.SortFunc(want, func(a, b string) int { return cmp.Or(cmp.Compare(a[1:], b[1:]), -cmp.Compare(a, b)) })
		for _, limit := range []int{0, 1, 2, 5, 17, 18, 19, 100} {
			var got []string
			place := ""
			for range 20 {
				page, err := s.Imported(t.Context(), conv, place, after(13), limit)
				if err != nil || len(page) > max(limit, 1)+1 {
					t.Fatal(len(page), err)
				}
				if len(page) == 0 {
					break
				}
				for _, m := range page {
					got = append(got, string(m.ID))
				}
				place = Through(page)
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %d: %v, want %v", limit, got, want)
			}
		}
		if page, err := s.Imported(t.Context(), "100.01NOBODY", "", noon, 10); err != nil || len(page) != 0 {
			t.Errorf("of nobody: %v, %v", page, err)
		}
	})
}

// A second without an end, as that of messages whose time nobody knows, is divided all the same, and nothing of it is
// left out.
func TestASecondOfManyMessages(t *testing.T) {
	s := newStore(NewMemory(), "table")
	seen := map[chat.MessageID]bool{}
	var conv chat.ConversationID
	for i := range 2*maxStride + 100 {
		conv = receive(t, s, imported(fmt.Sprintf("w%04d", i), 0)).Message.Conversation
	}
	for place := ""; ; {
		page, err := s.Following(t.Context(), conv, place, 5)
		if err != nil || len(page) > maxStride+5 {
			t.Fatal(len(page), err)
		}
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			seen[m.ID] = true
		}
		place = Through(page)
	}
	if len(seen) != 2*maxStride+100 {
		t.Errorf("%d messages were read", len(seen))
	}
}

func TestEntries(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var conv chat.ConversationID
		var all []chat.MessageID
		for i := range 3 {
			m := receive(t, s, imported(fmt.Sprint("w", i), i)).Message
			conv, all = m.Conversation, append(all, m.ID)
			if i == 2 {
				continue
			}
			if _, err := s.ClaimEntry(t.Context(), m, "hubspot", func(e *Entry) { e.Ref = "of " + string(m.ID) }); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Entries(t.Context(), conv, "hubspot", append(all, all[0]))
		if err != nil || len(got) != 2 || got["w0"].Ref != "of w0" || got["w1"].Ref != "of w1" {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := s.Entries(t.Context(), conv, "odoo", all); err != nil || len(got) != 0 {
			t.Errorf("of another CRM: %+v, %v", got, err)
		}
		if got, err := s.Entries(t.Context(), conv, "hubspot", nil); err != nil || len(got) != 0 {
			t.Errorf("of nothing: %+v, %v", got, err)
		}
	})
}

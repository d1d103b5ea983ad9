package chat

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func sec(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

// said is what may be said of a message: a receipt, an amendment, the file of a placeholder, how far an import says that
// it came.
type said struct {
	what  string
	apply func(*Message) (changed bool)
}

func amending(kind Kind, d Direction, by string, at int, id, text string) said {
	a := Amendment{Target: "w", Kind: kind, Direction: d, By: string(d) + by, Stamp: Stamp{sec(at), id}, Text: text}
	return said{fmt.Sprintf("%s %s by %s at %d", kind, text, a.By, at), func(m *Message) bool { return m.Amend(a) }}
}

func calling(at int, id string, c Call) said {
	a := Amendment{Target: "w", Kind: KindCall, Direction: In, Stamp: Stamp{sec(at), id}, Call: &c}
	return said{fmt.Sprintf("call %+v at %d", c, at), func(m *Message) bool { return m.Amend(a) }}
}

func signalling(at int, id, name, text string) said {
	a := Amendment{Target: "w", Kind: KindSystem, Stamp: Stamp{sec(at), id}, Signal: &Signal{name, text, Stamp{sec(at), id}}}
	return said{fmt.Sprintf("signal %s at %d", name, at), func(m *Message) bool { return m.Amend(a) }}
}

func receiving(s Status, at int, p *Problem) said {
	r := Receipt{ProviderID: "w", Status: s, At: sec(at), Error: p}
	return said{fmt.Sprintf("%s at %d", s, at), func(m *Message) bool { return m.Apply(r) }}
}

// naming is a placeholder's file; a message that is none ignores it.
func naming() said {
	file := Message{Kind: KindImage, RawType: "image", Text: "the caption", Attachment: &Attachment{MediaID: "1"}, Status: Sent,
		Steps: map[Status]Step{Sent: {At: sec(1)}}, Hash: "file", Raw: []byte("raw"), Effects: []Effect{{Kind: EffectMedia}}}
	return said{"the file", func(m *Message) bool { return m.Fill(file) }}
}

func importing(s Status, at int) said {
	other := Message{Status: s, Steps: map[Status]Step{s: {At: sec(at)}}}
	return said{fmt.Sprintf("imported as %s", s), func(m *Message) bool { return m.Advance(other) }}
}

// targets are messages that something is said of.
func targets() []Message {
	return []Message{
		{ID: "w", ProviderID: "w", Direction: Out, Kind: KindText, Text: "the first", Status: Sent},
		{ID: "w", ProviderID: "w", Direction: Out, Kind: KindPlaceholder, RawType: "media_placeholder", Status: Sent, Imported: true},
		{ID: "w", ProviderID: "w", Direction: In, Kind: KindCall, Status: Delivered},
	}
}

// state is all that is known of the target when the things are said in an order, each of them again at once.
func state(t *testing.T, target Message, all []said, order []int) string {
	t.Helper()
	for _, i := range order {
		all[i].apply(&target)
		if all[i].apply(&target) {
			t.Fatalf("%s: said again, it changed the message", all[i].what)
		}
	}
	b, err := json.Marshal(target)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// story makes random things to say, with contradictions and ties.
func story(rng *rand.Rand) []said {
	all := []said{naming()}
	for i := range 4 + rng.IntN(30) {
		at, id, text := rng.IntN(4), fmt.Sprint("a", i), fmt.Sprint("text ", i)
		d := []Direction{In, Out}[rng.IntN(2)]
		switch rng.IntN(9) {
		case 0, 1:
			if rng.IntN(3) == 0 {
				text = "" // taken back
			}
			all = append(all, amending(KindReaction, d, []string{"", " c1", " c2"}[rng.IntN(3)], at, id, text))
		case 2, 3:
			all = append(all, amending(KindEdit, d, "", at, id, text))
		case 4:
			all = append(all, amending(KindRevoke, d, "", at, id, ""))
		case 5:
			all = append(all, calling(at, id, Call{Status: []string{"", "completed", "failed"}[rng.IntN(3)], Seconds: int64(rng.IntN(3)),
				Began: []time.Time{{}, sec(rng.IntN(4))}[rng.IntN(2)], Ended: []time.Time{{}, sec(rng.IntN(4))}[rng.IntN(2)]}))
		case 6:
			all = append(all, signalling(at, []string{id, "same"}[rng.IntN(2)], []string{"lead", "purchase"}[rng.IntN(2)], []string{"", "5 EUR"}[rng.IntN(2)]))
		case 7:
			all = append(all, importing(ranked[rng.IntN(len(ranked))], at))
		case 8:
			var p *Problem
			if rng.IntN(2) == 0 {
				p = &Problem{Code: rng.IntN(2), Reason: text}
			}
			all = append(all, receiving(ranked[rng.IntN(len(ranked))], at, p))
		}
	}
	return all
}

// TestWhatIsSaidCommutes: in whatever order receipts, reactions, edits, deletions, ends of calls, signals and the files of
// placeholders come, and however often, the message ends in one state.
func TestWhatIsSaidCommutes(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 3))
		all := story(rng)
		for _, target := range targets() {
			order := rng.Perm(len(all))
			want := state(t, target, all, order)
			for range 5 {
				order := append(rng.Perm(len(all)), rng.Perm(len(all))[:len(all)/2]...) // half of it twice
				rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				if got := state(t, target, all, order); got != want {
					for _, i := range order {
						t.Log(all[i].what)
					}
					t.Fatalf("seed %d:\n%s\nwant\n%s", seed, got, want)
				}
			}
		}
	}
}

// Every order of a few, of each kind at least one that competes with another.
func TestWhatIsSaidCommutesInEveryOrder(t *testing.T) {
	all := []said{
		naming(),
		amending(KindReaction, In, "", 1, "a1", "👍"), amending(KindReaction, In, "", 2, "a2", ""),
		amending(KindEdit, Out, "", 1, "a3", "second"), amending(KindEdit, Out, "", 1, "a4", "third"),
		amending(KindRevoke, Out, "", 2, "a5", ""),
		receiving(Read, 3, nil), receiving(Failed, 1, &Problem{Code: 1}),
	}
	for _, target := range targets()[:2] {
		want := ""
		permutations(len(all), func(order []int) {
			got := state(t, target, all, order)
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("order %v:\n%s\nwant\n%s", order, got, want)
			}
		})
		for _, part := range []string{`"text":"third"`, `"reactions":{"in":{"emoji":""`, `"revoked"`, `"status":"read"`} {
			if !strings.Contains(want, part) {
				t.Errorf("%s isn't in %s", part, want)
			}
		}
	}
}

func TestWhatIsMade(t *testing.T) {
	text, placeholder, call := targets()[0], targets()[1], targets()[2]
	amending(KindEdit, Out, "", 1, "a1", "second").apply(&text)
	amending(KindEdit, Out, "", 3, "a3", "fourth").apply(&text)
	amending(KindEdit, Out, "", 2, "a2", "third").apply(&text)
	if text.Text != "fourth" || text.Original != "the first" || len(text.Edits) != 3 || text.Edits[1].Text != "third" {
		t.Errorf("edited: %q, once %q, %+v", text.Text, text.Original, text.Edits)
	}
	for _, s := range []said{amending(KindEdit, In, "", 9, "a9", "forged"), amending(KindRevoke, In, "", 9, "a9", ""),
		calling(9, "a9", Call{Status: "completed"}), amending(KindText, Out, "", 9, "a9", "x"), amending(KindCall, Out, "", 9, "a9", ""),
		amending(KindSystem, Out, "", 9, "a9", "")} {
		if s.apply(&text) {
			t.Errorf("%s changed somebody else's message", s.what)
		}
	}
	amending(KindRevoke, Out, "", 5, "a5", "").apply(&text)
	amending(KindRevoke, Out, "", 4, "a4", "").apply(&text)
	if text.Revoked == nil || !text.Revoked.At.Equal(sec(4)) || text.Text != "fourth" {
		t.Errorf("deleted at %v, and says %q", text.Revoked, text.Text)
	}
	for _, s := range []said{calling(1, "a1", Call{Status: "ringing"}), calling(3, "a3", Call{Status: "completed", Seconds: 7, Began: sec(1), Ended: sec(8)}),
		calling(2, "a2", Call{Status: "accepted"})} {
		s.apply(&call)
	}
	if c := call.Call; c.Status != "completed" || c.Seconds != 7 || !c.Began.Equal(sec(1)) || !c.Ended.Equal(sec(8)) {
		t.Errorf("the call: %+v", c)
	}
	amending(KindEdit, Out, "", 1, "a1", "another caption").apply(&placeholder)
	naming().apply(&placeholder)
	if m := placeholder; m.Kind != KindImage || m.Text != "another caption" || m.Original != "the caption" || m.Attachment.MediaID != "1" ||
		!m.Imported || m.Hash != "file" || len(m.Effects) != 1 || m.Steps[Sent].At.IsZero() {
		t.Errorf("filled: %+v", m)
	}
	if naming().apply(&placeholder) || naming().apply(&text) || naming().apply(&call) {
		t.Error("what is no placeholder was filled")
	}
}

func TestFillKeepsWhatIsNotTold(t *testing.T) {
	m := Message{Kind: KindPlaceholder, ReplyTo: "q", Forwarded: ForwardedOnce, Referral: &Referral{ID: "r"}, Product: &Product{ID: "p"}}
	if m.Fill(Message{Kind: KindPlaceholder, Attachment: &Attachment{}}) || m.Fill(Message{Kind: KindUnsupported}) {
		t.Error("filled with nothing")
	}
	m.Fill(Message{Kind: KindImage, Attachment: &Attachment{}, Forwarded: ForwardedOften})
	if m.ReplyTo != "q" || m.Forwarded != ForwardedOften || m.Referral == nil || m.Product == nil {
		t.Errorf("%+v", m)
	}
}

// A message fits into an item of DynamoDB however often it is edited, and it doesn't matter which edits come first.
func TestTheFirstAndTheNewestEditsAreKept(t *testing.T) {
	const n = 3 * maxKept
	long := strings.Repeat("長", 65_536) // the longest that WhatsApp sends, in three bytes each
	var all []said
	for i := range n {
		all = append(all, amending(KindEdit, Out, "", i, fmt.Sprint("a", i), fmt.Sprint(i)+long), signalling(i, fmt.Sprint("a", i), "lead", ""))
	}
	target := Message{Direction: Out, Kind: KindText, Text: long}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	want := state(t, target, all, order)
	if max := 300 << 10; len(want) > max {
		t.Errorf("%d bytes, want %d at most", len(want), max)
	}
	slices.Reverse(order)
	for seed := range uint64(6) {
		if got := state(t, target, all, order); got != want {
			t.Fatalf("order %v: another state", order)
		}
		rand.New(rand.NewPCG(seed, 4)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	var m Message
	if err := json.Unmarshal([]byte(want), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Edits) != maxKept || len(m.Signals) != maxKept || !m.Edits[0].Stamp.At.Equal(sec(0)) || !m.Edits[1].Stamp.At.Equal(sec(n-maxKept+1)) {
		t.Errorf("%d edits, from %v and %v, %d signals", len(m.Edits), m.Edits[0].Stamp, m.Edits[1].Stamp, len(m.Signals))
	}
	if m.Text != fmt.Sprint(n-1)+long {
		t.Error("the newest text isn't whole")
	}
	for _, past := range []string{m.Original, m.Edits[0].Text, m.Edits[maxKept-1].Text} {
		if len(past) > maxPast || len(past) < maxPast-4 || !utf8.ValidString(past) || !strings.HasSuffix(past, "…") {
			t.Errorf("%d bytes of a replaced text", len(past))
		}
	}
}

func TestWhichMessagesAmend(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Message
		by   string // empty: it amends nothing
	}{
		{"a reaction", Message{Kind: KindReaction, ReplyTo: "w", Direction: In, Conversation: "100.c", Contact: "c"}, "in"},
		{"of ours", Message{Kind: KindReaction, ReplyTo: "w", Direction: Out, Conversation: "100.c", Contact: "c"}, "out"},
		{"in a group chat", Message{Kind: KindReaction, ReplyTo: "w", Direction: In, Conversation: "100.g.g1", Contact: "c"}, "in c"},
		{"an edit", Message{Kind: KindEdit, ReplyTo: "w", Direction: Out, Conversation: "100.c"}, "out"},
		{"a deletion", Message{Kind: KindRevoke, ReplyTo: "w", Direction: In, Conversation: "100.c"}, "in"},
		{"the end of a call", Message{Kind: KindCall, ReplyTo: "w", Direction: In, Conversation: "100.c", Call: &Call{}}, "in"},
		{"the beginning of a call", Message{Kind: KindCall, Direction: In, Conversation: "100.c"}, ""},
		{"a call in answer", Message{Kind: KindCall, ReplyTo: "w", Direction: In, Conversation: "100.c"}, ""},
		{"a reaction to nothing", Message{Kind: KindReaction, Direction: In, Conversation: "100.c"}, ""},
		{"a quote", Message{Kind: KindText, ReplyTo: "w", Direction: In, Conversation: "100.c"}, ""},
		{"a notice", Message{Kind: KindSystem, ReplyTo: "w", Direction: In, Conversation: "100.c"}, ""},
	} {
		c.m.ID, c.m.At, c.m.Text = "a", noon.In(time.FixedZone("", 3600)), "x"
		a, ok := c.m.Amends()
		if ok != (c.by != "") || a.By != c.by {
			t.Errorf("%s: %v by %q", c.name, ok, a.By)
		}
		want := Amendment{Target: "w", Kind: c.m.Kind, Direction: c.m.Direction, By: c.by, Stamp: Stamp{noon, "a"}, Text: "x", Call: c.m.Call}
		if ok && a != want {
			t.Errorf("%s: %+v, want %+v", c.name, a, want)
		}
	}
}

func ExampleMessage_Amend() {
	m := Message{Direction: In, Kind: KindText, Text: "see you at 5"}
	m.Amend(Amendment{Kind: KindEdit, Direction: In, Text: "see you at 6", Stamp: Stamp{At: noon, ID: "a"}})
	m.Amend(Amendment{Kind: KindReaction, Direction: Out, By: "out", Text: "👍", Stamp: Stamp{At: noon, ID: "b"}})
	fmt.Println(m.Text, m.Original, m.Reactions["out"].Emoji)
	// Output: see you at 6 see you at 5 👍
}

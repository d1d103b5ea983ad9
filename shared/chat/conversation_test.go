package chat

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Ensure that a log can tell group chats apart without saying which ones.
func TestConversationInALog(t *testing.T) {
	logged := func(id ConversationID) string {
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "conversation", id)
		return out.String()[strings.Index(out.String(), "conversation"):]
	}
	if got := logged(Direct("100", "01J")); !strings.Contains(got, `"100.01J"`) {
		t.Errorf("direct: %s", got)
	}
	one, other := logged(Group("100", "c29tZWJvZHk")), logged(Group("100", "c29tZXRoaW5n"))
	if strings.Contains(one, "c29tZWJvZHk") || !strings.Contains(one, `"100.g.`) || one == other {
		t.Errorf("groups: %s, %s", one, other)
	}
}

func TestWhatOpensTheWindow(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Message
		want bool
	}{
		{"a text", Message{Direction: In, Kind: KindText}, true},
		{"an imported one, at its own time", Message{Direction: In, Kind: KindText, Imported: true}, true},
		{"a file that is still to be named", Message{Direction: In, Kind: KindPlaceholder, Imported: true}, true},
		{"what nobody knows", Message{Direction: In, Kind: KindUnknown}, true},
		{"a call", Message{Direction: In, Kind: KindCall}, true},
		{"the end of a call", Message{Direction: In, Kind: KindCall, ReplyTo: "w", Call: &Call{}}, false},
		{"a notice", Message{Direction: In, Kind: KindSystem}, false},
		{"a reaction", Message{Direction: In, Kind: KindReaction, ReplyTo: "w"}, false},
		{"an edit", Message{Direction: In, Kind: KindEdit, ReplyTo: "w"}, false},
		{"a deletion", Message{Direction: In, Kind: KindRevoke, ReplyTo: "w"}, false},
		{"an echo", Message{Direction: Out, Kind: KindText}, false},
		{"a call of ours", Message{Direction: Out, Kind: KindCall}, false},
	} {
		c.m.At, c.m.ProviderID = noon, "w"
		var conv Conversation
		conv.Note(c.m)
		if got := !conv.WindowEnd().IsZero(); got != c.want || c.m.OpensWindow() != c.want {
			t.Errorf("%s opens the window: %v", c.name, got)
		}
		if conv.Arrivals != 1 || !conv.Activity.Equal(noon) {
			t.Errorf("%s: %+v", c.name, conv)
		}
		if c.m.Kind == KindCall && conv.LastFrom != "" {
			t.Errorf("%s is to be marked as read", c.name)
		}
	}
}

// TestACallLeavesWhatIsToBeRead: it opens the window, and the text before it can still be shown as read.
func TestACallLeavesWhatIsToBeRead(t *testing.T) {
	text := Message{Direction: In, Kind: KindText, ProviderID: "w", At: noon}
	call := Message{Direction: In, Kind: KindCall, ProviderID: "wacid", At: noon.Add(time.Minute)}
	check := func(name string, c Conversation) {
		t.Helper()
		if c.LastFrom != "w" || !c.LastFromAt.Equal(text.At) || !c.LastInbound.Equal(call.At) {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for name, order := range map[string][]Message{"in order": {text, call}, "the other way round": {call, text}} {
		var c Conversation
		for _, m := range order {
			c.Note(m)
		}
		check(name, c)
	}
	former := Conversation{LastInbound: text.At, LastFrom: "w"} // as it was kept before calls were
	former.Note(call)
	check("kept by a former release", former)
	var both Conversation
	both.Note(call)
	both.Take(Conversation{LastInbound: text.At, LastFrom: "w"})
	check("in another thread", both)
}

// TestMark: of an hour's messages the first one says something new, and whichever stands before all others or beyond the
// hour.
func TestMark(t *testing.T) {
	hour := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return hour.Add(time.Duration(minutes) * time.Minute) }
	var c Conversation
	for i, step := range []struct {
		at, now int // minutes
		changed bool
		want    Mark
	}{
		{10, 11, true, Mark{Hour: hour, From: at(10), First: 1}},
		{11, 11, false, Mark{Hour: hour, From: at(10), First: 1}},
		{-500, 12, true, Mark{Hour: hour, From: at(-500), First: 1}},
		{59, 59, false, Mark{Hour: hour, From: at(-500), First: 1}},
		{60, 59, true, Mark{Hour: hour, From: at(-500), First: 1, Ahead: true}},
		{700, 59, false, Mark{Hour: hour, From: at(-500), First: 1, Ahead: true}},
		{60, 60, true, Mark{Hour: at(60), From: at(60), First: 7}},
		{59, 59, true, Mark{Hour: at(60), From: at(59), First: 7}}, // by another function's clock
		{500, 130, true, Mark{Hour: at(120), From: at(500), First: 9, Ahead: true}},
	} {
		m := Message{At: at(step.at)}
		c.Note(m)
		before := c.Marked
		if changed := c.Mark(m, at(step.now)); changed != step.changed || *c.Marked != step.want || !changed && c.Marked != before {
			t.Errorf("step %d: %v, %+v, want %+v", i, changed, *c.Marked, step.want)
		}
	}
}

package chat

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestConversationID(t *testing.T) {
	d := Direct("100", "01ABC")
	if c, ok := d.Contact(); d != "100.01ABC" || d.Number() != "100" || !ok || c != "01ABC" {
		t.Errorf("direct: %s %s %s %v", d, d.Number(), c, ok)
	}
	g := Group("100", "120.g.7")
	if c, ok := g.Contact(); g != "100.g.120.g.7" || g.Number() != "100" || ok || c != "" {
		t.Errorf("group: %s %s %s %v", g, g.Number(), c, ok)
	}
	for _, id := range []ConversationID{"", "100"} {
		if c, ok := id.Contact(); ok || c != "" {
			t.Errorf("%q has the contact %q", id, c)
		}
	}
}

func TestMessageIDOurs(t *testing.T) {
	for id, want := range map[MessageID]bool{"m_01ABC": true, "u_0011": false, "wamid.HBg": false, "": false} {
		if id.Ours() != want {
			t.Errorf("%q: %v", id, id.Ours())
		}
	}
}

func TestStamp(t *testing.T) {
	a, b := Stamp{noon, "a"}, Stamp{noon, "b"}
	later := Stamp{noon.Add(time.Second), "a"}
	for _, c := range []struct {
		s, t Stamp
		want bool
	}{{a, a, false}, {b, a, true}, {a, b, false}, {later, b, true}, {b, later, false}, {a, Stamp{}, true}} {
		if c.s.Newer(c.t) != c.want {
			t.Errorf("%v newer than %v: %v", c.s, c.t, !c.want)
		}
	}
}

func TestConversationNote(t *testing.T) {
	in := func(k Kind, sec int) Message {
		return Message{Direction: In, Kind: k, At: noon.Add(time.Duration(sec) * time.Second)}
	}
	ms := []Message{in(KindText, 3), in(KindSystem, 9), in(KindReaction, 8), in(KindImage, 1), in(KindText, 0),
		{Direction: Out, Kind: KindText, At: noon.Add(10 * time.Second)}}
	permutations(len(ms), func(order []int) {
		var c Conversation
		for _, i := range order {
			c.Note(ms[i])
		}
		if c.Arrivals != 6 || !c.Activity.Equal(noon.Add(10*time.Second)) || !c.LastInbound.Equal(noon.Add(3*time.Second)) {
			t.Fatalf("order %v: %+v", order, c)
		}
	})
	var c Conversation
	if !c.WindowEnd().IsZero() {
		t.Error("a customer who never wrote has a window")
	}
	c.Note(in(KindText, 0))
	if !c.WindowEnd().Equal(noon.Add(24 * time.Hour)) {
		t.Errorf("the window ends %v", c.WindowEnd())
	}
}

func TestFileStateHave(t *testing.T) {
	for s, want := range map[FileState]bool{Pending: false, Stored: true, Unverified: true, FileFailed: false, Remote: false} {
		if s.Have() != want {
			t.Errorf("%s: %v", s, s.Have())
		}
	}
}

func TestError(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("send: %w", E(Throttled, "come again", cause))
	if CodeOf(err) != Throttled || !errors.Is(err, cause) || err.Error() != "send: come again: cause" {
		t.Error(CodeOf(err), err)
	}
	if CodeOf(cause) != Internal || E(Invalid, "", cause).Error() != "cause" || E(Invalid, "no", nil).Error() != "no" {
		t.Error("an error without a code, a message or a cause")
	}
	for code, want := range map[Code]bool{Invalid: false, NotFound: false, Conflict: true, Unauthorized: false,
		Throttled: true, Unavailable: true, Internal: false} {
		if e := E(code, "", nil); e.Temporary() != want || e.Code() != string(code) {
			t.Errorf("%s: temporary is %v", code, e.Temporary())
		}
	}
	e := &Error{Kind: Throttled, Message: "public", After: time.Minute, Err: cause}
	if e.RetryAfter() != time.Minute || e.Public() != "public" {
		t.Error(e.RetryAfter(), e.Public())
	}
}

package chat

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
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

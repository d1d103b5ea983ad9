package handler

import (
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/queue"
)

// TestEntriesOfANewerRelease: they wait while its deployment may be under way, and no longer; what nobody writes doesn't.
func TestEntriesOfANewerRelease(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	h := Handler{Now: func() time.Time { return now }}
	for _, test := range []struct {
		body  string
		age   time.Duration
		waits bool
	}{
		{`{"v":2}`, 0, true}, {`{"v":1,"hologram":{}}`, newer - time.Second, true}, {`{"v":2}`, newer, false}, {`{"v":`, 0, false},
	} {
		err := h.Handle(t.Context(), queue.Message{Body: []byte(test.body), Receives: 1, Sent: now.Add(-test.age)})
		if err == nil || (chat.CodeOf(err) == chat.Unavailable) != test.waits {
			t.Errorf("%s after %s: %v", test.body, test.age, err)
		}
	}
}

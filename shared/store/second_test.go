package store

import (
	"fmt"
	"testing"

	"threadline/shared/chat"
)

// TestASecondIsReadInOrderOfArrival: Meta's times are whole seconds, so that many messages have the same one; pages of
// whatever size must show them as they came.
func TestASecondIsReadInOrderOfArrival(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var want []chat.MessageID
		var conv chat.ConversationID
		for i := range 12 {
			id := fmt.Sprintf("w%02d", 50-i) // the ids fall as the messages arrive
			m := receive(t, s, inbound(id, after(i/5), chat.Seen{Phone: "34600111222"})).Message
			want, conv = append(want, m.ID), m.Conversation
		}
		for limit := 1; limit <= 13; limit++ {
			var got []chat.MessageID
			cursor := ""
			for range 20 {
				page, next, err := s.Messages(t.Context(), conv, cursor, limit)
				if err != nil || len(page) > limit {
					t.Fatal(len(page), err)
				}
				ids := []chat.MessageID{}
				for _, m := range page {
					ids = append(ids, m.ID)
				}
				got = append(ids, got...)
				if cursor = next; next == "" {
					break
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("pages of %d: %v, want %v", limit, got, want)
			}
		}
	})
}

package chat

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLoggingHidesPeople(t *testing.T) {
	const phone, words, name = "34600111222", "where is my parcel", "Ana"
	var log bytes.Buffer
	l := slog.New(slog.NewJSONHandler(&log, nil))
	m := Message{ID: "wamid." + phone, Conversation: "100.01ABC", Text: words, ProviderID: phone, Send: &Send{To: Address{Phone: phone}}}
	l.Info("x", "m", m, "p", &m, "to", m.Send.To, "c", Contact{ID: "01ABC", Profile: Profile{Name: name}},
		"profile", Profile{Saved: name}, "seen", Seen{Phone: phone, Name: name}, "alias", Alias{Kind: AliasWAID, Value: phone})
	for _, hidden := range []string{phone, words, name} {
		if strings.Contains(log.String(), hidden) {
			t.Errorf("%q is in %s", hidden, log.String())
		}
	}
	if !strings.Contains(log.String(), "01ABC") {
		t.Errorf("nobody could tell which: %s", log.String())
	}
}

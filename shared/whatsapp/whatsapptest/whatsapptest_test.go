package whatsapptest_test

import (
	"testing"
	"time"

	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

var at = time.Unix(1749416383, 0).UTC()

// Ensure that what is made here is what the package reads.
func TestBodies(t *testing.T) {
	read := func(body []byte) whatsapp.Update {
		t.Helper()
		signature := whatsapptest.Sign("s", body)
		if err := whatsapp.NewVerifier("s").Verify(body, signature); err != nil {
			t.Fatal(err)
		}
		updates, err := whatsapp.Split(body)
		if err != nil || len(updates) != 1 || updates[0].Number != "106" || updates[0].WABA != whatsapptest.WABA {
			t.Fatalf("%+v, %v", updates, err)
		}
		return updates[0]
	}
	m, err := whatsapp.ParseMessage(read(whatsapptest.Text("106", "1650", "w", "hi", at)))
	if err != nil || m.Text.Body != "hi" || m.From.WAID != "1650" || m.From.BSUID != "" || m.ID != "w" || m.Timestamp != at {
		t.Errorf("text %+v, %v", m, err)
	}
	m, err = whatsapp.ParseMessage(read(whatsapptest.Photo("106", "US.1", "w", "7", "hash", "c", at)))
	if err != nil || *m.Image != (whatsapp.Media{ID: "7", MIME: "image/jpeg", SHA256: "hash", Caption: "c"}) || m.From.BSUID != "US.1" {
		t.Errorf("photo %+v, %v", m, err)
	}
	for to, want := range map[string]whatsapp.Identity{"1650": {WAID: "1650"}, "US.1": {BSUID: "US.1"}} {
		s, err := whatsapp.ParseStatus(read(whatsapptest.Status("106", to, "w", "sent", "m_1", at)))
		if err != nil || s.Recipient != want || s.State != "sent" || s.CallbackData != "m_1" || s.Timestamp != at {
			t.Errorf("status %+v, %v", s, err)
		}
	}
}

package sim

import (
	"log/slog"
	"os"
	"testing"

	"threadline/shared/whatsapp/whatsapptest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

const customer = "34600111222"

func TestPerfectDay(t *testing.T) {
	s := New(t, Options{})
	sum := s.AddFile("900100", "image/jpeg", []byte("a photo"))
	s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
	s.Deliver(customer, whatsapptest.Photo(Number, customer, "wamid.in.2", "900100", sum, "look", s.Now()))
	s.Quiet()
	s.Reply("key-1", customer, "thank you")
	s.Quiet()
	for _, d := range s.Delivered() {
		t.Log(d)
	}
	for _, c := range s.HubSpot.Contacts() {
		t.Log(c)
		for _, e := range s.HubSpot.Timeline(c.ID) {
			t.Log(e)
		}
	}
	t.Log(s.State())
}

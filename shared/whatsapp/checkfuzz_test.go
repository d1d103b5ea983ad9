package whatsapp

import (
	"encoding/json"
	"errors"
	"testing"
)

// Ensure that whatever a caller passes on is either fit to send or refused as
// invalid, and that no check stumbles.
func FuzzCheck(f *testing.F) {
	for _, raw := range [][]byte{buttons, list, flow, several, cards, replies, goods, call, address, bill, state, unknown} {
		f.Add(raw)
	}
	for _, raw := range []string{textTemplate, namedTemplate, mediaTemplate, buttonTemplate, mediaCards, productCards, offerTemplate} {
		f.Add([]byte(raw))
	}
	f.Add([]byte(NewTemplate("t", "en").HeaderImage(picture).BodyNamed("a", "b").URLButton(0, "u").Cards(Card().Body("x")).Components))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, err := range []error{
			ask(raw),
			Outgoing{To: phone, Template: &Template{Name: "t", Language: "en", Components: raw}}.Check(),
			own(textTemplate).Check(raw), own(mediaCards).Check(raw),
			own(string(raw)).Check(NewTemplate("t", "en").Body("x").QuickReply(0, "p").Components),
		} {
			if err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("%v", err)
			}
		}
		m := Outgoing{To: phone, Template: &Template{Name: "t", Language: "en", Components: raw}}
		if body, err := m.body(); err == nil {
			if _, err := json.Marshal(body); err != nil {
				t.Errorf("it passes and can't be written: %v", err)
			}
		}
	})
}

package corpus

import (
	"fmt"
	"strings"
	"testing"

	"threadline/infra/sim"
	"threadline/shared/chat"
)

// envelope is a text message whose text is given as JSON wrote it.
func envelope(id, text string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"%s","phone_number_id":"%s"},`+
		`"messages":[{"from":"34600111222","id":"%s","timestamp":"1790000000","type":"text","text":{"body":%s}}]}}]}]}`,
		sim.Number, sim.Number, id, text)
}

func TestOddTextsArrive(t *testing.T) {
	long := strings.Repeat("long ", 60_000)
	for name, c := range map[string]struct{ json, text string }{
		"not a character":  {"\"a\uFFFFb\"", "a\uFFFFb"},
		"escaped likewise": {`"a\uffffb"`, "a\uFFFFb"},
		"lone surrogates":  {`"a\ud83db\udc00"`, "a�b�"},
		"control":          {`"a\u0000\u0008b"`, "a\x00\bb"},
		"beyond the plane": {`"\ud83d\ude00😀"`, "😀😀"},
		"over 240 KB":      {`"` + long + `"`, long[:64<<10]},
	} {
		t.Run(name, func(t *testing.T) {
			s := sim.New(t, sim.Options{})
			if got := s.Post(envelope("wamid.odd", c.json)); got != 200 {
				t.Fatalf("answered %d", got)
			}
			s.Quiet()
			m, err := s.Store.Lookup(t.Context(), chat.MessageID("wamid.odd"))
			if err != nil {
				t.Fatal(err)
			}
			if m.Text != c.text {
				t.Errorf("the text is %.80q", m.Text)
			}
			if len(c.json) > chat.MaxInlineRaw && m.RawKey == "" {
				t.Error("the whole update is nowhere")
			}
		})
	}
}

func TestFullSizedBody(t *testing.T) {
	const limit = 3 << 20
	text := strings.Repeat("x", limit-len(envelope("wamid.full", `""`)))
	s := sim.New(t, sim.Options{})
	if got := s.Post(envelope("wamid.full", `"`+text+`"`)); got != 200 {
		t.Fatalf("3 MiB answered %d", got)
	}
	if got := s.Post(envelope("wamid.more", `"`+text+`x"`)); got != 413 {
		t.Fatalf("a byte more answered %d", got)
	}
	s.Quiet()
	if _, err := s.Store.Lookup(t.Context(), chat.MessageID("wamid.full")); err != nil {
		t.Error(err)
	}
	if s.InboundDLQ.Len() != 0 {
		t.Error("an entry is dead")
	}
}

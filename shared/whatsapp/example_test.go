package whatsapp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

// A webhook handler verifies the raw bytes, and only then looks into them.
func Example() {
	verifier := whatsapp.NewVerifier("app-secret")
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, whatsapp.MaxBody))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		if err := verifier.Verify(body, r.Header.Get(whatsapp.SignatureHeader)); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		updates, err := whatsapp.Split(body)
		if err != nil {
			fmt.Println("kept for inspection:", err)
		}
		for _, u := range updates {
			fmt.Println(u.Kind, "for number", u.Number)
		}
	}

	body := whatsapptest.Text("200000000000002", "16505551234", "wamid.1", "Hello", time.Unix(1749416383, 0))
	r := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(body))
	r.Header.Set(whatsapp.SignatureHeader, whatsapptest.Sign("app-secret", body))
	handler(httptest.NewRecorder(), r)
	// Output: message for number 200000000000002
}

func ExampleParseMessage() {
	updates, err := whatsapp.Split(whatsapptest.Photo("200000000000002", "US.1000000000000000001", "wamid.1",
		"300000000000003", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "The broken part", time.Unix(1749416383, 0)))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := whatsapp.ParseMessage(updates[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Type, "from", m.From.BSUID, "called", m.From.Name)
	if file, ok := m.Media(); ok {
		fmt.Println(file.MIME, file.Caption)
	}
	// Output:
	// image from US.1000000000000000001 called Test Customer
	// image/jpeg The broken part
}

func ExampleParseStatus() {
	updates, err := whatsapp.Split(whatsapptest.Status("200000000000002", "16505551234", "wamid.1", "read", "m_1", time.Unix(1749416383, 0)))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := whatsapp.ParseStatus(updates[0])
	fmt.Println(s.ID, s.State, s.CallbackData, err)
	// Output: wamid.1 read m_1 <nil>
}

func ExampleClient_Send() {
	meta := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":{"code":131047,"message":"Re-engagement message"}}`)
	}))
	defer meta.Close()
	c := whatsapp.Client{
		BaseURL: meta.URL, // leave it out for Meta's own
		Token:   func(context.Context) (string, error) { return "token", nil },
	}
	_, err := c.Send(context.Background(), "200000000000002", whatsapp.Outgoing{
		To:           "+16505551234",
		CallbackData: "m_1", // comes back in every status, even where this answer is lost
		Text:         &whatsapp.OutText{Body: "Your order is on its way."},
	})
	switch whatsapp.OutcomeOf(err) {
	case whatsapp.Accepted:
		fmt.Println("wait for statuses")
	case whatsapp.NotSent:
		fmt.Println("not sent, and trying again is", whatsapp.ClassOf(err))
	case whatsapp.Unknown:
		fmt.Println("wait for a status that has m_1")
	}
	var e *whatsapp.Error
	if errors.As(err, &e) && e.Code == 131047 {
		fmt.Println("send a template instead")
	}
	// Output:
	// not sent, and trying again is permanent
	// send a template instead
}

func ExampleChallenge() {
	r := httptest.NewRequest(http.MethodGet, "/webhook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=tok", nil)
	fmt.Println(whatsapp.Challenge(r.URL.Query(), "tok"))
	// Output: 1158201444 true
}

// say prints the content of a message, or why it can't be sent.
func say(m whatsapp.Outgoing) {
	m.To = "+16505551234"
	switch err := m.Check(); {
	case err != nil:
		fmt.Println(err)
	case m.Template != nil:
		fmt.Println(string(m.Template.Components))
	default:
		fmt.Println(string(m.Interactive))
	}
}

func ExampleButtons() {
	question := whatsapp.Buttons("Shall we deliver today?", whatsapp.QuickReply("yes", "Yes"), whatsapp.QuickReply("no", "No"))
	say(whatsapp.Outgoing{Interactive: question.WithFooter("You can change it later.").JSON()})
	// Output:
	// {"type":"button","body":{"text":"Shall we deliver today?"},"footer":{"text":"You can change it later."},"action":{"buttons":[{"reply":{"id":"yes","title":"Yes"},"type":"reply"},{"reply":{"id":"no","title":"No"},"type":"reply"}]}}
}

func ExampleList() {
	times := whatsapp.List("When shall we call?", "Times",
		whatsapp.Section("Morning", whatsapp.ListRow{ID: "9", Title: "9:00"}, whatsapp.ListRow{ID: "10", Title: "10:00"}),
		whatsapp.Section("Evening", whatsapp.ListRow{ID: "18", Title: "18:00", Description: "The last one"}))
	say(whatsapp.Outgoing{Interactive: times.WithHeader("Call back").JSON()})
	// Output:
	// {"type":"list","header":{"type":"text","text":"Call back"},"body":{"text":"When shall we call?"},"action":{"button":"Times","sections":[{"title":"Morning","rows":[{"id":"9","title":"9:00"},{"id":"10","title":"10:00"}]},{"title":"Evening","rows":[{"id":"18","title":"18:00","description":"The last one"}]}]}}
}

func ExampleLinkButton() {
	say(whatsapp.Outgoing{Interactive: whatsapp.LinkButton("Your parcel is on its way.", "Track it", "https://example.com/7").JSON()})
	// Output:
	// {"type":"cta_url","body":{"text":"Your parcel is on its way."},"action":{"name":"cta_url","parameters":{"display_text":"Track it","url":"https://example.com/7"}}}
}

func ExampleFlowMessage() {
	form := whatsapp.OutFlow{Name: "booking", Label: "Book", Token: "b7", Screen: "DAY", Data: map[string]any{"shop": 3}}
	say(whatsapp.Outgoing{Interactive: whatsapp.FlowMessage("Choose a day.", form).JSON()})
	// Output:
	// {"type":"flow","body":{"text":"Choose a day."},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_name":"booking","flow_cta":"Book","flow_token":"b7","flow_action":"navigate","flow_action_payload":{"screen":"DAY","data":{"shop":3}}}}}
}

func ExampleCarousel() {
	photo := func(id string) whatsapp.Header { return whatsapp.ImageHeader(whatsapp.OutMedia{ID: id}) }
	say(whatsapp.Outgoing{Interactive: whatsapp.Carousel("Two rooms are free.",
		whatsapp.ReplyCard(photo("1"), "Garden", whatsapp.QuickReply("garden", "Book")),
		whatsapp.ReplyCard(photo("2"), "Sea", whatsapp.QuickReply("sea", "Book")),
	).JSON()})
	// Output:
	// {"type":"carousel","body":{"text":"Two rooms are free."},"action":{"cards":[{"card_index":0,"type":"cta_url","header":{"type":"image","image":{"id":"1"}},"body":{"text":"Garden"},"action":{"buttons":[{"quick_reply":{"id":"garden","title":"Book"},"type":"quick_reply"}]}},{"card_index":1,"type":"cta_url","header":{"type":"image","image":{"id":"2"}},"body":{"text":"Sea"},"action":{"buttons":[{"quick_reply":{"id":"sea","title":"Book"},"type":"quick_reply"}]}}]}}
}

// A title that is too long is found before anything is sent.
func ExampleLimitError() {
	m := whatsapp.Outgoing{To: "+16505551234", Interactive: whatsapp.Buttons("Continue?",
		whatsapp.QuickReply("yes", "Yes"),
		whatsapp.QuickReply("later", "Remind me of it tomorrow"),
	).JSON()}
	err := m.Check()
	fmt.Println(err)
	var limit *whatsapp.LimitError
	if errors.As(err, &limit) {
		fmt.Println(limit.Field, limit.Actual-limit.Limit, "too many")
	}
	// Output:
	// whatsapp: invalid request: interactive.action.buttons[1].reply.title: 24 characters, at most 20
	// interactive.action.buttons[1].reply.title 4 too many
}

func ExampleNewTemplate() {
	say(whatsapp.Outgoing{Template: whatsapp.NewTemplate("order_ready", "en_US").
		HeaderDocument(whatsapp.OutMedia{ID: "7", Filename: "bill.pdf"}).
		BodyNamed("first_name", "Ana").BodyNamed("order", "12").
		QuickReply(0, "thanks").URLButton(1, "12")})
	say(whatsapp.Outgoing{Template: whatsapp.NewTemplate("order_ready", "en_US").
		Body("Ana").BodyNamed("order", "12")})
	// Output:
	// [{"type":"header","parameters":[{"type":"document","document":{"id":"7","filename":"bill.pdf"}}]},{"type":"body","parameters":[{"type":"text","parameter_name":"first_name","text":"Ana"},{"type":"text","parameter_name":"order","text":"12"}]},{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"thanks"}]},{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"12"}]}]
	// whatsapp: invalid request: template.components[0].parameters[1]: some parameters have a parameter_name and some don't
}

// What the template itself says comes from [whatsapp.Client.ListTemplates].
func ExampleTemplateInfo_Check() {
	ready := whatsapp.TemplateInfo{
		Name: "order_ready", Language: "en_US", Format: "POSITIONAL",
		Components: []byte(`[{"type":"BODY","text":"Hello {{1}}, order {{2}} is ready until {{3}}."}]`),
	}
	fmt.Println(ready.Check(whatsapp.NewTemplate("order_ready", "en_US").Body("Ana", "12").Components))
	fmt.Println(ready.Check(whatsapp.NewTemplate("order_ready", "en_US").Body("Ana", "12", "Friday").Components))
	// Output:
	// whatsapp: invalid request: components[0].parameters: 2 given, the template has 3: {{1}} {{2}} {{3}}
	// <nil>
}

func ExampleMediaLimit() {
	for _, mime := range []string{"image/png", "image/gif"} {
		most, ok := whatsapp.MediaLimit("image", mime)
		fmt.Println(mime, most, ok)
	}
	// Output:
	// image/png 5242880 true
	// image/gif 0 false
}

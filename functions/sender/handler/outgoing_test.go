package handler

import (
	"encoding/json"
	"reflect"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/whatsapp"
)

func TestInMetasWords(t *testing.T) {
	file := func(kind chat.Kind, caption string, a chat.Attachment) chat.Message {
		return chat.Message{Kind: kind, Text: caption, Attachment: &a}
	}
	for _, test := range []struct {
		name string
		m    chat.Message
		want whatsapp.Outgoing
	}{
		{"text", chat.Message{Kind: chat.KindText, Text: "hello"}, whatsapp.Outgoing{Text: &whatsapp.OutText{Body: "hello"}}},
		{"answer", chat.Message{Kind: chat.KindText, Text: "yes", ReplyTo: "wamid.q"},
			whatsapp.Outgoing{ReplyTo: "wamid.q", Text: &whatsapp.OutText{Body: "yes"}}},
		{"photo", file(chat.KindImage, "my roof", chat.Attachment{MediaID: "1"}), whatsapp.Outgoing{Image: &whatsapp.OutMedia{ID: "1", Caption: "my roof"}}},
		{"photo by link", file(chat.KindImage, "", chat.Attachment{Link: "https://x.test/a"}), whatsapp.Outgoing{Image: &whatsapp.OutMedia{Link: "https://x.test/a"}}},
		{"video", file(chat.KindVideo, "", chat.Attachment{MediaID: "2"}), whatsapp.Outgoing{Video: &whatsapp.OutMedia{ID: "2"}}},
		{"audio", file(chat.KindAudio, "", chat.Attachment{MediaID: "3"}), whatsapp.Outgoing{Audio: &whatsapp.OutMedia{ID: "3"}}},
		{"voice note", file(chat.KindAudio, "", chat.Attachment{MediaID: "3", Voice: true}), whatsapp.Outgoing{Audio: &whatsapp.OutMedia{ID: "3", Voice: true}}},
		{"document", file(chat.KindDocument, "the bill", chat.Attachment{MediaID: "4", Name: "bill.pdf"}),
			whatsapp.Outgoing{Document: &whatsapp.OutMedia{ID: "4", Caption: "the bill", Filename: "bill.pdf"}}},
		{"sticker", file(chat.KindSticker, "", chat.Attachment{MediaID: "5"}), whatsapp.Outgoing{Sticker: &whatsapp.OutMedia{ID: "5"}}},
		{"template", chat.Message{Kind: chat.KindTemplate, Content: json.RawMessage(`{"name":"n","language":"en_US","components":[{"type":"body"}]}`)},
			whatsapp.Outgoing{Template: &whatsapp.Template{Name: "n", Language: "en_US", Components: json.RawMessage(`[{"type":"body"}]`)}}},
		{"text with a preview", chat.Message{Kind: chat.KindText, Text: "https://a.example", Content: json.RawMessage(`{"preview_url":true}`)},
			whatsapp.Outgoing{Text: &whatsapp.OutText{Body: "https://a.example", PreviewURL: true}}},
		{"bare template", chat.Message{Kind: chat.KindTemplate, Content: json.RawMessage(`{"name":"n","language":"en"}`)},
			whatsapp.Outgoing{Template: &whatsapp.Template{Name: "n", Language: "en"}}},
		{"buttons", chat.Message{Kind: chat.KindInteractive, Content: json.RawMessage(`{"type":"button"}`)},
			whatsapp.Outgoing{Interactive: json.RawMessage(`{"type":"button"}`)}},
	} {
		for address, to := range map[string]struct {
			chat.Address
			want whatsapp.Outgoing
		}{
			"phone": {chat.Address{Phone: "34600111222"}, whatsapp.Outgoing{To: "34600111222"}},
			"bsuid": {chat.Address{BSUID: "ES.abc"}, whatsapp.Outgoing{Recipient: "ES.abc"}},
			"group": {chat.Address{Group: "g1"}, whatsapp.Outgoing{Group: "g1"}},
		} {
			m, want := test.m, test.want
			m.ID, m.Send = "m_1", &chat.Send{To: to.Address}
			want.To, want.Recipient, want.Group, want.CallbackData = to.want.To, to.want.Recipient, to.want.Group, "m_1"
			if got, err := outgoing(m); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s to a %s: %+v (%v)", test.name, address, got, err)
			}
		}
	}
}

// What api writes for people to read isn't sent in place of what was asked for, or beside it.
func TestWordsAreNotSent(t *testing.T) {
	for kind, content := range map[chat.Kind]string{
		chat.KindTemplate: `{"name":"n","language":"en"}`, chat.KindInteractive: `{"type":"button"}`,
		chat.KindLocation: `{"latitude":1,"longitude":2}`, chat.KindContacts: `[{"name":{"formatted_name":"Bo","first_name":"Bo"}}]`,
	} {
		silent := chat.Message{Kind: kind, Content: json.RawMessage(content), Send: &chat.Send{}}
		want, err := outgoing(silent)
		if err != nil {
			t.Fatal(err)
		}
		said := silent
		said.Text = "words"
		if got, err := outgoing(said); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v (%v)", kind, got, want, err)
		}
	}
}

func TestTheSenderSpeaksForTheRightNumber(t *testing.T) {
	r := newRig(t)
	if err := r.receive(text()); err != nil || r.graph.number != "100" || r.graph.sent[0].CallbackData != "m_1" {
		t.Errorf("sent by %s with %q (%v)", r.graph.number, r.graph.sent[0].CallbackData, err)
	}
}

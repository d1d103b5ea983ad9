package handler

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"threadline/shared/chat"
)

// sent is a message of the company's.
func sent(kind chat.Kind, text, content string) chat.Message {
	return chat.Message{Direction: chat.Out, Kind: kind, Text: text, Content: json.RawMessage(content)}
}

func TestWhatAMessageIsCalled(t *testing.T) {
	for _, test := range []struct {
		m    chat.Message
		want string
	}{
		{chat.Message{Kind: chat.KindText, Text: "hello"}, "hello"},
		{chat.Message{Kind: chat.KindImage, Text: "my roof"}, "my roof"},
		{chat.Message{Kind: chat.KindImage}, "Photo"},
		{chat.Message{Kind: chat.KindAudio, Attachment: &chat.Attachment{}}, "Audio"},
		{chat.Message{Kind: chat.KindAudio, Attachment: &chat.Attachment{Voice: true}}, "Voice message"},
		{chat.Message{Kind: chat.KindEdit, Text: "hullo"}, "Edited a message:\nhullo"},
		{chat.Message{Kind: chat.KindCall}, "Voice call"},
		{chat.Message{Kind: chat.KindRevoke}, "Deleted a message"},
		{chat.Message{Kind: chat.KindUnsupported}, "A message that WhatsApp doesn't pass on"},
		{chat.Message{Kind: chat.KindUnknown, RawType: "hologram"}, "Message of type hologram"},
		{sent(chat.KindTemplate, "Hi Bo\n[Thanks]", `{"name":"order"}`), "Hi Bo\n[Thanks]"},
		{sent(chat.KindInteractive, "Shall we?\n[Yes]", `{"body":{"text":"Shall we?"}}`), "Shall we?\n[Yes]"},
		{sent(chat.KindLocation, "Harbour\n1, 2", `{}`), "Harbour\n1, 2"},
		{sent(chat.KindContacts, "Bo\n+1 555", `[{}]`), "Bo\n+1 555"},
		{sent(chat.KindTemplate, "", `{"name":"order"}`), "Template order"}, // stored by an earlier version
		{sent(chat.KindInteractive, "", `{"body":{"text":"Shall we?"}}`), "Shall we?"},
		{sent(chat.KindLocation, "", `{"latitude":1}`), "Location"},
		{sent(chat.KindContacts, "", `[{}]`), "Contact card"},
	} {
		if got := render(test.m, chat.Contact{}, nil).Text; got != test.want {
			t.Errorf("%+v is called %q, want %q", test.m, got, test.want)
		}
	}
}

func TestWhatAnEntrySaysBelowTheMessage(t *testing.T) {
	at := chat.Stamp{At: noon}
	long := strings.Repeat("a word ", 20)
	for _, test := range []struct {
		name   string
		m      chat.Message
		quoted *chat.Message
		want   string
	}{
		{"nothing", chat.Message{}, nil, ""},
		{"a reply", chat.Message{ReplyTo: "wamid.0"}, &chat.Message{Text: "Shall we\n come?"}, "In reply to: Shall we come?"},
		{"a reply to a long one", chat.Message{ReplyTo: "wamid.0"}, &chat.Message{Text: long}, "In reply to: " + long[:79] + "…"},
		{"a reply to a photo", chat.Message{ReplyTo: "wamid.0"}, &chat.Message{Kind: chat.KindImage}, "In reply to: Photo"},
		{"a reply to one that we never saw", chat.Message{ReplyTo: "wamid.0"}, nil, "In reply to a message that isn't here."},
		{"an edit is no reply", chat.Message{Kind: chat.KindEdit, ReplyTo: "wamid.0"}, nil, ""},
		{"forwarded", chat.Message{Forwarded: chat.ForwardedOnce}, nil, "Forwarded."},
		{"forwarded often", chat.Message{Forwarded: chat.ForwardedOften}, nil, "Forwarded many times."},
		{"an ad", chat.Message{Referral: &chat.Referral{Type: "ad", Headline: "Roofs", URL: "https://fb.me/1"}}, nil, "Came from the ad Roofs\nhttps://fb.me/1"},
		{"a product", chat.Message{Product: &chat.Product{ID: "tile-7"}}, nil, "About the product tile-7."},
		{"a group", chat.Message{Conversation: "100.g.x"}, nil, "In a group chat."},
		{"a call", chat.Message{Kind: chat.KindCall, Call: &chat.Call{Status: "COMPLETED", Seconds: 133}}, nil, "The call: completed 2m13s."},
		{"a call under way", chat.Message{Kind: chat.KindCall}, nil, ""},
		{"edited", chat.Message{Amended: chat.Amended{Original: "helo", Edits: []chat.Edit{{Text: "hello", Stamp: at}}}}, nil, "Edited. Before: helo"},
		{"deleted", chat.Message{Direction: chat.In, Amended: chat.Amended{Revoked: &at}}, nil, "The customer deleted this message."},
		{"reactions", chat.Message{Amended: chat.Amended{Reactions: map[string]chat.Reaction{"in": {Emoji: "👍"}, "out": {Emoji: "🎉"}}}}, nil,
			"Reactions: 🎉 by the company, 👍 by the customer."},
		{"a reaction taken back", chat.Message{Amended: chat.Amended{Reactions: map[string]chat.Reaction{"in": {}}}}, nil, ""},
		{"a lead", chat.Message{Amended: chat.Amended{Signals: []chat.Signal{{Name: "Purchase", Text: "250 USD"}}}}, nil, "Meta noticed: Purchase 250 USD."},
		{"no content", chat.Message{Problems: []chat.Problem{{Code: 131051, Reason: "Message type unknown"}}}, nil, "WhatsApp says: Message type unknown."},
		{"a file by link", chat.Message{Attachment: &chat.Attachment{State: chat.Remote, Link: "https://a.example/bill.pdf"}}, nil, "File: https://a.example/bill.pdf"},
		{"a file by Meta's id, with a name", chat.Message{Attachment: &chat.Attachment{State: chat.Remote, MediaID: "7", Name: "bill.pdf"}}, nil, "File: bill.pdf"},
		{"a file by Meta's id", chat.Message{Attachment: &chat.Attachment{State: chat.Remote, MediaID: "7"}}, nil, ""},
		{"a doubtful file", chat.Message{Attachment: &chat.Attachment{State: chat.Unverified, Reason: "it is image/png"}}, nil, "The file may not be what was sent: it is image/png."},
	} {
		if got := notes(test.m, test.quoted); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestKeysAreStable(t *testing.T) {
	key := func(conversation, id string) string {
		return entryKey(chat.Message{Conversation: chat.ConversationID(conversation), ID: chat.MessageID(id)})
	}
	one := key("100.a", "wamid.1")
	if one != "29c8564c9b90247a42f69dcf4a72e7245bf5cb22" { // CRMs hold entries under it
		t.Errorf("the key is %s", one)
	}
	if key("100.b", "wamid.1") != one {
		t.Error("the key depends on whose conversation it is, which may change")
	}
	if key("200.a", "wamid.1") == one || key("100.a", "wamid.2") == one {
		t.Error("two messages have one key")
	}
}

func TestFileNamesAreHarmless(t *testing.T) {
	long := strings.Repeat("é", 5000)
	for _, test := range []struct {
		name, mime string
		kind       chat.Kind
		want       string
	}{
		{"bill.pdf", "application/pdf", chat.KindDocument, "bill.pdf"},
		{"Rechnung März.pdf", "application/pdf", chat.KindDocument, "Rechnung März.pdf"},
		{"../../etc/passwd", "", chat.KindDocument, "etcpasswd"},
		{`C:\Windows\system.ini`, "", chat.KindDocument, "CWindowssystem.ini"},
		{"/etc/shadow", "", chat.KindDocument, "etcshadow"},
		{"a\x00b\r\nc\x7f\u0085.pdf", "", chat.KindDocument, "abc.pdf"},
		{"photo\u202Egpj.exe", "", chat.KindDocument, "photogpj.exe"},
		{"a\u2066b\u2069c\u200Fd\u061Ce.pdf", "", chat.KindDocument, "abcde.pdf"},
		{"a\u2028b\u2029.pdf", "", chat.KindDocument, "ab.pdf"},
		{"family \U0001F469\u200D\U0001F467.jpg", "", chat.KindImage, "family \U0001F469\u200D\U0001F467.jpg"},
		{`<img src=x onerror="x">|?*.html`, "", chat.KindDocument, "img src=x onerror=x.html"},
		{"..hidden. ", "", chat.KindDocument, "hidden"},
		{"\xff\xfebad.pdf", "", chat.KindDocument, "bad.pdf"},
		{long + ".pdf", "", chat.KindDocument, strings.Repeat("é", 116) + ".pdf"},
		{long + ".éééééééé", "", chat.KindDocument, strings.Repeat("é", 111) + ".éééééééé"},
		{"a." + long, "", chat.KindDocument, "a." + strings.Repeat("é", 118)},
		{"", "application/pdf", chat.KindDocument, "document.pdf"},
		{"...", "image/jpeg", chat.KindImage, "photo.jpg"},
		{"\u202E", "audio/ogg; codecs=opus", chat.KindAudio, "audio.ogg"},
		{"", "not a type", chat.KindVideo, "video"},
		{"", "image/webp", chat.KindSticker, "sticker.webp"},
		{"", "", chat.KindUnknown, "message-of-type-..ab"},
	} {
		got := fileName(chat.Message{Kind: test.kind, RawType: "../a/b", Attachment: &chat.Attachment{Name: test.name, MIME: test.mime}})
		if got != test.want || !utf8.ValidString(got) || utf8.RuneCountInString(got) > 120 {
			t.Errorf("%.40q is called %.140q, want %.140q", test.name, got, test.want)
		}
	}
	voice := chat.Message{Kind: chat.KindAudio, Attachment: &chat.Attachment{Voice: true, MIME: "audio/ogg"}}
	if got := fileName(voice); got != "voice-message.ogg" {
		t.Errorf("a voice note is called %q", got)
	}
}

func TestShownTellsEverythingApart(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][]string{{}, {""}, {"a"}, {"a", ""}, {"", "a"}, {"a", "b"}, {"ab"}, {"ab", ""}, {"1:a"}} {
		if d := digest(parts...); seen[d] {
			t.Errorf("%q looks like another", parts)
		} else {
			seen[d] = true
		}
	}
}

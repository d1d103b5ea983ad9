package handler

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// render is the message as the timeline shows it. quoted is the message that it answers, if we have it.
func render(m chat.Message, who chat.Contact, quoted *chat.Message) crm.Message {
	return crm.Message{
		ID: m.ID, At: m.At, Direction: m.Direction, Kind: m.Kind, Status: m.Status,
		Author: author(m, who), Text: plain(m), Note: notes(m, quoted),
	}
}

// plain is the message in words.
func plain(m chat.Message) string {
	if m.Kind == chat.KindEdit {
		return lines("Edited a message:", m.Text)
	}
	return cmp.Or(m.Text, title(m))
}

// entryKey is the idempotency key of a message's entry and file: 40 hex characters that depend on the number and the id.
func entryKey(m chat.Message) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s", m.Conversation.Number(), m.ID))
	return hex.EncodeToString(sum[:20])
}

// author is who wrote the message, as far as a reader cares.
func author(m chat.Message, who chat.Contact) string {
	if m.Direction == chat.Out {
		return "Company"
	}
	return cmp.Or(who.Shown(), "Customer")
}

// titles stand for messages without a text.
var titles = map[chat.Kind]string{
	chat.KindImage: "Photo", chat.KindVideo: "Video", chat.KindAudio: "Audio", chat.KindDocument: "Document",
	chat.KindSticker: "Sticker", chat.KindRevoke: "Deleted a message", chat.KindCall: "Voice call",
	chat.KindLocation: "Location", chat.KindContacts: "Contact card", chat.KindOrder: "Order",
	chat.KindPlaceholder: "A file from before the number was connected",
	chat.KindTemplate:    "Template", chat.KindInteractive: "Interactive message",
	chat.KindUnsupported: "A message that WhatsApp doesn't pass on",
}

func title(m chat.Message) string {
	if a := m.Attachment; a != nil && a.Voice {
		return "Voice message"
	}
	if t := words(m); t != "" {
		return t
	}
	if t := titles[m.Kind]; t != "" {
		return t
	}
	return "Message of type " + m.RawType
}

// words are what a message of ours says that was stored without a text, as all but plain texts once were: an interactive
// one's body, a template's name.
func words(m chat.Message) string {
	var c struct {
		Name string
		Body struct{ Text string }
	}
	if m.Direction != chat.Out || json.Unmarshal(m.Content, &c) != nil {
		return ""
	}
	if m.Kind == chat.KindTemplate && c.Name != "" {
		return "Template " + c.Name
	}
	return c.Body.Text
}

// fileName is the sender's name for the file made harmless, or one of ours.
func fileName(m chat.Message) string {
	if name := m.Attachment.SafeName(); name != "" {
		return name
	}
	kind := chat.Attachment{Name: title(chat.Message{Kind: m.Kind, RawType: m.RawType, Attachment: m.Attachment})}.SafeName()
	return strings.ToLower(strings.ReplaceAll(kind, " ", "-")) + extension(m.Attachment.MIME)
}

// extensions are those that people expect; the system's own table may be empty, and names several for some types.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "audio/ogg": ".ogg", "audio/mpeg": ".mp3",
	"audio/mp4": ".m4a", "audio/aac": ".aac", "audio/amr": ".amr", "video/mp4": ".mp4", "video/3gpp": ".3gp",
	"application/pdf": ".pdf", "text/plain": ".txt", "text/csv": ".csv",
}

func extension(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	if e := extensions[t]; e != "" {
		return e
	}
	all, _ := mime.ExtensionsByType(t)
	if len(all) > 0 {
		return all[0]
	}
	return ""
}

// shown stands for what an entry shows.
func shown(e crm.Entry, files []crm.FileRef) string {
	var parts []string
	for _, m := range e.Messages {
		parts = append(parts, m.Author, m.Text, m.Note)
	}
	for _, f := range files {
		parts = append(parts, string(f))
	}
	return digest(parts...)
}

// digest is 32 hex characters that depend on the parts and on where they end.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// lines joins what isn't empty.
func lines(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n")
}

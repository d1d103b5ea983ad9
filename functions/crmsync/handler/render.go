package handler

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"path"
	"strings"
	"unicode"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// render is the message as the timeline shows it.
func render(m chat.Message, who chat.Contact) crm.Entry {
	e := crm.Entry{Key: entryKey(m), At: m.At, Direction: m.Direction, Author: author(m, who), Text: m.Text}
	if e.Text == "" {
		e.Text = title(m)
	}
	e.Note = lines(fileNote(m), statusNote(m))
	return e
}

// entryKey is the idempotency key of a message's entry and file: 40 hex characters that depend on the number and the id.
func entryKey(m chat.Message) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s", m.Conversation.Number(), m.ID))
	return hex.EncodeToString(sum[:20])
}

// author is who wrote the message, as far as a reader cares.
func author(m chat.Message, who chat.Contact) string {
	switch {
	case m.Direction == chat.Out:
		return "Company"
	case who.Name != "":
		return who.Name
	case who.Username != "":
		return "@" + who.Username
	}
	return "Customer"
}

// titles stand for messages without a text.
var titles = map[chat.Kind]string{
	chat.KindImage: "Photo", chat.KindVideo: "Video", chat.KindAudio: "Audio", chat.KindDocument: "Document",
	chat.KindSticker: "Sticker", chat.KindReaction: "Took a reaction back", chat.KindRevoke: "Deleted a message",
	chat.KindTemplate: "Template", chat.KindInteractive: "Interactive message",
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

// words are what a message of ours says that isn't plain text: an interactive one's body, a template's name.
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

// fileNote says where the file is as long as it isn't attached.
func fileNote(m chat.Message) string {
	if m.Attachment == nil {
		return ""
	}
	switch m.Attachment.State {
	case chat.Pending:
		return "The file is arriving."
	case chat.FileFailed:
		return sentence("The file could not be fetched", m.Attachment.Reason)
	case chat.Unverified:
		return "The file doesn't have the hash that WhatsApp declared."
	}
	return ""
}

// statusNote says what the customer doesn't know of.
func statusNote(m chat.Message) string {
	if m.Direction == chat.In || m.Status != chat.Failed {
		return ""
	}
	p := m.Steps[chat.Failed].Error
	switch {
	case p == nil:
		return "Not delivered."
	case p.Reason == "":
		return fmt.Sprintf("Not delivered (code %d).", p.Code)
	}
	return sentence("Not delivered", p.Reason)
}

// sentence is what happened and why. Some of Meta's reasons end in a full stop, and some don't.
func sentence(what, why string) string { return what + ": " + strings.TrimSuffix(why, ".") + "." }

// fileName is the sender's name for the file made harmless, or one of ours.
func fileName(m chat.Message) string {
	if name := harmless(m.Attachment.Name); name != "" {
		return name
	}
	kind := harmless(title(chat.Message{Kind: m.Kind, RawType: m.RawType, Attachment: m.Attachment}))
	return strings.ToLower(strings.ReplaceAll(kind, " ", "-")) + extension(m.Attachment.MIME)
}

// How long a file's name and its extension may be, in characters.
const (
	maxName      = 120
	maxExtension = 10
)

// harmless makes one element of a path out of a name: without what separates, hides or turns round its parts.
func harmless(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || strings.ContainsRune(`/\:*?"<>|`, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, ". ")
	r := []rune(name)
	if len(r) <= maxName {
		return name
	}
	ext := []rune(path.Ext(name))
	if len(ext) > maxExtension {
		ext = nil
	}
	return string(r[:maxName-len(ext)]) + string(ext)
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
func shown(e crm.Entry, file string) string { return digest(e.Author, e.Text, e.Note, file) }

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

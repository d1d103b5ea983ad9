package handler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
)

// What an entry says below the message's own words.

// notes are what a reader of the timeline would otherwise miss. quoted is the message that this one answers, if we have it.
func notes(m chat.Message, quoted *chat.Message) string {
	all := []string{quote(m, quoted), about(m), forwardNote(m), referralNote(m), groupNote(m), callNote(m)}
	for _, p := range m.Problems {
		all = append(all, sentence("WhatsApp says", problem(p)))
	}
	for _, s := range m.Signals {
		all = append(all, sentence("Meta noticed", strings.TrimSpace(s.Name+" "+s.Text)))
	}
	all = append(all, fileNote(m), editNote(m), reactionNote(m), revokeNote(m), statusNote(m))
	return lines(all...)
}

// excerpt is how much of a quoted message is repeated, in characters.
const excerpt = 80

func quote(m chat.Message, quoted *chat.Message) string {
	if _, amends := m.Amends(); amends || m.ReplyTo == "" {
		return ""
	}
	if quoted == nil {
		return "In reply to a message that isn't here."
	}
	words := []rune(strings.Join(strings.Fields(plain(*quoted)), " "))
	if len(words) > excerpt {
		words = append(words[:excerpt-1], '…')
	}
	return "In reply to: " + string(words)
}

func about(m chat.Message) string {
	if m.Product == nil {
		return ""
	}
	return "About the product " + m.Product.ID + "."
}

func forwardNote(m chat.Message) string {
	switch m.Forwarded {
	case chat.ForwardedOnce:
		return "Forwarded."
	case chat.ForwardedOften:
		return "Forwarded many times."
	}
	return ""
}

func referralNote(m chat.Message) string {
	r := m.Referral
	if r == nil {
		return ""
	}
	kind := r.Type
	if kind == "" {
		kind = "ad"
	}
	return lines(strings.TrimSpace("Came from the "+kind+" "+r.Headline), r.URL)
}

func groupNote(m chat.Message) string {
	if _, direct := m.Conversation.Contact(); direct || m.Conversation == "" {
		return ""
	}
	return "In a group chat."
}

func callNote(m chat.Message) string {
	if m.Kind != chat.KindCall || m.Call == nil {
		return ""
	}
	said := strings.ToLower(strings.ReplaceAll(m.Call.Status, "_", " "))
	if m.Call.Seconds > 0 {
		said = strings.TrimSpace(said + " " + (time.Duration(m.Call.Seconds) * time.Second).String())
	}
	if said == "" {
		return ""
	}
	return sentence("The call", said)
}

func editNote(m chat.Message) string {
	if len(m.Edits) == 0 {
		return ""
	}
	if m.Original == "" {
		return "Edited."
	}
	return "Edited. Before: " + m.Original
}

// reactionNote lists the reactions in a lasting order.
func reactionNote(m chat.Message) string {
	var all []string
	for by, r := range m.Reactions {
		if r.Emoji == "" {
			continue
		}
		who := "by the customer"
		if strings.HasPrefix(by, string(chat.Out)) {
			who = "by the company"
		}
		all = append(all, r.Emoji+" "+who)
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return "Reactions: " + strings.Join(all, ", ") + "."
}

func revokeNote(m chat.Message) string {
	if m.Revoked == nil {
		return ""
	}
	if m.Direction == chat.In {
		return "The customer deleted this message."
	}
	return "Deleted."
}

// fileNote says where the file is as long as it isn't attached. One that the company sent by Meta's id has at most a name.
func fileNote(m chat.Message) string {
	if m.Attachment == nil {
		return ""
	}
	switch m.Attachment.State {
	case chat.Pending:
		return "The file is arriving."
	case chat.Remote:
		if file := cmp.Or(m.Attachment.Link, m.Attachment.SafeName()); file != "" {
			return "File: " + file
		}
	case chat.FileFailed:
		return sentence("The file could not be fetched", m.Attachment.Reason)
	case chat.Unverified:
		return sentence("The file may not be what was sent", m.Attachment.Reason)
	}
	return ""
}

// statusNote says what the customer doesn't know of, or may not.
func statusNote(m chat.Message) string {
	if m.Direction == chat.In {
		return ""
	}
	switch m.Status {
	case chat.Unknown:
		return sentence("May have been delivered", "WhatsApp's answer was lost")
	case chat.Failed:
		if p := m.Steps[chat.Failed].Error; p != nil {
			return sentence("Not delivered", problem(*p))
		}
		return sentence("Not delivered", "")
	}
	return ""
}

// outsideWindow is Meta's code for what people in a CRM meet most, in words that tell none of them what to do.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
const outsideWindow = 131047

func problem(p chat.Problem) string {
	switch {
	case p.Code == outsideWindow:
		return "the customer last wrote more than 24 hours ago, so only a template may be sent"
	case p.Reason == "":
		return fmt.Sprintf("code %d", p.Code)
	}
	return p.Reason
}

// sentence is what happened and, if that is known, why. Some of Meta's reasons end in a full stop, and some don't.
func sentence(what, why string) string {
	if why == "" {
		return what + "."
	}
	return what + ": " + strings.TrimSuffix(why, ".") + "."
}

package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
)

// NumberID is Meta's phone_number_id of a business number.
type NumberID string

// ContactID is our own ULID of a person.
type ContactID string

// ConversationID is derived from its parties and holds no phone number: "<number>.<contact>", or "<number>.g.<group>"
// for a group chat.
type ConversationID string

// LogValue is what a log may say of a conversation: a group's own id may have a phone number encoded in it, so that a
// hash stands for it.
func (id ConversationID) LogValue() slog.Value {
	number, group, ok := strings.Cut(string(id), ".g.")
	if !ok {
		return slog.StringValue(string(id))
	}
	sum := sha256.Sum256([]byte(group))
	return slog.StringValue(number + ".g." + hex.EncodeToString(sum[:6]))
}

// MessageID names a message within a business number. One that we send is "m_" and 26 characters. One that comes from
// the provider carries the provider's id, or "u_" and a SHA-256 of the update when it has none.
type MessageID string

// Direct returns the thread of a business number with one person.
func Direct(n NumberID, c ContactID) ConversationID {
	return ConversationID(string(n) + "." + string(c))
}

// Group returns the thread of a business number with a group chat.
func Group(n NumberID, group string) ConversationID {
	return ConversationID(string(n) + ".g." + group)
}

// Number returns the business number of the conversation.
func (id ConversationID) Number() NumberID {
	n, _, _ := strings.Cut(string(id), ".")
	return NumberID(n)
}

// Contact returns the person of a direct conversation; ok is false for a group chat.
func (id ConversationID) Contact() (c ContactID, ok bool) {
	_, rest, ok := strings.Cut(string(id), ".")
	if !ok || strings.HasPrefix(rest, "g.") {
		return "", false
	}
	return ContactID(rest), true
}

// Ours tells whether the message was started by us, and not by the provider.
func (id MessageID) Ours() bool { return strings.HasPrefix(string(id), "m_") }

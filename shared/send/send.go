// Package send asks the pipeline to send a message. Asking is all it does: whether the message may leave, when and how
// often it is tried is the sender's business.
//
// A message has its id before anything happens to it. With a caller's idempotency key the id is derived from the key,
// so that asking twice is asking once.
package send

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"threadline/shared/chat"
	"threadline/shared/queue"
)

// NewID names a message that has no idempotency key.
func NewID() chat.MessageID { return chat.MessageID("m_" + ulid.Make().String()) }

// KeyedID names the message of a caller's idempotency key.
func KeyedID(caller, key string) chat.MessageID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(caller), caller, key))
	return chat.MessageID("m_" + strings.ToUpper(base32.HexEncoding.EncodeToString(sum[:]))[:26])
}

// Queue takes entries; *queue.Sender is one.
type Queue interface {
	Send(ctx context.Context, entries ...queue.Entry) error
}

// Seen asks to show the customer that their message was read, and that an answer is being typed.
type Seen struct {
	Conversation chat.ConversationID `json:"conversation"`
	ProviderID   string              `json:"provider_id"` // of the customer's message
	Typing       bool                `json:"typing,omitempty"`
	At           time.Time           `json:"at"` // when it was asked for
}

// Entry is what one entry of the outbound queue asks for: exactly one of its fields is set.
type Entry struct {
	Message *chat.Message
	Seen    *Seen
}

// envelope is the entry's body.
type envelope struct {
	V       int           `json:"v"`
	Message *chat.Message `json:"message,omitempty"`
	Seen    *Seen         `json:"seen,omitempty"`
}

// Message puts a message on the outbound queue, behind the earlier ones of its conversation.
func Message(ctx context.Context, q Queue, m chat.Message) error {
	return put(ctx, q, envelope{V: 1, Message: &m}, m.Conversation, string(m.ID))
}

// Read puts a request on the outbound queue to show a message as read, and with it those before.
func Read(ctx context.Context, q Queue, s Seen) error {
	id := fmt.Sprintf("read %s %s %t %d", s.Conversation.Number(), s.ProviderID, s.Typing, s.At.UnixMilli())
	sum := sha256.Sum256([]byte(id))
	return put(ctx, q, envelope{V: 1, Seen: &s}, s.Conversation, hex.EncodeToString(sum[:]))
}

func put(ctx context.Context, q Queue, e envelope, in chat.ConversationID, id string) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	sum := sha256.Sum256([]byte(in))
	return q.Send(ctx, queue.Entry{Body: queue.ASCII(body), Group: hex.EncodeToString(sum[:16]), DedupID: id})
}

// ErrUnknown means that an entry isn't one that this release writes. A newer one may.
var ErrUnknown = errors.New("it isn't one that this release writes")

// Parse reads an entry of the outbound queue.
func Parse(body []byte) (Entry, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return Entry{}, fmt.Errorf("read outbound entry: %w", err)
	}
	message := e.Message != nil && e.Message.Send != nil && e.Message.ID.Ours()
	seen := e.Seen != nil && e.Seen.ProviderID != ""
	if e.V != 1 || message == seen {
		return Entry{}, fmt.Errorf("read outbound entry of version %d: %w", e.V, ErrUnknown)
	}
	return Entry{Message: e.Message, Seen: e.Seen}, nil
}

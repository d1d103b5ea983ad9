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
	"fmt"
	"strings"

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

// envelope is the entry's body.
type envelope struct {
	V       int          `json:"v"`
	Message chat.Message `json:"message"`
}

// Message puts a message on the outbound queue, behind the earlier ones of its conversation.
func Message(ctx context.Context, q Queue, m chat.Message) error {
	body, err := json.Marshal(envelope{1, m})
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	sum := sha256.Sum256([]byte(m.Conversation))
	return q.Send(ctx, queue.Entry{Body: ascii(body), Group: hex.EncodeToString(sum[:16]), DedupID: string(m.ID)})
}

// Parse reads an entry of the outbound queue.
func Parse(body []byte) (chat.Message, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return chat.Message{}, fmt.Errorf("read outbound entry: %w", err)
	}
	if e.V != 1 || e.Message.Send == nil || !e.Message.ID.Ours() {
		return chat.Message{}, fmt.Errorf("read outbound entry: version %d isn't one that this release writes", e.V)
	}
	return e.Message, nil
}

// ascii escapes what isn't: SQS refuses some characters that JSON allows.
func ascii(body []byte) []byte {
	var out []byte
	for _, r := range string(body) {
		switch {
		case r < 0x80:
			out = append(out, byte(r))
		case r > 0xFFFF:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// Package redact holds values that hide when they are printed, and cleans the error texts of other people's libraries.
//
//	log.Info("sending", "to", redact.Phone(to))   // to=[phone …34]
//
// It guarantees that a Value shows its stand-in and never its content through fmt (every verb, also as an unexported
// field), log/slog (text and JSON) and encoding/json. Reveal is the only way out. A Value costs one allocation.
//
// Error is a filter, not a proof: it removes what foreign errors are known to quote. Our own errors don't quote.
package redact

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// Value is a piece of personal data or a secret. The zero Value is empty. Two Values of one content are not ==.
type Value struct {
	shown string
	plain *string // a pointer, because fmt prints the address of one that it reaches through an unexported field
}

// Phone hides a phone number or a wa_id but for its last two digits, enough to tell two customers apart in a log.
func Phone(number string) Value {
	if len(number) < 7 {
		return hide("[phone]", number)
	}
	return hide("[phone …"+number[len(number)-2:]+"]", number)
}

// Secret hides a token, a key or a password altogether.
func Secret(s string) Value { return hide("[secret]", s) }

// Text hides what a customer or an agent wrote, but for its length in characters.
func Text(s string) Value { return hide(fmt.Sprintf("[text of %d]", utf8.RuneCountInString(s)), s) }

func hide(shown, plain string) Value {
	return Value{shown: strings.ToValidUTF8(shown, "?"), plain: &plain}
}

// Reveal returns the content.
func (v Value) Reveal() string {
	if v.plain == nil {
		return ""
	}
	return *v.plain
}

// String returns the stand-in.
func (v Value) String() string { return v.shown }

// Format writes the stand-in, whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.shown)) }

// LogValue returns the stand-in.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.shown) }

// MarshalText returns the stand-in; encoding/json uses it for values and for map keys.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.shown), nil }

package meta

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"time"
	"unicode/utf16"
)

// object is a JSON object under construction.
type object = map[string]any

// marshal encodes v the way Meta does: nothing but ASCII, and '/' escaped. Whoever verifies a signature over
// re-encoded JSON instead of the bytes received finds out here.
func marshal(v any) ([]byte, error) {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	var out bytes.Buffer
	for _, r := range string(bytes.TrimSpace(plain.Bytes())) {
		switch {
		case r == '/':
			out.WriteString(`\/`)
		case r < 0x80:
			out.WriteByte(byte(r))
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes(), nil
}

// newWAMID returns a message id that looks like Meta's: base64 with '+', '/' and '=' in it, and, unlike Meta's, with no
// phone number inside.
func newWAMID() string {
	id := append([]byte{0x1d, 0x02, 0x11, 0x00, 0x12, 0x18}, random(22)...)
	return "wamid." + base64.StdEncoding.EncodeToString(id)
}

// newMediaID returns 16 digits.
func newMediaID() string { return digits(16) }

// newBSUID returns a business-scoped user id: country, dot, digits.
func newBSUID() string { return "US." + digits(20) }

// newTrace returns an fbtrace_id.
func newTrace() string { return "A" + base64.RawURLEncoding.EncodeToString(random(16)) }

// digits returns n decimal digits, the first not 0.
func digits(n int64) string {
	low := new(big.Int).Exp(big.NewInt(10), big.NewInt(n-1), nil)
	span := new(big.Int).Mul(low, big.NewInt(9))
	v := new(big.Int).Mod(new(big.Int).SetBytes(random(32)), span)
	return v.Add(v, low).String()
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, see crypto/rand
	return b
}

// seconds is a time as Meta writes it in messages.
func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

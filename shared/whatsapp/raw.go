package whatsapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// member is one "key":value of an object, as it was written.
type member struct {
	key        string
	raw, value []byte
}

// members lists what a compact JSON object holds, in order, repeated keys
// included: encoding/json would keep only the last of them. The slices share
// memory with the object. It returns false for any other kind of value.
func members(object []byte) ([]member, bool) {
	if !isObject(object) {
		return nil, false
	}
	var all []member
	for i := 1; object[i] != '}'; {
		if object[i] == ',' {
			i++
		}
		colon := valueEnd(object, i)
		end := valueEnd(object, colon+1)
		all = append(all, member{keyText(object[i:colon]), object[i:end:end], object[colon+1 : end : end]})
		i = end
	}
	return all, true
}

// keyText decodes the key of a member.
func keyText(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var key string
	// It is a valid JSON string: the document was checked as a whole.
	_ = json.Unmarshal(quoted, &key)
	return key
}

// isObject tells an object from other valid and compact JSON.
func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }

// index makes the members of an object readable by key; the last of equal keys
// counts, as in encoding/json.
func index(all []member) fields {
	f := make(fields, len(all))
	for _, m := range all {
		f[m.key] = m.value
	}
	return f
}

// elements lists the values of a compact JSON array. The slices share memory
// with the array. It returns false for any other kind of value.
func elements(array []byte) ([][]byte, bool) {
	if len(array) == 0 || array[0] != '[' {
		return nil, false
	}
	var all [][]byte
	for i := 1; array[i] != ']'; {
		if array[i] == ',' {
			i++
		}
		end := valueEnd(array, i)
		all = append(all, array[i:end:end])
		i = end
	}
	return all, true
}

// valueEnd returns the index after the JSON value that starts at b[i]. The
// input is valid and compact.
func valueEnd(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of what holds a bare number or word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// stringEnd returns the index of the quote that closes the string at b[i].
func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}

// ASCII returns the same JSON with every character beyond ASCII written as a
// \u escape, pairs of surrogates where needed; bytes that are no UTF-8 become
// \ufffd. The input is valid JSON, in which such characters occur in strings
// only. It is returned as it is when there is nothing to do.
func ASCII(json []byte) []byte {
	first := 0
	for first < len(json) && json[first] < utf8.RuneSelf {
		first++
	}
	if first == len(json) {
		return json
	}
	out := make([]byte, 0, len(json)+len(json)/4)
	out = append(out, json[:first]...)
	for i := first; i < len(json); {
		if json[i] < utf8.RuneSelf {
			out = append(out, json[i])
			i++
			continue
		}
		r, size := utf8.DecodeRune(json[i:])
		i += size
		if r > 0xffff {
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			continue
		}
		out = fmt.Appendf(out, `\u%04x`, r)
	}
	return out
}

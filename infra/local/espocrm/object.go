package espocrm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// readObject reads a JSON object of plain values without holding one of its members, a string whose bytes go to a
// function. It is noted as present with the value true.
func readObject(r io.Reader, big string, take func(io.Reader) error) (map[string]any, error) {
	in := bufio.NewReaderSize(r, 32<<10)
	out := map[string]any{}
	if err := expect(in, '{'); err != nil {
		return nil, err
	}
	for {
		var name string
		if err := readValue(in, &name); err != nil {
			return nil, err
		}
		if err := expect(in, ':'); err != nil {
			return nil, err
		}
		if name == big {
			if err := takeString(in, take); err != nil {
				return nil, err
			}
			out[name] = true
		} else {
			var v any
			if err := readValue(in, &v); err != nil {
				return nil, err
			}
			out[name] = v
		}
		switch b, err := next(in); {
		case err != nil:
			return nil, err
		case b == '}':
			return out, nil
		case b != ',':
			return nil, fmt.Errorf("%q between members", b)
		}
	}
}

// next returns the next byte that isn't white space.
func next(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil || b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b, err
		}
	}
}

func expect(in *bufio.Reader, want byte) error {
	b, err := next(in)
	if err == nil && b != want {
		err = fmt.Errorf("%q instead of %q", b, want)
	}
	return err
}

// readValue reads a string, a number, a truth value or null.
func readValue(in *bufio.Reader, out any) error {
	b, err := next(in)
	if err != nil {
		return err
	}
	raw := []byte{b}
	for quoted, escaped := b == '"', false; len(raw) < 64<<10; raw = append(raw, b) {
		if b, err = in.ReadByte(); err != nil {
			return err
		}
		if !quoted && (b == ',' || b == '}' || b == ':') {
			_ = in.UnreadByte() // the last call read one
			break
		}
		if quoted && b == '"' && !escaped {
			raw = append(raw, b)
			break
		}
		escaped = b == '\\' && !escaped
	}
	return json.Unmarshal(raw, out)
}

// takeString passes the inside of a string on, which must need no escapes but \/.
func takeString(in *bufio.Reader, take func(io.Reader) error) error {
	if err := expect(in, '"'); err != nil {
		return err
	}
	inside := &inString{in: in}
	if err := take(inside); err != nil {
		return err
	}
	if !inside.ended {
		return errors.New("more in the string than was taken")
	}
	return nil
}

// inString reads up to the closing quote.
type inString struct {
	in    *bufio.Reader
	ended bool
}

func (s *inString) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && !s.ended {
		b, err := s.in.ReadByte()
		switch {
		case err != nil:
			return n, io.ErrUnexpectedEOF
		case b == '"':
			s.ended = true
		case b == '\\':
		default:
			p[n] = b
			n++
		}
	}
	if n == 0 && s.ended {
		return 0, io.EOF
	}
	return n, nil
}

package odoo

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"threadline/shared/crm"
)

// maxHead bounds what is read of an answer before a file's bytes begin, in bytes.
const maxHead = 1 << 20

// binary finds the value of datas in an answer, and decodes it while it is read. Where there is none it returns the answer.
func binary(op string, answer io.Reader) (content io.Reader, whole []byte, err error) {
	var head bytes.Buffer
	tokens := json.NewDecoder(io.TeeReader(io.LimitReader(answer, maxHead), &head))
	for {
		token, err := tokens.Token()
		switch {
		case token == "datas":
			in := bufio.NewReaderSize(io.MultiReader(tokens.Buffered(), answer), 32<<10)
			if err := openText(op, in); err != nil {
				return nil, nil, err
			}
			return &decoded{op, base64.NewDecoder(base64.StdEncoding, &inText{from: in})}, nil, nil
		case token == "error", errors.Is(err, io.EOF):
			_, err = io.Copy(&head, io.LimitReader(answer, maxHead))
			return nil, head.Bytes(), unread(op, err)
		case err != nil:
			return nil, nil, unread(op, err)
		}
	}
}

// unread is the failure to read an answer; nil if there is none.
func unread(op string, err error) error {
	if err == nil {
		return nil
	}
	return &crm.Error{Class: crm.Transient, Op: op, Status: http.StatusOK, Err: err}
}

// noContent says that an attachment has no bytes in Odoo: it is a link, for instance.
func noContent(op string) error {
	return &crm.Error{Class: crm.Refused, Op: op, Status: http.StatusOK, Reason: "NO_CONTENT"}
}

// openText reads what is between a name and the text that is its value. Odoo's value of nothing is false, or no text.
func openText(op string, in *bufio.Reader) error {
	for {
		switch b, err := in.ReadByte(); {
		case err != nil:
			return unread(op, err)
		case b == '"':
			if next, err := in.Peek(1); err == nil && next[0] == '"' {
				return noContent(op)
			}
			return nil
		case b == 'f' || b == 'n':
			return noContent(op)
		}
	}
}

// inText reads a text up to its closing quote. Base64 has nothing that JSON escapes.
type inText struct {
	from  *bufio.Reader
	held  []byte // of the buffer
	ended bool
}

func (t *inText) Read(p []byte) (int, error) {
	if len(t.held) == 0 && !t.ended {
		part, err := t.from.ReadSlice('"')
		switch {
		case err == nil:
			part, t.ended = part[:len(part)-1], true
		case errors.Is(err, io.EOF):
			return 0, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return 0, err
		}
		t.held = part
	}
	if len(t.held) == 0 {
		return 0, io.EOF
	}
	n := copy(p, t.held)
	t.held = t.held[n:]
	return n, nil
}

// decoded classifies what goes wrong while a file is read.
type decoded struct {
	op   string
	from io.Reader
}

func (d *decoded) Read(p []byte) (int, error) {
	n, err := d.from.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if _, corrupt := errors.AsType[base64.CorruptInputError](err); corrupt {
		return n, noContent(d.op)
	}
	return n, unread(d.op, err)
}

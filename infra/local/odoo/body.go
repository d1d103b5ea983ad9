package odoo

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxBody is the largest request that Odoo takes, in bytes.
// https://github.com/odoo/odoo/blob/19.0/odoo/http.py DEFAULT_MAX_CONTENT_LENGTH
const maxBody = 128 << 20

// inMemory is how long a base64 text in a request may be, in bytes, before it goes to a file.
const inMemory = 64 << 10

// blob is the content of a file, which lies in the folder of files.
type blob struct {
	name, sha1 string
	size       int64
}

// spooled marks the place of a base64 text that lies in a file. No text of Odoo's has the character: its database takes
// none with it.
const spooled = "\x00"

// decode reads a JSON object. Long files in it go to disk while they arrive.
func (s *Simulator) decode(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	b := bodyReader{s: s, in: bufio.NewReaderSize(http.MaxBytesReader(w, r.Body, maxBody), inMemory), blobs: map[string]blob{}}
	if err := b.read(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, raise(http.StatusRequestEntityTooLarge, "werkzeug.exceptions.RequestEntityTooLarge", "The data value transmitted exceeds the capacity limit.")
		}
		return nil, badRequest("the body can't be read")
	}
	var out map[string]any
	if err := json.Unmarshal(b.out.Bytes(), &out); err != nil {
		return nil, badRequest("the body isn't a JSON object")
	}
	return b.restore(out).(map[string]any), nil
}

type bodyReader struct {
	s     *Simulator
	in    *bufio.Reader
	out   bytes.Buffer
	blobs map[string]blob
}

func (b *bodyReader) read() error {
	for {
		c, err := b.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		b.out.WriteByte(c)
		if c == '"' {
			if err := b.text(); err != nil {
				return err
			}
		}
	}
}

// text copies a text up to its closing quote, or puts a mark into its place.
func (b *bodyReader) text() error {
	start, encoded := b.out.Len(), true
	for {
		c, err := b.in.ReadByte()
		if err != nil {
			return err
		}
		b.out.WriteByte(c)
		switch {
		case c == '"':
			return nil
		case c == '\\':
			encoded = false
			if c, err = b.in.ReadByte(); err != nil {
				return err
			}
			b.out.WriteByte(c)
		case !strings.ContainsRune("+/=", rune(c)) && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z'):
			encoded = false
		}
		if encoded && b.out.Len()-start == inMemory {
			head := bytes.Clone(b.out.Bytes()[start:])
			b.out.Truncate(start)
			return b.spool(head)
		}
	}
}

func (b *bodyReader) spool(head []byte) error {
	kept, err := b.s.store(base64.NewDecoder(base64.StdEncoding, io.MultiReader(bytes.NewReader(head), &untilQuote{in: b.in})))
	if err != nil {
		return err
	}
	b.blobs[kept.name] = kept
	b.out.WriteString(`\u0000` + kept.name + `"`)
	return nil
}

// restore puts blobs where marks are.
func (b *bodyReader) restore(v any) any {
	switch v := v.(type) {
	case string:
		if name, ok := strings.CutPrefix(v, spooled); ok {
			if kept, ok := b.blobs[name]; ok {
				return kept
			}
		}
	case []any:
		for i := range v {
			v[i] = b.restore(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = b.restore(v[name])
		}
	}
	return v
}

// untilQuote ends before a quote, and takes it.
type untilQuote struct {
	in   *bufio.Reader
	done bool
}

func (u *untilQuote) Read(p []byte) (int, error) {
	if u.done {
		return 0, io.EOF
	}
	if _, err := u.in.Peek(1); err != nil {
		return 0, err
	}
	window, _ := u.in.Peek(min(u.in.Buffered(), len(p)))
	n := bytes.IndexByte(window, '"')
	if u.done = n >= 0; !u.done {
		n = len(window)
	}
	copy(p, window[:n])
	_, err := u.in.Discard(n)
	if u.done {
		_, err = u.in.Discard(1)
	}
	return n, err
}

func (s *Simulator) keep(content []byte) (blob, error) { return s.store(bytes.NewReader(content)) }

// store writes a file's bytes.
func (s *Simulator) store(content io.Reader) (blob, error) {
	b := blob{name: rand.Text()}
	hash := sha1.New()
	var err error
	b.size, err = s.journal.PutFile(b.name, io.TeeReader(content, hash))
	b.sha1 = hex.EncodeToString(hash.Sum(nil))
	return b, err
}

package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// put sends a document and returns the ref that the receiver gave; empty if it gave none.
func (c *Connector) put(ctx context.Context, op string, d document) (ref string, err error) {
	a, err := c.send(ctx, op, d, c.sealed)
	if err != nil {
		return "", err
	}
	return refIn(op, a)
}

// send makes a call whose body is the document.
func (c *Connector) send(ctx context.Context, op string, d document, s seal) (rest.Answer, error) {
	body, err := encode(d)
	if err != nil {
		return rest.Answer{}, fmt.Errorf("%s: %w", op, err)
	}
	return c.call(ctx, s, body, rest.Request{Op: op, Type: "application/json", Body: bytes.NewReader(body), Size: int64(len(body))})
}

// call signs a document and makes the call that brings it.
func (c *Connector) call(ctx context.Context, s seal, document []byte, r rest.Request) (rest.Answer, error) {
	if c.broken != nil {
		return rest.Answer{}, &crm.Error{Class: crm.Stopped, Op: r.Op, Reason: "NO_ADDRESS", Err: c.broken}
	}
	headers, err := s(ctx, r.Op, strconv.FormatInt(c.now().Unix(), 10), document)
	if err != nil {
		return rest.Answer{}, err
	}
	for name, values := range r.Header {
		headers[name] = values
	}
	r.Method, r.Path, r.Header = http.MethodPost, c.path, headers
	return c.rest.Do(ctx, r)
}

// putAnswer is what a receiver may say of what it was sent.
type putAnswer struct {
	Ref string `json:"ref"`
}

// aRef is what the pipeline can keep.
var aRef = regexp.MustCompile(`^[ -~]{1,512}$`)

// refIn reads the answer to a document. No body is an answer too. Anything else, such as the page of a proxy, isn't the
// receiver's word: what was sent isn't taken for stored.
func refIn(op string, a rest.Answer) (string, error) {
	if len(bytes.TrimSpace(a.Body)) == 0 {
		return "", nil
	}
	var said putAnswer
	if json.Unmarshal(a.Body, &said) != nil || said.Ref != "" && !aRef.MatchString(said.Ref) {
		return "", notAgreed(op, a)
	}
	return said.Ref, nil
}

// notAgreed is an answer that only whoever wrote the receiver can mend.
func notAgreed(op string, a rest.Answer) error {
	return &crm.Error{Class: crm.Stopped, Unknown: true, Op: op, Status: a.Status, Reason: "ANSWER_NOT_AS_AGREED"}
}

// failure is what a receiver may say of what it didn't take.
type failure struct {
	Error   string `json:"error"`
	MovedTo string `json:"moved_to"`
}

// aCode is what may stand in a log: a sentence, or digits, may be somebody's data.
var aCode = regexp.MustCompile(`^[a-z][a-z_]{0,63}$`)

// classify reads an answer that isn't 2xx. A receiver that isn't there, or sends us elsewhere, isn't one that refuses
// what it was sent: nothing is given up for that.
func classify(op string, a rest.Answer) error {
	var said failure
	_ = json.Unmarshal(a.Body, &said) // a proxy's page says nothing
	if a.Status == http.StatusGone {
		if aRef.MatchString(said.MovedTo) {
			return &crm.Moved{To: crm.ContactRef(said.MovedTo)}
		}
		return fmt.Errorf("%s: %w", op, crm.ErrGone)
	}
	e := rest.Default(op, a)
	if aCode.MatchString(said.Error) {
		e.Reason = said.Error
	}
	switch {
	case a.Status == http.StatusNotFound, a.Status == http.StatusMethodNotAllowed, a.Status < 400:
		e.Class = crm.Stopped
		if e.Reason == "" {
			e.Reason = "NO_RECEIVER_AT_THE_ADDRESS"
		}
	}
	return e
}

// encode writes a document. Its HTML isn't escaped a second time: that would make it several times as long.
func encode(d document) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(d)
	return bytes.TrimSpace(b.Bytes()), err
}

// ascii escapes what a header can't hold.
func ascii(encoded []byte) string {
	var b strings.Builder
	for _, r := range string(encoded) {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

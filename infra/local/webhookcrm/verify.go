package webhookcrm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// window is how old a call may be.
const window = 5 * time.Minute

// maxDocument bounds a document, in bytes. Files come outside of it.
const maxDocument = 4 << 20

// verified returns the document that a call brings, if whoever made it knows the secret and made it just now. A file's
// document is in a header, because the body is the file.
func (s *Simulator) verified(r *http.Request) (document []byte, ok bool) {
	document = []byte(r.Header.Get("Threadline-Document"))
	if len(document) == 0 {
		var err error
		if document, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, maxDocument)); err != nil {
			return nil, false
		}
	}
	timestamp := r.Header.Get("Threadline-Timestamp")
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || s.options.Now().Sub(time.Unix(sent, 0)).Abs() > window {
		return nil, false
	}
	want := s.sign(timestamp, document)
	for given := range strings.SplitSeq(r.Header.Get("Threadline-Signature"), ",") {
		ok = ok || hmac.Equal([]byte(strings.TrimSpace(given)), []byte(want))
	}
	return document, ok
}

func (s *Simulator) sign(timestamp string, document []byte) string {
	mac := hmac.New(sha256.New, []byte(s.options.Secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(document)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

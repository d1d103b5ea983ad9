package webhook_test

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

// verified stands in docs/crm/webhook.md, letter for letter.
func verified(r *http.Request, secret []byte, now time.Time) (document []byte, ok bool) {
	document = []byte(r.Header.Get("Threadline-Document"))
	if len(document) == 0 {
		document, _ = io.ReadAll(io.LimitReader(r.Body, 4<<20))
	}
	timestamp := r.Header.Get("Threadline-Timestamp")
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return nil, false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp + "." + string(document)))
	want := "v1=" + hex.EncodeToString(mac.Sum(nil))
	for _, given := range strings.Split(r.Header.Get("Threadline-Signature"), ",") {
		ok = ok || hmac.Equal([]byte(strings.TrimSpace(given)), []byte(want))
	}
	return document, ok
}

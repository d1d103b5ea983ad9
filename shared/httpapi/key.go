package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// RequireKey lets a request through to next if it carries the key as "Authorization: Bearer". The key is asked for at
// every request, so that a rotated one counts at once. An empty key lets nobody in; if it can't be had the answer is
// 503. The comparison takes the same time for every wrong key, whatever its length.
func RequireKey(key func(context.Context) (string, error), next http.Handler) http.Handler {
	return HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		want, err := key(r.Context())
		if err != nil {
			return &problem{code: "unavailable", message: "the API key can't be checked now; try again", err: err}
		}
		scheme, got, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		a, b := sha256.Sum256([]byte(strings.TrimSpace(got))), sha256.Sum256([]byte(want))
		same := subtle.ConstantTimeCompare(a[:], b[:]) == 1
		if !same || want == "" || !strings.EqualFold(scheme, "Bearer") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return &problem{code: "unauthorized", message: "send the API key as Authorization: Bearer KEY"}
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

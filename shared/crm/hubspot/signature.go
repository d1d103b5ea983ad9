package hubspot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
)

// maxAge is how old a signed call may be.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
const maxAge = 5 * time.Minute

// signedURI undoes the escapes that HubSpot undoes before it signs, and no others.
var signedURI = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$",
	"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";",
)

// genuine tells whether HubSpot signed a call with the app's client secret. A call that has the third version of the
// signature must pass it. HubSpot says of workflow actions that they have the second one, so that it counts where the
// third is missing; it has no time in it, and what is replayed has the callbackId of a request that we know already.
func genuine(call crm.Call, uri, secret string) bool {
	if secret == "" {
		return false
	}
	if given := call.Header.Get("X-HubSpot-Signature-v3"); given != "" {
		stamp := call.Header.Get("X-HubSpot-Request-Timestamp")
		ms, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || call.At.Sub(time.UnixMilli(ms)).Abs() > maxAge {
			return false
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(call.Method + signedURI.Replace(uri)))
		mac.Write(call.Body)
		mac.Write([]byte(stamp))
		return hmac.Equal([]byte(given), []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))))
	}
	return genuineV2(call.Header, call.Method+uri+string(call.Body), secret)
}

func genuineV2(h http.Header, source, secret string) bool {
	sum := sha256.Sum256([]byte(secret + source))
	given := strings.ToLower(h.Get("X-HubSpot-Signature"))
	return h.Get("X-HubSpot-Signature-Version") == "v2" && hmac.Equal([]byte(given), []byte(hex.EncodeToString(sum[:])))
}

package salesforce

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// jwtGrant is the grant of the JWT bearer flow.
const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// denial is an error of the token endpoint.
type denial struct {
	code, text string
}

// token gives a session. There is no refresh token in either of the flows.
func (s *Simulator) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body := s.grant(r)
	s.calls = append(s.calls, Call{Method: r.Method, Path: r.URL.Path, Status: status, At: s.options.Now()})
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Simulator) grant(r *http.Request) (int, any) {
	if err := r.ParseForm(); err != nil {
		return http.StatusBadRequest, map[string]string{"error": "invalid_request"}
	}
	d := denial{"unsupported_grant_type", "grant type not supported"}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		d = s.checkSecret(r.PostForm)
	case jwtGrant:
		d = s.checkAssertion(r.PostForm.Get("assertion"))
	}
	if d.code != "" {
		return http.StatusBadRequest, map[string]string{"error": d.code, "error_description": d.text}
	}
	token := "00DDm0000000001!" + rand.Text()
	s.sessions[token] = true
	instance := "http://" + r.Host
	return http.StatusOK, map[string]string{
		"access_token": token, "instance_url": instance, "token_type": "Bearer", "scope": "api",
		"id": instance + "/id/00DDm0000000001MAA/" + s.user(0), "issued_at": "1700000000000",
	}
}

func (s *Simulator) checkSecret(form url.Values) denial {
	switch {
	case s.options.ClientID != "" && form.Get("client_id") != s.options.ClientID:
		return denial{"invalid_client_id", "client identifier invalid"}
	case form.Get("client_secret") == "" || s.options.ClientSecret != "" && form.Get("client_secret") != s.options.ClientSecret:
		return denial{"invalid_client", "invalid client credentials"}
	}
	return denial{}
}

// checkAssertion verifies a JWT: who it is from, for whom, and that it lives at most three minutes.
// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm&type=5
func (s *Simulator) checkAssertion(assertion string) denial {
	invalid := denial{"invalid_grant", "invalid assertion"}
	part := strings.Split(assertion, ".")
	if len(part) != 3 || s.options.PublicKey == nil {
		return invalid
	}
	signature, err := base64.RawURLEncoding.DecodeString(part[2])
	sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
	if err != nil || rsa.VerifyPKCS1v15(s.options.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return invalid
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
	}
	if !decodePart(part[0], &header) || !decodePart(part[1], &claims) || header.Algorithm != "RS256" {
		return invalid
	}
	now := s.options.Now()
	expires := time.Unix(claims.Expires, 0)
	switch {
	case s.options.ClientID != "" && claims.Issuer != s.options.ClientID:
		return denial{"invalid_client_id", "client identifier invalid"}
	case claims.Audience != s.options.LoginURL:
		return denial{"invalid_grant", "audience is invalid"}
	case claims.Subject != s.options.Username:
		return denial{"invalid_grant", "user hasn't approved this consumer"}
	case !now.Before(expires):
		return denial{"invalid_grant", "expired authorization code"}
	case expires.Sub(now) > 3*time.Minute:
		return denial{"invalid_grant", "expiration is too far in the future"}
	}
	return denial{}
}

func decodePart(part string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

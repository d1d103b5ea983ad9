package salesforce

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"time"

	"threadline/shared/crm"
)

// assertionLife is how long an assertion is good for; Salesforce takes three minutes at most.
// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm&type=5
const assertionLife = 2 * time.Minute

// assertion is a JWT that names the app and the user, signed with the app's key (RS256).
func (c *Connector) assertion(key string) (string, error) {
	private, ok := parseKey(key)
	if !ok {
		return "", &crm.Error{Class: crm.Stopped, Op: "log in", Reason: "PRIVATE_KEY_IS_NO_RSA_KEY"}
	}
	claims, err := json.Marshal(map[string]any{
		"iss": c.config.ClientID, "sub": c.config.Username, "aud": c.config.LoginURL,
		"exp": c.config.Now().Add(assertionLife).Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	if err != nil {
		return "", &crm.Error{Class: crm.Stopped, Op: "log in", Reason: "PRIVATE_KEY_CANT_SIGN"}
	}
	return signed + "." + encode(signature), nil
}

// parseKey reads an RSA key in either of the forms that openssl writes. What is wrong with one isn't told: it might
// quote the key.
func parseKey(text string) (*rsa.PrivateKey, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, false
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, true
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(*rsa.PrivateKey)
	return private, err == nil && ok
}

package pipedrive

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
)

// Frame is Pipedrive's: its pages, and its script, which has to begin within seconds or Pipedrive shows an error instead. The script's
// release is pinned, and its bytes too. https://www.npmjs.com/package/@pipedrive/app-extensions-sdk
func (c *Connector) Frame() crm.Frame {
	return crm.Frame{
		Ancestors: "https://*.pipedrive.com",
		Script:    "https://cdn.jsdelivr.net/npm/@pipedrive/app-extensions-sdk@0.15.1/dist/index.umd.js",
		Integrity: "sha384-szRF+blsKwxw3jA53SBYux8hXYlQNwePRAYfR0PXjlIZ8l1XMjWL4/dfH36SDTbJ",
		Start:     "new AppExtensionsSDK().initialize({ size: { height: 500 } });",
	}
}

// Panel verifies the token in a panel's address, and returns the person beside whom it is shown.
func (c *Connector) Panel(ctx context.Context, query url.Values, at time.Time) (crm.ContactRef, error) {
	secret := ""
	if c.config.PanelSecret != nil {
		var err error
		if secret, err = c.config.PanelSecret(ctx); err != nil {
			return "", fmt.Errorf("panel's secret: %w", err)
		}
	}
	if secret == "" {
		return "", fmt.Errorf("no secret is set for the panel: %w", crm.ErrForged)
	}
	if _, err := VerifyPanel(query.Get("token"), secret, at); err != nil {
		return "", err
	}
	person, err := strconv.ParseInt(query.Get("selectedIds"), 10, 64)
	if err != nil || person < 1 || query.Get("resource") != "person" {
		return "", nil // a deal, an organization
	}
	return crm.ContactRef(text(person)), nil
}

// PanelClaims are what Pipedrive says, signed, about who looks at a custom panel: a user of the company. Which person the
// panel is shown for stands beside it in the address, unsigned.
type PanelClaims struct {
	User, Company string
	Expires       time.Time
}

var errPanel = fmt.Errorf("the panel's token isn't valid: %w", crm.ErrForged)

// maxPanelToken is far above the length of a token of Pipedrive's, in bytes.
const maxPanelToken = 4 << 10

// VerifyPanel verifies the token in a panel's address: HS256 with the JWT secret of the panel in Pipedrive's Developer Hub,
// and nothing else, and not expired. https://pipedrive.readme.io/docs/custom-ui-extensions#how-do-custom-ui-extensions-work
func VerifyPanel(token, secret string, now time.Time) (PanelClaims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > maxPanelToken || secret == "" {
		return PanelClaims{}, errPanel
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	if !decodePart(parts[0], &header) || header.Algorithm != "HS256" {
		return PanelClaims{}, errPanel
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || !hmac.Equal(signature, mac.Sum(nil)) {
		return PanelClaims{}, errPanel
	}
	var claims struct {
		User    looseID `json:"userId"`
		Company looseID `json:"companyId"`
		Expires int64   `json:"exp"`
	}
	if !decodePart(parts[1], &claims) || claims.User == "" || claims.Company == "" {
		return PanelClaims{}, errPanel
	}
	expires := time.Unix(claims.Expires, 0).UTC()
	if !now.Before(expires) {
		return PanelClaims{}, errPanel
	}
	return PanelClaims{User: string(claims.User), Company: string(claims.Company), Expires: expires}, nil
}

func decodePart(part string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

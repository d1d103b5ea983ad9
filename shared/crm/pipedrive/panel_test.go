package pipedrive_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"threadline/shared/crm/pipedrive"
)

func signed(header, claims, secret string) string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(header)) + "." + part([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + part(mac.Sum(nil))
}

// TestPanel proves that a panel's token is HS256 with our secret and not expired, or nothing.
func TestPanel(t *testing.T) {
	const header, claims = `{"alg":"HS256","typ":"JWT"}`, `{"userId":7,"companyId":9,"exp":1800000000}`
	now := time.Unix(1_799_999_999, 0)
	got, err := pipedrive.VerifyPanel(signed(header, claims, "secret"), "secret", now)
	if err != nil || got.User != "7" || got.Company != "9" || got.Expires.Unix() != 1_800_000_000 {
		t.Fatalf("%+v, %v", got, err)
	}
	good := signed(header, claims, "secret")
	for name, row := range map[string]struct {
		token, secret string
		at            time.Time
	}{
		"another secret":     {good, "other", now},
		"no secret":          {signed(header, claims, ""), "", now},
		"expired":            {good, "secret", now.Add(time.Second)},
		"never expires":      {signed(header, `{"userId":7,"companyId":9}`, "secret"), "secret", now},
		"alg none":           {signed(`{"alg":"none"}`, claims, "secret"), "secret", now},
		"alg none, unsigned": {signed(`{"alg":"none"}`, claims, "secret")[:len(good)-43], "secret", now},
		"another alg":        {signed(`{"alg":"HS512"}`, claims, "secret"), "secret", now},
		"alg in small":       {signed(`{"alg":"hs256"}`, claims, "secret"), "secret", now},
		"no alg":             {signed(`{}`, claims, "secret"), "secret", now},
		"no user":            {signed(header, `{"companyId":9,"exp":1800000000}`, "secret"), "secret", now},
		"no signature":       {good[:len(good)-43], "secret", now},
		"changed":            {good[:len(good)-50] + "A" + good[len(good)-49:], "secret", now},
		"not a token":        {"x", "secret", now},
		"empty":              {"", "secret", now},
	} {
		if _, err := pipedrive.VerifyPanel(row.token, row.secret, row.at); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

package pipedrive_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
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

// TestPanelIsAPersons proves whose record an address means, and that none is read without Pipedrive's token.
func TestPanelIsAPersons(t *testing.T) {
	now := time.Unix(1_799_999_999, 0)
	token := signed(`{"alg":"HS256"}`, `{"userId":7,"companyId":9,"exp":1800000000}`, "secret")
	secret := func(value string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return value, err }
	}
	c := pipedrive.New(pipedrive.Config{PanelSecret: secret("secret", nil)})
	for query, want := range map[string]crm.ContactRef{
		"resource=person&selectedIds=5":                                   "5",
		"resource=person&view=details&selectedIds=0042&id=x&theme=dark":   "42",
		"resource=deal&selectedIds=5":                                     "",
		"selectedIds=5":                                                   "",
		"resource=person":                                                 "",
		"resource=person&selectedIds=5,6":                                 "",
		"resource=person&selectedIds=-5":                                  "",
		"resource=person&selectedIds=99999999999999999999999999999999999": "",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Panel(t.Context(), q, now); !errors.Is(err, crm.ErrForged) {
			t.Errorf("%s without a token: %v", query, err)
		}
		q.Set("token", token)
		if got, err := c.Panel(t.Context(), q, now); err != nil || got != want {
			t.Errorf("%s is %q, %v", query, got, err)
		}
		for name, c := range map[string]*pipedrive.Connector{
			"no panel":       pipedrive.New(pipedrive.Config{}),
			"no secret":      pipedrive.New(pipedrive.Config{PanelSecret: secret("", nil)}),
			"another secret": pipedrive.New(pipedrive.Config{PanelSecret: secret("another", nil)}),
		} {
			if _, err := c.Panel(t.Context(), q, now); !errors.Is(err, crm.ErrForged) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	unread := errors.New("no secret")
	c = pipedrive.New(pipedrive.Config{PanelSecret: secret("", unread)})
	if _, err := c.Panel(t.Context(), url.Values{"token": {token}}, now); !errors.Is(err, unread) || errors.Is(err, crm.ErrForged) {
		t.Errorf("a secret that can't be read is %v", err)
	}
}

// TestFrame proves that a release of Pipedrive's script is named with its hash: no other bytes run.
func TestFrame(t *testing.T) {
	f := pipedrive.New(pipedrive.Config{}).Frame()
	if !regexp.MustCompile(`^https://[^;,\s]+@\d+\.\d+\.\d+/[^;,\s]+\.js$`).MatchString(f.Script) ||
		!regexp.MustCompile(`^sha384-[A-Za-z0-9+/]{64}$`).MatchString(f.Integrity) || strings.Contains(f.Start, "</") {
		t.Errorf("%+v", f)
	}
}

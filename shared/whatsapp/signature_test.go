package whatsapp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// The vectors were computed with another implementation of HMAC.
var signatures = []struct{ secret, body, hex string }{
	{"test_app_secret", `{"object":"whatsapp_business_account","entry":[]}`, "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"},
	{"test_app_secret", `{"object": "whatsapp_business_account", "entry": []}`, "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"},
	{"otro_secreto", `{"object":"whatsapp_business_account","entry":[]}`, "769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7"},
	{"test_app_secret", `{"text":"é😀/"}`, "0fe2265bfe963e52b92eefde3973dcd94089e8cb2a44e2639cce403a42b89b12"},
	{"test_app_secret", `{"text":"\u00e9\ud83d\ude00\/"}`, "34f3bdeca47f4c41eb4d07988264e56996e03b8be260453ca3917bb82c0a064a"},
}

func TestVerify(t *testing.T) {
	both := NewVerifier("", "test_app_secret", "otro_secreto")
	for _, s := range signatures {
		if err := both.Verify([]byte(s.body), "sha256="+s.hex); err != nil {
			t.Errorf("%s signed with %s: %v", s.body, s.secret, err)
		}
		if err := NewVerifier("another").Verify([]byte(s.body), "sha256="+s.hex); !errors.Is(err, ErrSignature) {
			t.Errorf("%s accepted with another secret", s.body)
		}
		if err := both.Verify([]byte(s.body+" "), "sha256="+s.hex); !errors.Is(err, ErrSignature) {
			t.Errorf("%s accepted with one byte more", s.body)
		}
	}
}

// Ensure that whatever is missing or malformed is refused, and that a verifier
// without a secret accepts nothing: not even what is signed with an empty one.
func TestVerifyFailsClosed(t *testing.T) {
	s := signatures[0]
	v := NewVerifier(s.secret)
	for _, header := range []string{
		"", "sha256=", s.hex, "sha1=" + s.hex, "sha256=" + s.hex[:63], "sha256=" + s.hex + "00",
		"sha256=" + strings.Repeat("z", 64), "sha256= " + s.hex, "SHA256=" + s.hex,
	} {
		if err := v.Verify([]byte(s.body), header); !errors.Is(err, ErrSignature) {
			t.Errorf("header %q: %v", header, err)
		}
	}
	const fox = "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8" // of "The quick brown fox jumps over the lazy dog" with key "key"
	for _, v := range []Verifier{{}, NewVerifier(), NewVerifier("", "")} {
		signed := fmt.Sprintf("sha256=%x", sum(nil, []byte(s.body)))
		if err := v.Verify([]byte(s.body), signed); !errors.Is(err, ErrSignature) {
			t.Errorf("accepted a signature without a secret")
		}
	}
	if err := NewVerifier("key").Verify([]byte("The quick brown fox jumps over the lazy dog"), fox); err != nil {
		t.Errorf("well-known vector: %v", err)
	}
}

func TestVerifierHidesSecrets(t *testing.T) {
	v := struct{ V Verifier }{NewVerifier("hush")}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if out := fmt.Sprintf(format, v); strings.Contains(out, "hush") || strings.Contains(out, "68757368") || strings.Contains(out, "104") {
			t.Errorf("%s prints %s", format, out)
		}
	}
}

func TestChallenge(t *testing.T) {
	good := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {"tok"}}
	if got, ok := Challenge(good, "tok"); !ok || got != "1158201444" {
		t.Errorf("got %q, %v", got, ok)
	}
	for name, q := range map[string]url.Values{
		"wrong token": {"hub.mode": {"subscribe"}, "hub.challenge": {"1"}, "hub.verify_token": {"no"}},
		"no token":    {"hub.mode": {"subscribe"}, "hub.challenge": {"1"}},
		"wrong mode":  {"hub.mode": {"unsubscribe"}, "hub.challenge": {"1"}, "hub.verify_token": {"tok"}},
		"nothing":     {},
	} {
		if got, ok := Challenge(q, "tok"); ok || got != "" {
			t.Errorf("%s: got %q, %v", name, got, ok)
		}
	}
	if _, ok := Challenge(url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {""}}, ""); ok {
		t.Error("an empty verify token matched")
	}
}

package link_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/link"
)

func keyed(key string) link.Links {
	return link.Links{Key: func(context.Context) (string, error) { return key, nil }}
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// claim names a message whose id has a phone number in it, as Meta's do.
var claim = link.Claim{Until: noon.Add(time.Hour).Unix(), Conversation: "100.01CONTACT001", Message: "MSG#1772452800000#wamid.34600111222"}

func token(t *testing.T, l link.Links, c link.Claim) string {
	t.Helper()
	made, err := l.To(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	out, ok := strings.CutPrefix(made, l.URL+"/m/")
	if !ok {
		t.Fatalf("the link is %s", made)
	}
	return out
}

func TestALinkSaysWhatItWasGiven(t *testing.T) {
	l := keyed("key")
	for _, c := range []link.Claim{claim, {Conversation: "100.g.G1", Message: "MSG#1#ñ\x00<>&"}, {}} {
		made := token(t, l, c)
		if got, ok, err := l.Read(t.Context(), made); err != nil || !ok || got.Until != c.Until || got.Conversation != c.Conversation || got.Message != c.Message {
			t.Errorf("%+v comes back as %+v, %v, %v", c, got, ok, err)
		}
		if again := token(t, l, c); again != made {
			t.Error("what is shown again has another link")
		}
		if strings.ContainsAny(made, "/+=#?&% ") {
			t.Errorf("%s isn't one segment of a path", made)
		}
	}
	l.URL = "https://example.com"
	if made, err := l.To(t.Context(), claim); err != nil || !strings.HasPrefix(made, "https://example.com/m/") {
		t.Errorf("%s, %v", made, err)
	}
}

// TestLinksThatWereGivenOut: a token that stands somewhere is read by every later release.
func TestLinksThatWereGivenOut(t *testing.T) {
	const old = "2NyDOZf9flxn3t-wM31TX_c8nG91WEKsOaIHXOUnATgS9AAHca6Ai6XXv8JjMMHsi1D1SB4km5fxK9aWoZbH29eVZMnSrmbS-bE2ywO-ZkSQJDpQoqkhgKwucj2Bz3V4FWJO"
	want := link.Claim{Until: 1772456400, Conversation: "100.01CONTACT001", Message: "MSG#1772452800000#wamid.1"}
	if got, ok, err := keyed("key-of-the-tests").Read(t.Context(), old); err != nil || !ok || got != want {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
}

func TestTheEndOfALink(t *testing.T) {
	for _, c := range []struct {
		until int64
		at    time.Time
		ended bool
	}{
		{noon.Unix(), noon.Add(-time.Second), false}, {noon.Unix(), noon, true}, {0, noon, false}, {0, noon.AddDate(100, 0, 0), false}, {-1, noon, true},
	} {
		if got := (link.Claim{Until: c.until}).Ended(c.at); got != c.ended {
			t.Errorf("%d at %s: %v", c.until, c.at, got)
		}
	}
}

// TestATokenHidesAndIsOurs: it says nothing to whoever has no key, and no bit of it can be changed.
func TestATokenHidesAndIsOurs(t *testing.T) {
	l := keyed("key")
	made := token(t, l, claim)
	raw, err := base64.RawURLEncoding.DecodeString(made)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"wamid", "34600111222", "100."} {
		if bytes.Contains(raw, []byte(private)) {
			t.Errorf("the token says %s", private)
		}
	}
	forged := []string{"", "x", "%00", made + "A", made[:len(made)-4], token(t, keyed("another"), claim), token(t, keyed(" key"), claim), strings.Repeat("A", 5000)}
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		forged = append(forged, base64.RawURLEncoding.EncodeToString(bad))
	}
	for _, bad := range forged {
		if c, ok, err := l.Read(t.Context(), bad); ok || err != nil || c != (link.Claim{}) {
			t.Errorf("%q: %+v, %v, %v", bad, c, ok, err)
		}
	}
}

func TestWithoutAKeyThereAreNoLinks(t *testing.T) {
	for name, l := range map[string]link.Links{
		"empty": keyed(""),
		"gone":  {Key: func(context.Context) (string, error) { return "", errors.New("no secret") }},
	} {
		_, err := l.To(t.Context(), claim)
		_, _, readErr := l.Read(t.Context(), "x")
		if chat.CodeOf(err) != chat.Unavailable || chat.CodeOf(readErr) != chat.Unavailable {
			t.Errorf("%s: %v, %v", name, err, readErr)
		}
	}
}

package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"threadline/shared/secret"
	"threadline/shared/whatsapp"
)

// The permissions that the token needs: messages and media; numbers, accounts and templates.
var metaScopes = []string{"whatsapp_business_messaging", "whatsapp_business_management"}

const newToken = "Make one that never expires: business.facebook.com > Settings > System users > Generate token. " +
	"Put it into the secret as access_token."

// graph returns a client that calls Meta with a token.
func (e *exam) graph(token string) *whatsapp.Client {
	return &whatsapp.Client{
		BaseURL: e.graphURL(),
		Version: e.stack.Parameters["GraphApiVersion"],
		Token:   func(context.Context) (string, error) { return token, nil },
		HTTP:    e.HTTP,
	}
}

func (e *exam) graphURL() string {
	return cmp.Or(e.GraphURL, e.stack.Parameters["GraphApiUrl"], whatsapp.DefaultBaseURL)
}

func (e *exam) checkToken(ctx context.Context) {
	t, err := e.graph(e.keys[secret.AccessToken]).DebugToken(ctx)
	if err != nil {
		if refused(err) {
			e.fail("Meta refuses the access token ("+metaReason(err)+")", newToken)
		} else {
			e.warn("Meta says nothing about the access token: "+metaReason(err), "Run this again in a few minutes.")
		}
		return
	}
	e.appID = t.AppID
	if !t.Valid {
		e.fail("The access token isn't valid any more", newToken)
		return
	}
	left := t.Expires.Sub(e.now())
	switch {
	case t.Kind != "SYSTEM_USER":
		e.warn(fmt.Sprintf("The access token is a person's or an app's (%s), %s", t.Kind, expiry(t.Expires)),
			"It can end without notice. "+newToken)
	case !t.Expires.IsZero() && left < 14*24*time.Hour:
		e.warn("The access token "+expiry(t.Expires), newToken)
	default:
		e.ok(fmt.Sprintf("System user's token of app %s, %s", t.AppID, expiry(t.Expires)))
	}
	missing := slices.DeleteFunc(slices.Clone(metaScopes), func(s string) bool { return slices.Contains(t.Scopes, s) })
	if len(missing) > 0 {
		e.fail("The access token lacks "+strings.Join(missing, " and "),
			"business.facebook.com > Settings > System users > Generate token: tick both "+strings.Join(metaScopes, " and ")+".")
		return
	}
	e.ok("It has both WhatsApp permissions")
}

func expiry(t time.Time) string {
	if t.IsZero() {
		return "never expires"
	}
	return "expires on " + t.UTC().Format(time.DateOnly)
}

// refused tells whether Meta doesn't accept a token.
func refused(err error) bool {
	var e *whatsapp.Error
	return errors.As(err, &e) && (e.HTTPStatus == http.StatusUnauthorized || e.Code == 190)
}

// metaReason describes an error of the Graph API.
func metaReason(err error) string {
	return strings.TrimPrefix(err.Error(), "whatsapp: ")
}

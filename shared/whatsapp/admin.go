package whatsapp

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// NumberInfo is the state of a business number. What the token may not see is
// empty.
// https://developers.facebook.com/docs/whatsapp/business-management-api/manage-phone-numbers
type NumberInfo struct {
	ID, Display, VerifiedName string
	Status                    string // "CONNECTED" where it can send
	Quality                   string // "GREEN", "YELLOW", "RED", "UNKNOWN"
	NameStatus                string
	CodeVerification          string // ownership of the number, no mark of the brand
	AccountMode               string // "LIVE" or "SANDBOX"
	Throughput                string // "STANDARD" or "HIGH"
	MessagingLimit            string // such as "TIER_2K"
	CanSend                   string // health_status: "AVAILABLE", "LIMITED", "BLOCKED"
	// Callback addresses; the number's comes before the account's, that before
	// the app's.
	CallbackNumber, CallbackAccount, CallbackApp string
}

const (
	numberFields = "id,display_phone_number,verified_name,status,quality_rating,code_verification_status"
	gatedFields  = "name_status,account_mode,throughput,whatsapp_business_manager_messaging_limit,health_status,webhook_configuration"
)

// Number reads the state of a business number by its phone_number_id. Where
// Meta refuses the fields that not everybody may see, it asks without them.
func (c *Client) Number(ctx context.Context, id string) (NumberInfo, error) {
	f, err := c.get(ctx, url.Values{"fields": {numberFields + "," + gatedFields}}, id)
	var refused *Error
	if errors.As(err, &refused) && refused.object && (refused.Code == 100 || refused.Code == 10) {
		f, err = c.get(ctx, url.Values{"fields": {numberFields}}, id)
	}
	if err != nil {
		return NumberInfo{}, err
	}
	callback := f.object("webhook_configuration")
	return NumberInfo{
		ID: f.text("id"), Display: f.text("display_phone_number"), VerifiedName: f.text("verified_name"),
		Status: f.text("status"), Quality: f.text("quality_rating"), NameStatus: f.text("name_status"),
		CodeVerification: f.text("code_verification_status"), AccountMode: f.text("account_mode"),
		Throughput: f.object("throughput").text("level"), CanSend: f.object("health_status").text("can_send_message"),
		MessagingLimit:  f.text("whatsapp_business_manager_messaging_limit"),
		CallbackNumber:  callback.text("phone_number"),
		CallbackAccount: callback.text("whatsapp_business_account"),
		CallbackApp:     callback.text("application"),
	}, nil
}

// SubscribedApp is an app that gets the webhooks of a business account.
type SubscribedApp struct {
	ID, Name string
	Callback string // override_callback_uri, where the account has one for this app
}

// SubscribedApps lists the apps that get the webhooks of a business account.
// Without ours among them no webhook comes.
func (c *Client) SubscribedApps(ctx context.Context, waba string) ([]SubscribedApp, error) {
	f, err := c.get(ctx, nil, waba, "subscribed_apps")
	if err != nil {
		return nil, err
	}
	var all []SubscribedApp
	for _, o := range f.objects("data") {
		app := o.object("whatsapp_business_api_data")
		all = append(all, SubscribedApp{ID: app.text("id"), Name: app.text("name"), Callback: o.text("override_callback_uri")})
	}
	return all, nil
}

// Subscription is what an app is told, and where.
type Subscription struct {
	Object   string // "whatsapp_business_account" is ours
	Callback string
	Active   bool
	Fields   []string
}

// Subscriptions lists an app's webhook subscriptions. Meta wants an app token
// for it: Token must return "<app id>|<app secret>".
// https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/
func (c *Client) Subscriptions(ctx context.Context, appID string) ([]Subscription, error) {
	f, err := c.get(ctx, nil, appID, "subscriptions")
	if err != nil {
		return nil, err
	}
	var all []Subscription
	for _, o := range f.objects("data") {
		s := Subscription{Object: o.text("object"), Callback: o.text("callback_url"), Active: o.flag("active")}
		for _, field := range o.objects("fields") {
			s.Fields = append(s.Fields, field.text("name"))
		}
		all = append(all, s)
	}
	return all, nil
}

// TokenInfo describes an access token.
type TokenInfo struct {
	Kind    string // "SYSTEM_USER", "USER", "APP", …
	AppID   string
	App     string
	Valid   bool
	Expires time.Time // zero where it doesn't
	Scopes  []string
}

// DebugToken asks Meta about the client's own token.
// https://developers.facebook.com/docs/graph-api/reference/debug_token/
func (c *Client) DebugToken(ctx context.Context) (TokenInfo, error) {
	token, err := c.token(ctx)
	if err != nil {
		return TokenInfo{}, err
	}
	f, err := c.get(ctx, url.Values{"input_token": {token}}, "debug_token")
	if err != nil {
		return TokenInfo{}, err
	}
	f = f.object("data")
	return TokenInfo{
		Kind: f.text("type"), AppID: f.text("app_id"), App: f.text("application"),
		Valid: f.flag("is_valid"), Expires: f.time("expires_at"), Scopes: f.texts("scopes"),
	}, nil
}

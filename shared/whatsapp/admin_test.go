package whatsapp

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Ensure that fields which the token may not see don't hide the others.
func TestNumber(t *testing.T) {
	const open = `"id":"106","display_phone_number":"+1 555","verified_name":"Shop","status":"CONNECTED","quality_rating":"GREEN","code_verification_status":"VERIFIED"`
	want := NumberInfo{ID: "106", Display: "+1 555", VerifiedName: "Shop", Status: "CONNECTED", Quality: "GREEN", CodeVerification: "VERIFIED"}
	c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.FormValue("fields"), "health_status") {
			answer(400, `{"error":{"code":100}}`)(w, r)
			return
		}
		answer(200, `{`+open+`}`)(w, r)
	})
	if got, err := c.Number(t.Context(), "106"); err != nil || got != want {
		t.Errorf("without gated fields: %+v, %v", got, err)
	}
	c, _ = graph(t, answer(200, `{`+open+`,"throughput":{"level":"HIGH"},"health_status":{"can_send_message":"LIMITED"},
		"webhook_configuration":{"phone_number":"https://p","whatsapp_business_account":"https://w","application":"https://a"}}`))
	want.Throughput, want.CanSend = "HIGH", "LIMITED"
	want.CallbackNumber, want.CallbackAccount, want.CallbackApp = "https://p", "https://w", "https://a"
	if got, err := c.Number(t.Context(), "106"); err != nil || got != want {
		t.Errorf("with gated fields: %+v, %v", got, err)
	}
	c, _ = graph(t, answer(401, `{"error":{"code":190}}`))
	if _, err := c.Number(t.Context(), "106"); ClassOf(err) != ClassAccount {
		t.Errorf("expired token: %v", err)
	}
}

func TestSubscriptions(t *testing.T) {
	c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v26.0/W/subscribed_apps":
			answer(200, `{"data":[{"whatsapp_business_api_data":{"id":"1","name":"App"},"override_callback_uri":"https://o"}]}`)(w, r)
		case "/v26.0/1/subscriptions":
			answer(200, `{"data":[{"object":"whatsapp_business_account","callback_url":"https://c","active":true,"fields":[{"name":"messages","version":"v26.0"}]}]}`)(w, r)
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	})
	apps, err := c.SubscribedApps(t.Context(), "W")
	if want := []SubscribedApp{{"1", "App", "https://o"}}; err != nil || !reflect.DeepEqual(apps, want) {
		t.Errorf("apps %+v, %v", apps, err)
	}
	subs, err := c.Subscriptions(t.Context(), "1")
	if want := []Subscription{{"whatsapp_business_account", "https://c", true, []string{"messages"}}}; err != nil || !reflect.DeepEqual(subs, want) {
		t.Errorf("subscriptions %+v, %v", subs, err)
	}
}

func TestDebugToken(t *testing.T) {
	c, srv := graph(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v26.0/debug_token" || r.FormValue("input_token") != secretToken {
			t.Errorf("asked for %s", r.URL)
		}
		answer(200, `{"data":{"app_id":"1","type":"SYSTEM_USER","application":"App","is_valid":true,"expires_at":1790000000,"scopes":["whatsapp_business_messaging"]}}`)(w, r)
	})
	got, err := c.DebugToken(t.Context())
	want := TokenInfo{"SYSTEM_USER", "1", "App", true, time.Unix(1790000000, 0).UTC(), []string{"whatsapp_business_messaging"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	srv.Close() // the token is in the URL of a request that now fails
	_, err = c.DebugToken(t.Context())
	tellsNothing(t, err)
}

func TestTemplates(t *testing.T) {
	c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v26.0/W/message_templates" || r.FormValue("name") != "sale" {
			t.Errorf("asked for %s", r.URL)
		}
		answer(200, `{"data":[{"name":"sale","language":"en","category":"MARKETING","status":"APPROVED"},{"name":"sale_2"}]}`)(w, r)
	})
	got, err := c.Templates(t.Context(), "W", "sale")
	if want := []TemplateInfo{{Name: "sale", Language: "en", Category: "MARKETING", Status: "APPROVED"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Ensure that every page is read, once, and that an endless list ends.
func TestListTemplates(t *testing.T) {
	pages := map[string]string{
		"": `{"data":[{"id":"1","name":"a","language":"en","category":"UTILITY","status":"APPROVED","parameter_format":"NAMED",
			"quality_score":{"score":"GREEN"},"components":[{"type":"BODY","text":"x"}]}],"paging":{"cursors":{"after":"B"},"next":"https://x.test/?token=1"}}`,
		"B": `{"data":[{"name":"b"},7],"paging":{"cursors":{"after":"C"},"next":"https://x.test"}}`,
		"C": `{"data":[{"name":"c"}],"paging":{"cursors":{"after":"D"}}}`,
	}
	var asked []string
	c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
		after := r.FormValue("after")
		asked = append(asked, after)
		if r.URL.Path != "/v26.0/W/message_templates" || !strings.Contains(r.FormValue("fields"), "components") {
			t.Errorf("asked for %s", r.URL)
		}
		answer(200, pages[after])(w, r)
	})
	got, err := c.ListTemplates(t.Context(), "W")
	want := []TemplateInfo{{
		ID: "1", Name: "a", Language: "en", Category: "UTILITY", Status: "APPROVED", Quality: "GREEN", Format: "NAMED",
		Components: []byte(`[{"type":"BODY","text":"x"}]`),
	}, {Name: "b"}, {Name: "c"}}
	if err != nil || !reflect.DeepEqual(got, want) || !slices.Equal(asked, []string{"", "B", "C"}) {
		t.Errorf("got %+v, %v; asked for %q", got, err, asked)
	}

	c, _ = graph(t, answer(200, `{"data":[{"name":"a"}],"paging":{"cursors":{"after":"A"},"next":"https://x.test"}}`))
	if got, err := c.ListTemplates(t.Context(), "W"); err != nil || len(got) != 2 {
		t.Errorf("the same page for ever: %+v, %v", got, err)
	}
	c, _ = graph(t, func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("after") != "" {
			answer(400, `{"error":{"code":131059}}`)(w, r)
			return
		}
		answer(200, pages[""])(w, r)
	})
	if got, err := c.ListTemplates(t.Context(), "W"); err == nil || got != nil {
		t.Errorf("half a list passed for the whole: %+v, %v", got, err)
	}
}

package meta

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestNothingWithoutTheToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, bearer := range []string{"", "Bearer wrong", "Bearer " + AppID + "|wrong"} {
		for _, c := range []struct{ method, path string }{{"POST", "/v26.0/" + DefaultNumber + "/messages"},
			{"GET", "/v26.0/" + DefaultNumber}, {"GET", "/v26.0/debug_token"}, {"POST", "/v26.0/" + DefaultNumber + "/media"}} {
			req := httptest.NewRequest(c.method, c.path, nil)
			req.Header.Set("Authorization", bearer)
			w := httptest.NewRecorder()
			r.Graph().ServeHTTP(w, req)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%s %s with %q: %d, want 401", c.method, c.path, bearer, w.Code)
			}
		}
	}
}

func TestPathsAndVersions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path, code := range map[string]int{"/v26.0/1/2/3/4": 2500, "/x/" + DefaultNumber: 2500, "/v26.0/999": 100, "/v24.0/" + DefaultNumber: 0} {
		if _, got := r.refused(r.call("GET", path, "", nil)); got != code {
			t.Errorf("%s: code %d, want %d", path, got, code)
		}
	}
}

// What an operator's check asks Meta.
func TestAccountQuestions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, number := r.get(DefaultNumber + "?fields=status,quality_rating,display_phone_number")
	if len(number) != 4 || number["status"] != "CONNECTED" || number["id"] != DefaultNumber || number["display_phone_number"] != "15550100001" {
		t.Errorf("number = %v", number)
	}
	if _, code := r.refused(r.get(DefaultNumber + "?fields=nonsense")); code != 100 {
		t.Errorf("unknown field: code %d, want 100", code)
	}
	_, out := r.get("debug_token?input_token=" + token)
	if data := out["data"].(map[string]any); data["is_valid"] != true || data["app_id"] != AppID || len(data["scopes"].([]any)) != 2 {
		t.Errorf("token = %v", data)
	}
	_, out = r.get("debug_token?input_token=other")
	if data := out["data"].(map[string]any); data["is_valid"] != false {
		t.Errorf("wrong token = %v", data)
	}
	_, out = r.get(AccountID + "/subscribed_apps")
	app := out["data"].([]any)[0].(map[string]any)["whatsapp_business_api_data"].(map[string]any)
	if app["id"] != AppID {
		t.Errorf("subscribed app = %v", app)
	}
	_, out = r.get(AppID + "/subscriptions?access_token=" + url.QueryEscape(AppID+"|"+secret))
	if sub := out["data"].([]any)[0].(map[string]any); sub["callback_url"] != r.opts.WebhookURL {
		t.Errorf("subscription = %v", sub)
	}
	_, out = r.get(AccountID + "/phone_numbers")
	if list := out["data"].([]any); len(list) != 1 {
		t.Errorf("numbers = %v", list)
	}
}

func TestTemplatesAreListedPageByPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var names []string
	for path := AccountID + "/message_templates?limit=3"; path != ""; {
		_, out := r.get(path)
		for _, v := range out["data"].([]any) {
			tmpl := v.(map[string]any)
			names = append(names, tmpl["name"].(string)+" "+tmpl["language"].(string))
		}
		path = ""
		if next, ok := out["paging"].(map[string]any)["next"].(string); ok {
			u, err := url.Parse(next)
			if err != nil {
				t.Fatal(err)
			}
			path = AccountID + "/message_templates?" + u.RawQuery
		}
	}
	if len(names) != len(templates()) {
		t.Errorf("templates = %v", names)
	}
	_, out := r.get(AccountID + "/message_templates?name=order_update")
	if list := out["data"].([]any); len(list) != 2 {
		t.Errorf("by name: %v", list)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {AppSecret: "s", AccessToken: "t", WebhookURL: "/webhook", BaseURL: "http://127.0.0.1"}} {
		if s, err := New(o); err == nil {
			s.Close()
			t.Errorf("%+v is taken", o)
		}
	}
}

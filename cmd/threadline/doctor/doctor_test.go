package doctor

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"go.yaml.in/yaml/v3"

	"threadline/infra/local/hubspot"
	"threadline/shared/store"
)

const validToken = `{"data":{"type":"SYSTEM_USER","app_id":"900","is_valid":true,"expires_at":0,"scopes":["whatsapp_business_messaging","whatsapp_business_management"]}}`

// tokenUntil is a token that ends d from now.
func tokenUntil(d time.Duration) string {
	return strings.Replace(validToken, `"expires_at":0`, fmt.Sprintf(`"expires_at":%d`, now.Add(d).Unix()), 1)
}

func TestAllIsWell(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for _, f := range w.findings(t) {
		seen[f.Check] = true
		if f.Level != OK || len(f.Do) > 0 {
			t.Errorf("%s: %s %q %q", f.Check, f.Level, f.Found, f.Do)
		}
	}
	for _, c := range checks {
		if !seen[c.name] {
			t.Errorf("%s found nothing", c.name)
		}
	}
}

// TestEachProblem breaks one thing at a time. The check that is meant must notice, say it in these words, and say what
// to do in those.
func TestEachProblem(t *testing.T) {
	type problem struct {
		name      string
		spoil     func(*world)
		check     string
		level     Level
		found, do string
	}
	graph := func(path, answer string) func(*world) { return func(w *world) { w.graph[path] = answer } }
	deny := func(what string, code string) func(*world) {
		return func(w *world) { w.denied[what] = refusal(code, "") }
	}
	for _, p := range []problem{
		{"credentials", deny("sts", "ExpiredToken"), "credentials", Fail, "ExpiredToken", "aws sso login"},
		{"new account", func(w *world) { w.concurrency = 10 }, "concurrency", Warn, "10 functions at once", "L-B99A9384"},
		{"limits hidden", deny("settings", "AccessDeniedException"), "concurrency", Warn, "AccessDenied", "lambda:GetAccountSettings"},
		{"no stack", func(w *world) { w.denied["stack"] = refusal("ValidationError", "Stack with id x does not exist") }, "stack", Fail, "no stack threadline in eu-west-1", "--stack"},
		{"stack hidden", deny("stack", "AccessDenied"), "stack", Fail, "AccessDenied", "cloudformation:DescribeStacks"},
		{"rolled back", func(w *world) { w.status = "UPDATE_ROLLBACK_COMPLETE" }, "stack", Warn, "taken back", "describe-stack-events"},
		{"deploying", func(w *world) { w.status = "UPDATE_IN_PROGRESS" }, "stack", Warn, "being deployed", "again"},
		{"stack failed", func(w *world) { w.status = "ROLLBACK_COMPLETE" }, "stack", Fail, "ROLLBACK_COMPLETE", "describe-stack-events"},
		{"function failed", func(w *world) { w.functionState = lambdatypes.StateFailed }, "functions", Fail, "SubnetOutOfIPAddresses", "sam deploy"},
		{"function pending", func(w *world) { w.functionState = lambdatypes.StatePending }, "functions", Warn, "being updated", "minute"},
		{"source off", func(w *world) { w.sourceState["RouterFunctionQueue"] = "Disabled" }, "event sources", Fail, "Router doesn't read its queue", "--enabled --uuid RouterFunctionQueue"},
		{"second source off", func(w *world) { w.sourceState["RouterFunctionBulk"] = "Disabled" }, "event sources", Fail, "Router doesn't read the bulk queue", "--enabled --uuid RouterFunctionBulk"},
		{"source starting", func(w *world) { w.sourceState["RouterFunctionQueue"] = "Enabling" }, "event sources", Warn, "Enabling", "minute"},
		{"parked", func(w *world) { w.parked = "3" }, "dead letters", Fail, "3 messages are parked in the dead-letter queue of crm", "docs/runbook.md#crm-dead"},
		{"parked, the way out", func(w *world) { w.parked = "1" }, "dead letters", Fail, "1 message is parked", "threadline redrive --stack threadline --region eu-west-1 crm"},
		{"mail unconfirmed", func(w *world) { w.subscription[0].SubscriptionArn = ptr("PendingConfirmation") }, "alarm mail", Warn, "ops@example.com hasn't confirmed", "Subscription Confirmation"},
		{"mail cancelled", func(w *world) { w.subscription[0].SubscriptionArn = ptr("Deleted") }, "alarm mail", Warn, "unsubscribed", "topic"},
		{"nobody mailed", func(w *world) { w.subscription = []snstypes.Subscription{} }, "alarm mail", Warn, "Nobody", "topic"},
		{"key missing", func(w *world) { w.secret["app_secret"] = "" }, "secret", Fail, "lacks 1 key", "App settings > Basic"},
		{"secret hidden", deny("secret", "AccessDeniedException"), "secret", Fail, "AccessDenied", "secretsmanager:GetSecretValue"},

		{"token dead", graph("debug_token", `{"data":{"is_valid":false}}`), "token", Fail, "isn't valid any more", "System users"},
		{"token refused", func(w *world) { w.refuseGraph = `{"error":{"code":190}}` }, "token", Fail, "refuses the access token", "System users"},
		{"token of a person", graph("debug_token", strings.Replace(validToken, "SYSTEM_USER", "USER", 1)), "token", Warn, "(USER)", "System users"},
		{"token ends", graph("debug_token", tokenUntil(72*time.Hour)), "token", Warn, "expires on 2026-11-23", "System users"},
		{"token lacks", graph("debug_token", strings.Replace(validToken, `"whatsapp_business_messaging",`, "", 1)), "token", Fail, "lacks whatsapp_business_messaging", "tick both"},
		{"no number", func(w *world) { delete(w.graph, "111") }, "numbers", Fail, "no phone number with ID 111", "Phone number ID"},
		{"number pending", graph("111", number(`{"status":"PENDING"}`)), "numbers", Fail, "PENDING", "register"},
		{"number banned", graph("111", number(`{"status":"BANNED"}`)), "numbers", Fail, "BANNED", "can't send while it is BANNED"},
		{"number red", graph("111", number(`{"quality_rating":"RED"}`)), "numbers", Warn, "quality RED", "block or report"},
		{"number declined", graph("111", number(`{"name_status":"DECLINED"}`)), "numbers", Warn, "Lucky", "declined the display name"},
		{"number unverified", graph("111", number(`{"code_verification_status":"NOT_VERIFIED"}`)), "numbers", Warn, "Lucky", "ownership"},
		{"test number", graph("111", number(`{"account_mode":"SANDBOX"}`)), "numbers", Warn, "Lucky", "test number"},
		{"number blocked", graph("111", number(`{"health_status":{"can_send_message":"BLOCKED","entities":[{"entity_type":"WABA","id":"555",
			"errors":[{"error_description":"No payment method.","possible_solution":"Add a card."}]}]}}`)), "numbers", Fail, "Lucky", "Meta says: No payment method. Add a card."},
		{"override", graph("111", number(`{"webhook_configuration":{"phone_number":"https://old.example.com/hook"}}`)), "numbers", Fail, "https://old.example.com/hook", "Remove it"},
		{"not subscribed", graph("555/subscribed_apps", `{"data":[{"whatsapp_business_api_data":{"id":"901"}}]}`), "subscribed app", Fail, "no message arrives", "/555/subscribed_apps"},
		{"account elsewhere", graph("555/subscribed_apps", `{"data":[{"whatsapp_business_api_data":{"id":"900"},"override_callback_uri":"https://old.example.com"}]}`), "subscribed app", Fail, "calls https://old.example.com", "Remove it"},
		{"account hidden", func(w *world) { delete(w.graph, "555/subscribed_apps") }, "subscribed app", Warn, "can't be read", "Assign assets"},
		{"account unknown", graph("111", number(`{"health_status":null}`)), "subscribed app", Warn, "isn't known yet", "from a phone"},
		{"wrong app secret", func(w *world) { w.secret["app_secret"] = "another" }, "subscription", Fail, "isn't that of app 900", "/apps/900/settings/basic"},
		{"no webhook", graph("900/subscriptions", `{"data":[]}`), "subscription", Fail, "has no webhook", "Configuration"},
		{"callback elsewhere", func(w *world) { w.graph["900/subscriptions"] = w.subscriptions("https://old.example.com", "messages") }, "subscription", Fail, "calls https://old.example.com", "set the callback URL to http://127.0.0.1"},
		{"messages untold", func(w *world) {
			w.graph["900/subscriptions"] = w.subscriptions(w.outputs["WebhookUrl"], accountFields...)
		}, "subscription", Fail, "isn't told of messages", "subscribe messages"},
		{"account untold", func(w *world) { w.graph["900/subscriptions"] = w.subscriptions(w.outputs["WebhookUrl"], "messages") }, "subscription", Warn, "not of all", "account_alerts"},
		{"webhook off", func(w *world) {
			w.graph["900/subscriptions"] = strings.Replace(w.graph["900/subscriptions"], `"active":true`, `"active":false`, 1)
		}, "subscription", Fail, "switched off", "verify and save"},
		{"webhook gone", func(w *world) { w.outputs["WebhookUrl"] = "http://127.0.0.1:1/webhook" }, "webhook", Fail, "can't be reached", "WebhookUrl"},
		{"webhook forgetful", func(w *world) { w.secret["verify_token"] = "changed" }, "webhook", Fail, "doesn't know the verify token", "every five"},
		{"webhook broken", func(w *world) { w.webhook = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) } }, "webhook", Fail, "answers 500", "aws logs tail /aws/lambda/threadline-webhook"},
		{"webhook of anybody", func(w *world) {
			w.webhook = func(rw http.ResponseWriter, r *http.Request) { _, _ = rw.Write([]byte(r.FormValue("hub.challenge"))) }
		}, "webhook", Fail, "200 to a wrong verify token", "403"},
		{"nobody wrote", func(w *world) { w.conversations = []store.Listed{} }, "last message", Warn, "No customer's message", "from a phone"},
		{"table hidden", deny("table", "AccessDeniedException"), "last message", Warn, "AccessDenied", "dynamodb:Query"},

		{"crm token missing", func(w *world) { w.secret["hubspot_token"] = "" }, "crm", Fail, "HubSpot can't be used: the secret has no hubspot_token", "Service keys"},
		{"crm token refused", func(w *world) { w.secret["hubspot_token"] = "old" }, "crm", Fail, "HubSpot refuses the key (401", "Service keys. Put it into the secret as hubspot_token"},
		{"crm scopes", func(w *world) { w.hubspot.Grant("crm.objects.contacts.read", "crm.schemas.contacts.read") }, "crm", Fail,
			"forbids what we need: crm.objects.contacts.write, crm.schemas.contacts.write, files", "edit the key's scopes. What waits for it goes on by itself."},
		{"crm property", func(w *world) { w.hubspot.Grant("crm.schemas.contacts.read") }, "crm", Fail,
			"threadline_id of contacts is missing and can't be made", "crm.schemas.contacts.write"},
		{"crm down", func(w *world) { w.hubspot.Fail(time.Now().Add(time.Hour)) }, "crm", Warn, "answers 500", "wait"},
		{"crm busy", func(w *world) { w.hubspot.Limit(hubspot.Daily, time.Now().Add(time.Hour)) }, "crm", Warn, "answers 429", "wait"},
		{"crm gone", func(w *world) { w.environment["HUBSPOT_API_URL"] = "http://127.0.0.1:1" }, "crm", Warn, "can't be reached", "HubSpotApiUrl"},
		{"crm hidden", deny("function", "AccessDeniedException"), "crm", Warn, "AccessDenied", "lambda:GetFunctionConfiguration"},
		{"crm left alone", func(w *world) {
			w.gate = store.Gate{Failures: 7, Until: now.Add(10 * time.Minute), Why: "find contact: status 503"}
		}, "crm", Warn, "Entries for HubSpot wait until 12:10:00 UTC, after 7 failures in a row", "find contact: status 503\ndocs/runbook.md#crm-late"},
		{"crm unknown", func(w *world) { w.parameters["CrmConnector"] = "hubspot,sap" }, "crm", Fail, `no connector "sap"`, "sam deploy"},
	} {
		t.Run(p.name, func(t *testing.T) {
			w := newWorld(t)
			p.spoil(w)
			all := w.findings(t)
			for _, f := range all {
				if f.Check == p.check && f.Level == p.level && strings.Contains(f.Found, p.found) && strings.Contains(strings.Join(f.Do, "\n"), p.do) {
					return
				}
			}
			t.Errorf("no %s of %s with %q and %q in:\n%s", p.level, p.check, p.found, p.do, text(all))
		})
	}
}

func TestWithoutCRM(t *testing.T) {
	w := newWorld(t)
	w.parameters["CrmConnector"] = "none"
	w.secret["hubspot_token"] = ""
	w.sourceState["CRMSyncFunctionQueue"] = "Disabled"
	for _, f := range w.findings(t) {
		if f.Level != OK {
			t.Errorf("%s: %s %q", f.Check, f.Level, f.Found)
		}
	}
}

// TestOneFailureStopsNoOther hangs the first check: it ends in time, and the rest is examined where it can be.
func TestOneFailureStopsNoOther(t *testing.T) {
	w := newWorld(t)
	w.denied["sts"] = context.DeadlineExceeded
	w.doctor.Limit = 50 * time.Millisecond
	out := text(w.findings(t))
	if !strings.Contains(out, "no answer in time") {
		t.Errorf("the hanging check isn't reported:\n%s", out)
	}
	w = newWorld(t)
	for _, action := range []string{"settings", "source", "queue", "topic", "table"} {
		w.denied[action] = refusal("AccessDenied", "")
	}
	out = text(w.findings(t))
	for _, still := range []string{"System user's token", "Our webhook answers Meta's question", "HubSpot lets us in"} {
		if !strings.Contains(out, still) {
			t.Errorf("%q is missing:\n%s", still, out)
		}
	}
}

// TestNothingIsChanged asks HubSpot what the check left behind.
func TestNothingIsChanged(t *testing.T) {
	w := newWorld(t)
	w.findings(t)
	for _, path := range []string{"/crm/objects/2026-03/contacts", "/crm/v3/properties/contacts/threadline_id"} {
		_, body, err := (&exam{Doctor: w.doctor, keys: w.secret}).hubspot(t.Context(), w.environment["HUBSPOT_API_URL"], path)
		if err != nil {
			t.Fatal(err)
		}
		if answer := string(body); !strings.Contains(answer, `"results":[]`) && !strings.Contains(answer, "OBJECT_NOT_FOUND") {
			t.Errorf("%s: %s", path, answer)
		}
	}
}

func TestWhatCannotBeCheckedIsSaid(t *testing.T) {
	w := newWorld(t)
	w.denied["stack"] = refusal("AccessDenied", "")
	out := text(w.findings(t))
	for _, section := range []string{"functions, event sources, dead letters, alarm mail, secret", "token, numbers", "Not checked: crm"} {
		if !strings.Contains(out, section) {
			t.Errorf("%q is missing:\n%s", section, out)
		}
	}
}

func TestEmulatorHasNoAccount(t *testing.T) {
	w := newWorld(t)
	w.doctor.Emulated = true
	w.concurrency = 0
	w.sourceState["RouterFunctionQueue"] = "Disabled"
	w.subscription[0].SubscriptionArn = ptr("PendingConfirmation")
	for _, f := range w.findings(t) {
		if f.Level != OK {
			t.Errorf("%s: %s %q", f.Check, f.Level, f.Found)
		}
	}
}

func TestNoTokenIsPrinted(t *testing.T) {
	spoils := []func(*world){
		func(*world) {},
		func(w *world) { w.outputs["WebhookUrl"] = "http://127.0.0.1:1/webhook" },
		func(w *world) {
			w.environment["HUBSPOT_API_URL"], w.parameters["GraphApiUrl"] = "http://127.0.0.1:1", "http://127.0.0.1:1"
		},
		func(w *world) { w.refuseGraph = `{"error":{"code":190,"message":"` + accessToken + `"}}` },
	}
	for _, spoil := range spoils {
		w := newWorld(t)
		spoil(w)
		out := text(w.findings(t))
		for _, secret := range w.secret {
			if strings.Contains(out, secret) {
				t.Errorf("%q is printed:\n%s", secret, out)
			}
		}
	}
}

func TestVerifyTokenIsPrintedWhenAskedFor(t *testing.T) {
	w := newWorld(t)
	w.doctor.ShowVerifyToken = true
	if out := text(w.findings(t)); !strings.Contains(out, verifyToken) {
		t.Errorf("it isn't:\n%s", out)
	}
}

// TestTemplateHasWhatIsRead fails when the template renames what the doctor looks for.
func TestTemplateHasWhatIsRead(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Parameters map[string]yaml.Node `yaml:"Parameters"`
		Outputs    map[string]yaml.Node `yaml:"Outputs"`
		Resources  map[string]yaml.Node `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(raw, &template); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	for name := range w.outputs {
		if _, there := template.Outputs[name]; !there {
			t.Errorf("the template has no output %s", name)
		}
	}
	// Its environment is read, and its event source is CRMSyncFunctionQueue, which is off without a CRM.
	if _, there := template.Resources["CRMSyncFunction"]; !there {
		t.Error("the template has no CRMSyncFunction")
	}
	for name := range w.parameters {
		if _, there := template.Parameters[name]; !there {
			t.Errorf("the template has no parameter %s", name)
		}
	}
}

func text(all []Finding) string {
	var b strings.Builder
	p := Printer{Out: &b}
	for _, f := range all {
		p.Print(f)
	}
	p.Sum()
	return b.String()
}

func ptr(s string) *string { return &s }

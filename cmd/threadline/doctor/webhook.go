package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"threadline/shared/secret"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// accountFields are the webhook fields, besides messages, that tell what may keep a number, or a customer's own
// wish, from being written to.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference
var accountFields = []string{
	"account_alerts", "account_review_update", "account_update", "business_capability_update",
	"message_template_quality_update", "message_template_status_update", "phone_number_name_update",
	"phone_number_quality_update", "security", "template_category_update", "user_preferences",
}

// overrides is the page about addresses that go before the app's.
const overrides = "https://developers.facebook.com/docs/whatsapp/embedded-signup/webhooks/override"

// webhookURL is where Meta should call.
func (e *exam) webhookURL() string { return cmp.Or(e.WebhookURL, e.stack.Outputs["WebhookUrl"]) }

func (e *exam) checkSubscribedApps(ctx context.Context) {
	if len(e.accounts) == 0 {
		e.warn("Which WhatsApp account the numbers belong to isn't known yet",
			"Write to one of them from a phone, then run this again.")
		return
	}
	for _, account := range e.accounts {
		apps, err := e.graph(e.keys[secret.AccessToken]).SubscribedApps(ctx, account)
		if err != nil {
			e.warn("The apps of WhatsApp account "+account+" can't be read: "+metaReason(err),
				"Give the system user this account: business.facebook.com > Settings > System users > Assign assets.")
			continue
		}
		ours := slices.IndexFunc(apps, func(a whatsapp.SubscribedApp) bool { return a.ID == e.appID || e.appID == "" })
		switch {
		case ours < 0:
			e.fail("WhatsApp account "+account+" doesn't call the app: no message arrives", "Subscribe it, once, with your token:",
				fmt.Sprintf("curl -X POST %s/%s/%s/subscribed_apps -H 'Authorization: Bearer …'",
					e.graphURL(), cmp.Or(e.stack.Parameters["GraphApiVersion"], whatsapp.DefaultVersion), account))
		case apps[ours].Callback != "" && apps[ours].Callback != e.webhookURL():
			e.fail("WhatsApp account "+account+" calls "+apps[ours].Callback,
				"It has an address of its own. Remove it, or set it to "+e.webhookURL()+":", overrides)
		default:
			e.ok("WhatsApp account " + account + " calls the app")
		}
	}
}

func (e *exam) checkSubscription(ctx context.Context) {
	if e.appID == "" {
		e.warn("Which Meta app it is isn't known", "Mend the access token, then run this again.")
		return
	}
	page := "https://developers.facebook.com/apps/" + e.appID
	all, err := e.graph(e.appID+"|"+e.keys[secret.AppSecret]).Subscriptions(ctx, e.appID)
	if err != nil {
		var refusal *whatsapp.Error
		if errors.As(err, &refusal) && (refused(err) || refusal.Code == 1 || refusal.Code == 101) {
			e.fail("The app secret isn't that of app "+e.appID+": every webhook is refused",
				"Copy it from "+page+"/settings/basic (App secret > Show) into the secret as app_secret.")
			return
		}
		e.warn("The app's webhook settings can't be read: "+metaReason(err), "Run this again in a few minutes.")
		return
	}
	config := page + "/whatsapp-business/wa-settings/"
	i := slices.IndexFunc(all, func(s whatsapp.Subscription) bool { return s.Object == "whatsapp_business_account" })
	if i < 0 {
		e.fail("The app has no webhook", "Meta app > WhatsApp > Configuration: callback URL "+e.webhookURL()+
			", and the verify token (--show-verify-token). "+config)
		return
	}
	e.judgeSubscription(all[i], config)
}

// judgeSubscription looks at where the app calls and what it tells.
func (e *exam) judgeSubscription(s whatsapp.Subscription, page string) {
	if s.Callback != e.webhookURL() {
		e.fail("The app calls "+s.Callback,
			"Meta app > WhatsApp > Configuration: set the callback URL to "+e.webhookURL()+". "+page,
			"Is that a domain of yours in front of this stack? Then name it with --webhook.")
	} else {
		e.ok("The app calls " + s.Callback)
	}
	missing := slices.DeleteFunc(slices.Clone(accountFields), func(f string) bool { return slices.Contains(s.Fields, f) })
	switch {
	case !s.Active:
		e.fail("The app's webhook is switched off", "Meta app > WhatsApp > Configuration: verify and save it again. "+page)
	case !slices.Contains(s.Fields, "messages"):
		e.fail("The app isn't told of messages", "Meta app > WhatsApp > Configuration > Webhook fields: subscribe messages. "+page)
	case len(missing) > 0:
		e.warn("The app is told of messages, but not of all that happens to the account",
			"Worth having (same page, Webhook fields): "+strings.Join(missing, ", ")+". "+page)
	default:
		e.ok("The app is told of messages and of what happens to the account")
	}
}

// checkWebhook asks our own webhook what Meta asks it, once with the right word and once with a wrong one.
func (e *exam) checkWebhook(ctx context.Context) {
	challenge := rand.Text()
	status, answer, err := e.ask(ctx, e.keys[secret.VerifyToken], challenge)
	switch {
	case err != nil:
		e.fail("Our webhook can't be reached: "+networkReason(err),
			"Is "+e.webhookURL()+" the address? The stack's output WebhookUrl has it.")
		return
	case status == http.StatusForbidden:
		e.fail("Our webhook doesn't know the verify token",
			"Was it changed within the last minutes? Functions read the secret every five. If not, deploy again.")
		return
	case status != http.StatusOK || answer != challenge:
		e.fail(fmt.Sprintf("Our webhook answers %d to Meta's question", status),
			"The webhook function's log says why: aws logs tail /aws/lambda/"+e.Stack+"-webhook --region "+e.Region)
		return
	}
	status, _, err = e.ask(ctx, "wrong-"+challenge, challenge)
	if err != nil || status != http.StatusForbidden {
		e.fail(fmt.Sprintf("Our webhook answers %d to a wrong verify token", status),
			"It should be 403. What stands in front of the stack? See --webhook.")
		return
	}
	e.ok("Our webhook answers Meta's question, and refuses a wrong one")
}

// ask puts Meta's verification question.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
func (e *exam) ask(ctx context.Context, word, challenge string) (status int, answer string, err error) {
	query := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {word}, "hub.challenge": {challenge}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.webhookURL()+"?"+query.Encode(), nil)
	if err != nil {
		return 0, "", err
	}
	res, err := e.client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	return res.StatusCode, string(body), err
}

// networkReason describes a failed request without its address, which holds the verify token.
func networkReason(err error) string {
	var lookup *net.DNSError
	var operation *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &lookup):
		return "its host name isn't known"
	case errors.As(err, &operation):
		return operation.Op + " failed"
	}
	return "the request failed"
}

// newestConversations is how many of the most recently active conversations are looked at.
const newestConversations = 50

// checkLastMessage looks into the table: what is stored there has come all the way from Meta.
func (e *exam) checkLastMessage(ctx context.Context) {
	newest, _, err := e.Table(e.stack.Outputs["TableName"]).Conversations(ctx, store.Filter{}, "", newestConversations)
	if err != nil {
		e.denied("The table", "dynamodb:Query (on the index too) and dynamodb:BatchGetItem", err)
		return
	}
	var last store.Listed
	for _, c := range newest {
		if c.LastInbound.After(last.LastInbound) {
			last = c
		}
	}
	if last.LastInbound.IsZero() {
		e.warn("No customer's message has been stored yet",
			"Write to the number from a phone. If nothing comes, mend what fails above.")
		return
	}
	e.ok("The last customer's message came " + ago(e.now(), last.LastInbound))
}

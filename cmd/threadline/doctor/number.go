package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"threadline/shared/secret"
	"threadline/shared/whatsapp"
)

func (e *exam) checkNumbers(ctx context.Context) {
	ids := e.numbers(ctx)
	if len(ids) == 0 {
		e.warn("No phone number is configured; every number of the app is served",
			"Name yours: sam deploy --guided, PhoneNumberIds (Meta app > WhatsApp > API setup).")
	}
	for _, id := range ids {
		e.checkNumber(ctx, id)
	}
}

// numbers returns the ids of our numbers: those configured, else those that wrote to the table.
func (e *exam) numbers(ctx context.Context) []string {
	if configured := e.stack.Parameters["PhoneNumberIds"]; configured != "" {
		return strings.Split(configured, ",")
	}
	var ids []string
	seen, err := e.Table(e.stack.Outputs["TableName"]).Numbers(ctx)
	if err != nil {
		e.denied("The numbers in the table", "dynamodb:Query", err)
	}
	for _, n := range seen {
		ids = append(ids, string(n.ID))
		e.belongsTo(n.WABA)
	}
	return ids
}

// belongsTo remembers a business account of ours.
func (e *exam) belongsTo(waba string) {
	if waba != "" && !slices.Contains(e.accounts, waba) {
		e.accounts = append(e.accounts, waba)
	}
}

func (e *exam) checkNumber(ctx context.Context, id string) {
	client := e.graph(e.keys[secret.AccessToken])
	n, err := client.Number(ctx, id)
	if err != nil {
		var refused *whatsapp.Error
		if errors.As(err, &refused) && refused.Code == 100 {
			e.fail("The token sees no phone number with ID "+id,
				"Copy the ID (not the number itself): Meta app > WhatsApp > API setup > Phone number ID.",
				"Right ID? Give the system user the WhatsApp account: business.facebook.com > Settings > System users > Assign assets.")
			return
		}
		e.warn("Number "+id+" can't be read: "+metaReason(err),
			"Mend the token if that failed; else run this again in a few minutes.")
		return
	}
	about := []string{n.Status, "quality " + n.Quality}
	for _, more := range []string{n.MessagingLimit, n.Throughput} {
		if more != "" {
			about = append(about, more)
		}
	}
	line := fmt.Sprintf("%s %q: %s", international(n.Display), n.VerifiedName, strings.Join(about, ", "))
	health := e.health(ctx, id)
	level, do := e.judge(n)
	e.find(level, line, append(do, health.advice()...))
	e.checkOverride(n)
}

func international(display string) string {
	if strings.HasPrefix(display, "+") {
		return display
	}
	return "+" + display
}

// judge says what is wrong with a number, and what to do about it. The words are Meta's.
// https://developers.facebook.com/docs/whatsapp/business-management-api/manage-phone-numbers
func (e *exam) judge(n whatsapp.NumberInfo) (level Level, do []string) {
	level = OK
	problem := func(at Level, advice string) {
		if level != Fail {
			level = at
		}
		do = append(do, advice)
	}
	switch {
	case n.Status == "PENDING" || n.Status == "UNVERIFIED":
		problem(Fail, "The number isn't registered: "+manager+" > Phone numbers > Settings, register it with a PIN.")
	case n.Status != "CONNECTED":
		problem(Fail, "It can't send while it is "+n.Status+": "+manager+" > Account overview says why.")
	}
	switch n.CanSend {
	case "BLOCKED":
		problem(Fail, "Meta blocks its messages: "+manager+" > Account overview says why.")
	case "LIMITED":
		problem(Warn, "Meta limits its messages: "+manager+" > Account overview says why.")
	}
	if n.Quality == "RED" || n.Quality == "YELLOW" {
		problem(Warn, "Customers block or report it. Send less that they didn't ask for: "+manager+" > Insights.")
	}
	if n.NameStatus == "DECLINED" {
		problem(Warn, "Meta declined the display name: "+manager+" > Phone numbers > Edit.")
	}
	if n.CodeVerification == "NOT_VERIFIED" {
		problem(Warn, "Its ownership isn't verified: "+manager+" > Phone numbers > Verify.")
	}
	if n.AccountMode == "SANDBOX" {
		problem(Warn, "It is a test number: it reaches only the recipients listed under WhatsApp > API setup.")
	}
	return level, do
}

// manager is the page on which Meta shows the state of numbers and accounts.
const manager = "business.facebook.com/wa/manage"

// checkOverride looks for an address that Meta prefers to the app's.
func (e *exam) checkOverride(n whatsapp.NumberInfo) {
	for _, o := range []struct{ where, id, url string }{
		{"phone number", n.ID, n.CallbackNumber},
		{"WhatsApp account", "", n.CallbackAccount},
	} {
		if o.url == "" {
			continue
		}
		if o.url != e.webhookURL() {
			e.fail(fmt.Sprintf("Messages to %s go to %s, which is set on the %s", international(n.Display), o.url, o.where),
				"Meta prefers it to the app's callback URL. Remove it, or set it to "+e.webhookURL()+":", overrides)
		}
		return
	}
}

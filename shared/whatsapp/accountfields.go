package whatsapp

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// readAlert reads a warning, or the answer to a request to be made official.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/account_alerts
func (e *AccountEvent) readAlert(f fields) {
	if f.text("entity_type") == "PHONE_NUMBER" {
		e.Number = f.text("entity_id")
	}
	info := f.object("alert_info")
	if info == nil {
		info = f // before v20.0
	}
	kind, status := info.text("alert_type"), firstOf(info.text("alert_status"), "ACTIVE")
	switch {
	case kind == "":
	case strings.HasPrefix(kind, "OBA_"):
		e.change(TopicOfficial, "", kind, info.text("alert_description"))
	default:
		e.change(TopicAlert, kind, status, info.text("alert_severity"), info.text("alert_description"))
	}
}

func (e *AccountEvent) readReview(f fields) {
	e.change(TopicReview, "", f.text("decision"), f.text("rejection_reason"))
}

// readSettings reads whether the number takes calls, and what keeps it from it.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/account_settings_update
func (e *AccountEvent) readSettings(f fields) {
	o := f.object("phone_number_settings")
	e.Number = firstOf(o.text("phone_number_id"), e.Number)
	calling := o.object("calling")
	e.change(TopicAlert, "CALLING", calling.text("status"))
	list := calling.objects("restrictions")
	if nested := calling.object("restrictions"); nested != nil {
		list = nested.objects("restrictions")
	}
	for _, r := range list {
		if kind := r.text("type"); kind != "" {
			e.change(TopicRestriction, kind, "RESTRICTED", r.text("reason")).Until = r.time("expiration")
		}
	}
}

// readCapability reads how many customers may be written to first in a day: a
// number or the name of a tier, of the portfolio, before v24.0 of each number.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/business_capability_update
func (e *AccountEvent) readCapability(f fields) {
	e.change(TopicLimit, "", limitOf(f))
}

// limitOf reads the limit as the name of a tier.
func limitOf(f fields) string {
	limit := firstOf(f.text("max_daily_conversations_per_business"), f.text("current_limit"),
		f.text("max_daily_conversation_per_phone"), f.text("max_daily_conversations_per_phone"))
	n, err := strconv.ParseInt(limit, 10, 64)
	switch {
	case err != nil:
		return limit // the name of a tier already, or nothing
	case n < 0:
		return "TIER_UNLIMITED"
	case n >= 1000 && n%1000 == 0:
		return "TIER_" + strconv.FormatInt(n/1000, 10) + "K"
	}
	return "TIER_" + limit
}

// readUsername reads the username of the business. One that was deleted isn't
// named any more.
func (e *AccountEvent) readUsername(f fields) {
	name, status := strings.TrimPrefix(f.text("username"), "@"), f.text("status")
	if strings.EqualFold(status, "deleted") {
		e.Changes = append(e.Changes, AccountChange{Topic: TopicUsername, Why: status})
		return
	}
	e.change(TopicUsername, "", name, status)
}

// readFlow reads the state of a form, or an alarm about it.
// https://developers.facebook.com/docs/whatsapp/flows/reference/flowswebhooks
func (e *AccountEvent) readFlow(f fields) {
	about := "flow:" + f.text("flow_id")
	switch e.Event {
	case "":
	case "FLOW_STATUS_CHANGE":
		e.change(TopicAlert, about, f.text("new_status"), f.text("message"))
	default:
		e.change(TopicAlert, about+":"+e.Event, firstOf(f.text("alert_state"), "ACTIVATED"), f.text("message"))
	}
}

func (e *AccountEvent) readSolution(f fields) {
	e.change(TopicAlert, "solution:"+f.text("solution_id"), f.text("solution_status"), e.Event)
}

// readPayment reads the state of a way to be paid.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/payment_configuration_update
func (e *AccountEvent) readPayment(f fields) {
	if e.Timestamp.IsZero() {
		e.Timestamp = f.time("updated_timestamp")
	}
	e.change(TopicPayment, f.text("configuration_name"), f.text("status"), f.text("provider_name"))
}

func (e *AccountEvent) readName(f fields) {
	e.change(TopicName, "", f.text("requested_verified_name"), f.text("decision"), f.text("rejection_reason"))
}

// readQuality reads the limit and throughput of a number; in spite of the
// field's name only old events speak of quality, and they don't say which.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/phone_number_quality_update
func (e *AccountEvent) readQuality(f fields) {
	switch e.Event {
	case "THROUGHPUT_UPGRADE":
		e.change(TopicThroughput, "", "HIGH")
	case "FLAGGED":
		e.change(TopicQuality, "", "RED", e.Event)
	case "UNFLAGGED":
		e.change(TopicQuality, "", "UNKNOWN", e.Event)
	}
	e.change(TopicLimit, "", limitOf(f), e.Event)
}

func (e *AccountEvent) readSecurity(fields) {
	e.change(TopicSecurity, "", e.Event)
}

// TemplateEvent is what Meta says of a template. What it doesn't mention is
// empty.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/message_template_status_update
type TemplateEvent struct {
	Name     string
	Language string // as in the API: "en_US", also where Meta writes "en-US"
	ID       string
	Event    string // APPROVED, REJECTED, PAUSED, …; empty where the status stays
	Reason   string
	Category string // UTILITY, MARKETING, AUTHENTICATION
	Quality  string // GREEN, YELLOW, RED, UNKNOWN
}

// readTemplate reads any field about templates: one of Meta's samples has the
// content of one under the name of another.
func (e *AccountEvent) readTemplate(f fields) {
	rejection, other := f.object("rejection_info"), f.object("other_info")
	t := TemplateEvent{
		Name:     f.text("message_template_name"),
		Language: strings.ReplaceAll(f.text("message_template_language"), "-", "_"),
		ID:       f.text("message_template_id"), Event: e.Event, Quality: f.text("new_quality_score"),
		Category: firstOf(f.text("new_category"), f.text("message_template_category")),
		Reason: sentence([]string{
			f.text("reason"), rejection.text("reason"), rejection.text("recommendation"),
			other.text("title"), other.text("description"), dayOf(f.object("disable_info"), "disable_date"),
		}),
	}
	if next := f.text("correct_category"); next != "" {
		t.Reason = sentence([]string{t.Reason, strings.TrimSpace(next + " from " + day(f.time("category_update_timestamp")))})
	}
	e.Template = &t
}

// dayOf reads a date, which may be a text or a moment.
func dayOf(f fields, key string) string {
	if t := f.time(key); !t.IsZero() {
		return day(t)
	}
	return f.text(key)
}

// day writes the day of a moment; nothing for none.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func without(all []string, unwanted string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == unwanted })
}

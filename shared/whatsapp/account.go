package whatsapp

import (
	"strconv"
	"strings"
	"time"
)

// The topics of what Meta says of a business number or its account. Some are
// about one of several things, whose name follows behind a colon, as in
// "restriction:RESTRICTED_BIZ_INITIATED_MESSAGING".
const (
	TopicName         = "name"         // the display name; Why is its review
	TopicQuality      = "quality"      // GREEN, YELLOW, RED, UNKNOWN
	TopicLimit        = "limit"        // TIER_2K: customers a day that may be written to first
	TopicThroughput   = "throughput"   // HIGH
	TopicStatus       = "status"       // CONNECTED, DISCONNECTED, DELETED
	TopicUsername     = "username"     // of the business
	TopicSecurity     = "security"     // the last event about the two-step PIN
	TopicToken        = "token"        // Meta's code of refusal
	TopicBan          = "ban"          // DISABLE, SCHEDULE_FOR_DISABLE, REINSTATE
	TopicRestriction  = "restriction"  // restriction:<type>
	TopicViolation    = "violation"    // the policy violated
	TopicReview       = "review"       // APPROVED, REJECTED, PENDING, DEFERRED
	TopicVerification = "verification" // of the business: VERIFIED, APPROVED, FAILED, …
	TopicOfficial     = "official"     // OBA_APPROVED, OBA_REJECTED, …
	TopicPayment      = "payment"      // payment:<configuration>
	TopicAlert        = "alert"        // alert:<what>; an empty value or NONE ends it
	TopicHistory      = "history"      // how far the import is, in percent; DECLINED, or the code of an error
)

// AccountEvent is what Meta says of a business account or of one of its
// numbers.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference
type AccountEvent struct {
	Field     string    // such as "account_update"
	Event     string    // such as "ACCOUNT_RESTRICTION"; empty in most fields
	WABA      string    // the account that it is about; a partner is told in an entry of its own
	Number    string    // phone_number_id; empty where it isn't about a number, or Display tells
	Display   string    // digits of the number that it is about; empty where it isn't about one
	Timestamp time.Time // zero where neither entry nor value has one
	Changes   []AccountChange
	Template  *TemplateEvent // set by the fields about templates
}

// AccountChange is one thing that is so from now on.
type AccountChange struct {
	Topic string    // one of the topics
	Value string    // in Meta's words; empty: not any longer
	Why   string    // Meta's reason, for people
	Until time.Time // when it ends by itself; zero where Meta says nothing
}

// accountFields reads the fields that are about accounts and numbers.
var accountFields = map[string]func(*AccountEvent, fields){
	"account_update":               (*AccountEvent).readUpdate,
	"account_alerts":               (*AccountEvent).readAlert,
	"account_review_update":        (*AccountEvent).readReview,
	"account_settings_update":      (*AccountEvent).readSettings,
	"business_capability_update":   (*AccountEvent).readCapability,
	"business_username_update":     (*AccountEvent).readUsername,
	"business_username_updates":    (*AccountEvent).readUsername,
	"flows":                        (*AccountEvent).readFlow,
	"partner_solutions":            (*AccountEvent).readSolution,
	"payment_configuration_update": (*AccountEvent).readPayment,
	"phone_number_name_update":     (*AccountEvent).readName,
	"phone_number_quality_update":  (*AccountEvent).readQuality,
	"security":                     (*AccountEvent).readSecurity,
	"history":                      (*AccountEvent).readHistory,
	"messages":                     (*AccountEvent).readErrors,
	"standby":                      (*AccountEvent).readErrors,

	"message_template_status_update":     (*AccountEvent).readTemplate,
	"message_template_quality_update":    (*AccountEvent).readTemplate,
	"message_template_components_update": (*AccountEvent).readTemplate,
	"template_category_update":           (*AccountEvent).readTemplate,
}

// ParseAccountEvent reads an update of [KindEvent]. One that says nothing of a
// number, an account or a template has no Changes and no Template; what has an
// unexpected shape leaves its field empty; the only error is [ErrNotObject].
func ParseAccountEvent(u Update) (AccountEvent, error) {
	f, ok := read(u.Body)
	if !ok {
		return AccountEvent{}, ErrNotObject
	}
	e := AccountEvent{
		Field: firstOf(u.Field, f.text("field")), Event: f.text("event"), WABA: u.WABA, Number: u.Number,
		Display: digits(firstOf(u.Display, f.text("display_phone_number"), f.text("phone_number"))),
	}
	if s := seconds(u.Time); s != 0 {
		e.Timestamp = time.Unix(s, 0).UTC()
	} else {
		e.Timestamp = f.time("timestamp")
	}
	if e.Field == "" && f.object("waba_info") != nil {
		e.Field = "account_update" // as in some of Meta's samples
	}
	if readField := accountFields[e.Field]; readField != nil {
		readField(&e, f)
	} else if f.text("message_template_name") != "" {
		e.readTemplate(f) // a field about templates that is newer than this
	}
	return e, nil
}

// change adds a change that has a value; about is what a topic of several
// things is about.
func (e *AccountEvent) change(topic, about, value string, why ...string) *AccountChange {
	if about != "" {
		topic += ":" + about
	}
	c := AccountChange{Topic: topic, Value: value, Why: sentence(why)}
	if value == "" {
		return &c
	}
	e.Changes = append(e.Changes, c)
	return &e.Changes[len(e.Changes)-1]
}

// sentence joins the reasons that say something.
func sentence(why []string) string {
	var all []string
	for _, s := range why {
		if s != "" && s != "NONE" {
			all = append(all, s)
		}
	}
	return strings.Join(all, ": ")
}

// readUpdate reads the life of an account. But for a disconnection, which may
// be that of one number, it is about the account even where it names a number.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/account_update
func (e *AccountEvent) readUpdate(f fields) {
	display := e.Display
	e.Number, e.Display = "", ""
	info := f.object("waba_info")
	if waba := info.text("waba_id"); waba != "" {
		e.WABA = waba
	}
	switch e.Event {
	case "ACCOUNT_DELETED":
		e.change(TopicStatus, "", "DELETED", e.Event)
	case "PARTNER_REMOVED", "ACCOUNT_OFFBOARDED":
		o := f.object("disconnection_info")
		if o == nil && e.Event == "PARTNER_REMOVED" {
			e.change(TopicAlert, "PARTNER", "REMOVED") // any of the account's, and perhaps not the one that listens
			break
		}
		e.Display = display
		e.change(TopicStatus, "", "DISCONNECTED", e.Event, o.text("reason"), o.text("initiated_by"))
	case "ACCOUNT_RECONNECTED", "PARTNER_ADDED":
		e.change(TopicStatus, "", "CONNECTED", e.Event)
	case "VERIFIED_ACCOUNT":
		e.change(TopicVerification, "", "VERIFIED")
	case "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE":
		o := f.object("partner_client_certification_info")
		e.change(TopicVerification, "", o.text("status"), strings.Join(without(o.texts("rejection_reasons"), "NONE"), ", "))
	default:
		e.readNotice(f, info)
	}
	e.readPolicy(f)
}

// readPolicy reads what Meta did about a violation, whatever the event's name.
func (e *AccountEvent) readPolicy(f fields) {
	if o := f.object("ban_info"); o != nil {
		state := o.text("waba_ban_state")
		if all := o.texts("waba_ban_state"); len(all) > 0 {
			state = all[len(all)-1]
		}
		e.change(TopicBan, "", state, dayOf(o, "waba_ban_date"))
	}
	if o := f.object("violation_info"); o != nil {
		e.change(TopicViolation, "", firstOf(o.text("violation_type"), "UNKNOWN"), o.text("remediation"))
	}
	list := f.objects("restriction_info")
	if o := f.object("restriction_info"); o != nil {
		list = []fields{o}
	}
	for _, o := range list {
		if kind := o.text("restriction_type"); kind != "" {
			e.change(TopicRestriction, kind, "RESTRICTED", o.text("remediation")).Until = o.time("expiration")
		}
	}
}

// readNotice reads the events that are for people to know.
func (e *AccountEvent) readNotice(f, info fields) {
	switch e.Event {
	case "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE":
		e.change(TopicAlert, e.Event, f.text("country"))
	case "AD_ACCOUNT_LINKED":
		e.change(TopicAlert, e.Event, info.text("ad_account_linked"))
	case "MM_LITE_TERMS_SIGNED":
		e.change(TopicAlert, e.Event, "SIGNED")
	case "PARTNER_APP_INSTALLED":
		e.change(TopicAlert, "PARTNER_APP", "INSTALLED")
	case "PARTNER_APP_UNINSTALLED":
		e.change(TopicAlert, "PARTNER_APP", "UNINSTALLED")
	case "VOLUME_BASED_PRICING_TIER_UPDATE":
		o := f.object("volume_tier_info")
		e.change(TopicAlert, e.Event+":"+o.text("region")+":"+o.text("pricing_category"), o.text("tier"), o.text("effective_month"))
	case "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE":
		e.change(TopicAlert, e.Event, day(f.object("auth_international_rate_eligibility").time("start_time")))
	}
}

// readErrors reads the errors that are about the app, the number or the
// account. Those that only a person can mend count as a refused token.
func (e *AccountEvent) readErrors(f fields) {
	for _, o := range f.objects("errors") {
		problem := parseError(o, 0)
		if !problem.object {
			continue // it has no code that can be read: nothing is known of it
		}
		code := strconv.Itoa(problem.Code)
		if problem.Class == ClassAccount {
			e.change(TopicToken, "", code, problem.Reason())
			continue
		}
		e.change(TopicAlert, code, "ACTIVE", problem.Reason())
	}
}

// historyDeclined is Meta's code for a business that keeps its history.
const historyDeclined = 2593109

// readHistory reads how far an import is, where it came without messages, or
// why there is none.
func (e *AccountEvent) readHistory(f fields) {
	for _, problem := range parseErrors(f) {
		value := strconv.Itoa(problem.Code)
		if problem.Code == historyDeclined {
			value = "DECLINED"
		}
		e.change(TopicHistory, "", value, problem.Reason())
	}
	for _, o := range f.objects("history") {
		e.change(TopicHistory, "", o.object("metadata").text("progress"))
	}
}

package meta

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// AccountEvent is something that Meta does to the company. It changes what the Graph API says and does, and is reported
// to the webhook in Meta's shape, if Meta reports it.
//
//	kind                   value
//	quality                GREEN, YELLOW or RED; Meta reports RED and its end only (FLAGGED, UNFLAGGED)
//	limit                  TIER_250, TIER_2K, TIER_10K, TIER_100K or TIER_UNLIMITED
//	throughput             STANDARD or HIGH
//	number                 a status: CONNECTED, RESTRICTED, BANNED, DISCONNECTED, …; not reported
//	restriction            RESTRICTED_BIZ_INITIATED_MESSAGING, …, with Seconds until it ends
//	violation              ADULT, …
//	ban                    DISABLE, SCHEDULE_FOR_DISABLE or REINSTATE
//	account                another event of account_update: ACCOUNT_OFFBOARDED, PARTNER_REMOVED, …
//	review                 APPROVED, REJECTED, PENDING or DEFERRED
//	alert                  an alert_type: OBA_APPROVED, OBA_REJECTED, PROFILE_PICTURE_LOST, …
//	name                   APPROVED, REJECTED, PENDING or DEFERRED, with the Name asked for
//	username               approved, reserved or deleted, with the Name
//	pin                    PIN_CHANGED, PIN_RESET_REQUEST or PIN_REQUEST_SUCCESS
//	payment                missing or ok; not reported
//	payment_configuration  Needs Testing, Active, …
//	token                  revoked or restored; not reported
//	app                    on or off: the number is used in the WhatsApp Business app too; not reported
//	key_check              on or off; not reported
//	template_status        PAUSED, APPROVED, DISABLED, …, of Template in Language
//	template_quality       GREEN, YELLOW, RED or UNKNOWN
//	template_category      UTILITY or MARKETING; with Soon: in 24 hours
//	template_components    anything: the template has a new text
type AccountEvent struct {
	Kind     string `json:"kind"`
	Value    string `json:"value"`
	Number   string `json:"number"` // the business number; empty: the first
	Name     string `json:"name"`
	Reason   string `json:"reason"`
	Seconds  int64  `json:"seconds"`
	Template string `json:"template"`
	Language string `json:"language"` // empty: the first that the template has
	Soon     bool   `json:"soon"`
}

// report is what the webhook is told: a value of a field.
type report struct {
	field string
	value object
}

// accountEvents has, for each kind, what it changes and what is reported; nil: nothing.
var accountEvents = map[string]func(*Simulator, AccountEvent) *report{
	"quality":     (*Simulator).changeQuality,
	"limit":       (*Simulator).changeLimit,
	"throughput":  (*Simulator).changeThroughput,
	"number":      func(s *Simulator, e AccountEvent) *report { s.line(e.Number).Status = e.Value; return nil },
	"restriction": (*Simulator).restrict,
	"violation":   violation,
	"ban":         (*Simulator).banOrReinstate,
	"account":     func(_ *Simulator, e AccountEvent) *report { return &report{"account_update", object{"event": e.Value}} },
	"review": func(_ *Simulator, e AccountEvent) *report {
		return &report{"account_review_update", object{"decision": e.Value}}
	},
	"alert":                 (*Simulator).alert,
	"name":                  (*Simulator).decideName,
	"username":              (*Simulator).changeBusinessUsername,
	"pin":                   (*Simulator).pinEvent,
	"payment":               func(s *Simulator, e AccountEvent) *report { s.state.Account.Unpaid = e.Value == "missing"; return nil },
	"payment_configuration": (*Simulator).paymentEvent,
	"token":                 func(s *Simulator, e AccountEvent) *report { s.state.Account.NoToken = e.Value == "revoked"; return nil },
	"app":                   func(s *Simulator, e AccountEvent) *report { s.line(e.Number).App = e.Value == "on"; return nil },
	"key_check":             func(s *Simulator, e AccountEvent) *report { s.state.Account.KeyCheck = e.Value == "on"; return nil },
}

// HappenToAccount has an event happen.
func (s *Simulator) HappenToAccount(e AccountEvent) error {
	if e.Number == "" {
		e.Number = s.opts.Numbers[0]
	}
	if !s.isNumber(e.Number) {
		return errNoNumber
	}
	happen, template := accountEvents[e.Kind], templateEvents[e.Kind]
	if happen == nil && template == nil {
		return fmt.Errorf("%q is no kind of event; known: %q", e.Kind, eventKinds())
	}
	if e.Value == "" {
		return errors.New("an event of the account has a value")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var told *report
	if happen != nil {
		told = happen(s, e)
	} else {
		t, err := findTemplate(e.Template, e.Language)
		if err != nil {
			return err
		}
		state := s.templateState(t)
		told = template(s, e, t, &state)
		if s.state.Account.Templates == nil {
			s.state.Account.Templates = map[string]*TemplateState{}
		}
		s.state.Account.Templates[t.ID] = &state
	}
	if told != nil {
		s.post(&update{Field: told.field, Item: told.value})
	}
	s.tellCompany()
	return nil
}

// eventKinds are the kinds of an event, as they stand in an error.
func eventKinds() []string {
	kinds := slices.AppendSeq(slices.Collect(maps.Keys(accountEvents)), maps.Keys(templateEvents))
	slices.Sort(kinds)
	return kinds
}

// PostRaw signs and posts a change of any field with any value, as it is.
func (s *Simulator) PostRaw(field string, value map[string]any) error {
	if field == "" || value == nil {
		return errors.New("a webhook has a field and a value")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.post(&update{Field: field, Item: value})
	return nil
}

func (s *Simulator) changeQuality(e AccountEvent) *report {
	l := s.line(e.Number)
	before := l.Quality
	l.Quality = e.Value
	event := ""
	switch {
	case e.Value == "RED" && before != "RED":
		event, l.Status = "FLAGGED", "FLAGGED"
	case e.Value != "RED" && before == "RED":
		event, l.Status = "UNFLAGGED", "CONNECTED"
	default:
		return nil
	}
	return s.qualityReport(e.Number, event, l.Limit)
}

func (s *Simulator) qualityReport(number, event, limit string) *report {
	return &report{"phone_number_quality_update", object{"display_phone_number": s.displayNumber(number), "event": event,
		"current_limit": limit, "max_daily_conversations_per_business": limit}}
}

// changeLimit changes the limit of all numbers: since October 2025 it is the portfolio's.
func (s *Simulator) changeLimit(e AccountEvent) *report {
	for _, id := range s.opts.Numbers {
		s.line(id).Limit = e.Value
	}
	return &report{"business_capability_update", object{"max_daily_conversations_per_business": e.Value, "max_phone_numbers_per_waba": 25}}
}

func (s *Simulator) changeThroughput(e AccountEvent) *report {
	if s.line(e.Number).Throughput = e.Value; e.Value != "HIGH" {
		return nil
	}
	return s.qualityReport(e.Number, "THROUGHPUT_UPGRADE", "TIER_UNLIMITED")
}

func (s *Simulator) restrict(e AccountEvent) *report {
	info := object{"restriction_type": e.Value}
	var until time.Time
	if e.Seconds > 0 {
		until = s.opts.Now().Add(time.Duration(e.Seconds) * time.Second).Truncate(time.Second)
		info["expiration"] = until.Unix()
	}
	if s.state.Account.Restrictions == nil {
		s.state.Account.Restrictions = map[string]time.Time{}
	}
	s.state.Account.Restrictions[e.Value] = until
	return &report{"account_update", object{"event": "ACCOUNT_RESTRICTION", "restriction_info": []object{info}}}
}

func violation(_ *Simulator, e AccountEvent) *report {
	return &report{"account_update", object{"event": "ACCOUNT_VIOLATION", "violation_info": object{"violation_type": e.Value}}}
}

func (s *Simulator) banOrReinstate(e AccountEvent) *report {
	if s.state.Account.Ban = e.Value; e.Value == "REINSTATE" {
		s.state.Account.Ban, s.state.Account.Restrictions = "", nil
	}
	return &report{"account_update", object{"event": "DISABLED_UPDATE", "ban_info": object{"waba_ban_state": e.Value,
		"waba_ban_date": s.opts.Now().UTC().Format("January 2, 2006")}}}
}

func (s *Simulator) alert(e AccountEvent) *report {
	switch e.Value {
	case "OBA_APPROVED":
		s.line(e.Number).Official = "APPROVED"
	case "OBA_REJECTED":
		s.line(e.Number).Official = "REJECTED"
	}
	return &report{"account_alerts", object{"entity_type": "PHONE_NUMBER", "entity_id": e.Number, "alert_info": object{
		"alert_severity": "INFORMATIONAL", "alert_status": "NONE", "alert_type": e.Value, "alert_description": e.Reason}}}
}

func (s *Simulator) decideName(e AccountEvent) *report {
	l := s.line(e.Number)
	if e.Name == "" {
		e.Name = l.Name
	}
	status := map[string]string{"APPROVED": "APPROVED", "REJECTED": "DECLINED", "PENDING": "PENDING_REVIEW", "DEFERRED": "PENDING_REVIEW"}
	if l.NameStatus = status[e.Value]; e.Value == "APPROVED" {
		l.Name = e.Name
	}
	var reason any
	if e.Reason != "" {
		reason = e.Reason
	}
	return &report{"phone_number_name_update", object{"display_phone_number": s.displayNumber(e.Number), "decision": e.Value,
		"requested_verified_name": e.Name, "rejection_reason": reason}}
}

func (s *Simulator) changeBusinessUsername(e AccountEvent) *report {
	if l := s.line(e.Number); e.Value == "deleted" {
		l.Username = ""
	} else {
		l.Username = plainUsername(e.Name)
	}
	return &report{"business_username_update", object{"display_phone_number": s.displayNumber(e.Number),
		"username": plainUsername(e.Name), "status": e.Value}}
}

func (s *Simulator) pinEvent(e AccountEvent) *report {
	return &report{"security", object{"display_phone_number": s.displayNumber(e.Number), "event": e.Value, "requester": "300000000000003"}}
}

func (s *Simulator) paymentEvent(e AccountEvent) *report {
	now := s.opts.Now().Unix()
	return &report{"payment_configuration_update", object{"configuration_name": "local-demo", "provider_name": "razorpay",
		"provider_mid": "acc_local", "status": e.Value, "created_timestamp": now, "updated_timestamp": now}}
}

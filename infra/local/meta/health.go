package meta

import (
	"encoding/json"
	"net/http"
	"time"
)

// account is what Meta thinks of the company, its numbers and its templates. The zero value is in good order.
type account struct {
	Lines        map[string]*Line          `json:"lines"`        // by phone_number_id
	Restrictions map[string]time.Time      `json:"restrictions"` // Meta's word → until when
	Ban          string                    `json:"ban"`          // Meta's waba_ban_state; empty: none
	Unpaid       bool                      `json:"unpaid"`       // there is no way to pay
	NoToken      bool                      `json:"no_token"`     // the access token is revoked
	Agent        bool                      `json:"agent"`        // Meta's agent answers
	KeyCheck     bool                      `json:"key_check"`    // security keys are reported and checked
	Templates    map[string]*TemplateState `json:"templates"`    // by id; what is not here is approved
}

// Line is the state of a business number, in Meta's words.
type Line struct {
	Status     string `json:"status"`
	Quality    string `json:"quality"`
	Limit      string `json:"limit"`
	Throughput string `json:"throughput"`
	Name       string `json:"name"`
	NameStatus string `json:"name_status"`
	Username   string `json:"username"`
	Official   string `json:"official"` // of an Official Business Account
	App        bool   `json:"app"`      // the number is used in the WhatsApp Business app too
}

// TemplateState is what became of a template after its approval.
type TemplateState struct {
	Status   string `json:"status"`
	Quality  string `json:"quality"`
	Category string `json:"category"`
}

// line returns the state of a number, which is in good order as long as nobody said otherwise.
func (s *Simulator) line(id string) *Line {
	if s.state.Account.Lines == nil {
		s.state.Account.Lines = map[string]*Line{}
	}
	l := s.state.Account.Lines[id]
	if l == nil {
		l = &Line{Status: "CONNECTED", Quality: "GREEN", Limit: "TIER_2K", Throughput: "STANDARD", Name: businessName,
			NameStatus: "APPROVED", Official: "NOT_STARTED", App: true}
		s.state.Account.Lines[id] = l
	}
	return l
}

// obstacle is why a number cannot send now, to answer a customer or with a template; nil: it can.
func (s *Simulator) obstacle(number string, template bool) *graphError {
	a := &s.state.Account
	switch status := s.line(number).Status; {
	case a.Ban == "DISABLE":
		return &graphError{Code: 131031, Details: "The account is disabled"}
	case status != "CONNECTED" && status != "FLAGGED":
		return &graphError{Code: 133010, Details: "The number's status is " + status}
	case s.restricted("RESTRICTED_BIZ_INITIATED_MESSAGING") && template,
		s.restricted("RESTRICTED_CUSTOMER_INITIATED_MESSAGING") && !template:
		return &graphError{Code: 368, Details: "The account is restricted from sending messages of this kind"}
	case a.Unpaid && template:
		return &graphError{Code: 131042, Details: "There is no valid way to pay"}
	}
	return nil
}

func (s *Simulator) restricted(kind string) bool {
	until, ok := s.state.Account.Restrictions[kind]
	return ok && (until.IsZero() || s.opts.Now().Before(until))
}

// number has the fields of a business number.
// https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account-to-number-current-status
func (s *Simulator) number(id string) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.line(id)
	return object{
		"id":                           id,
		"display_phone_number":         s.displayNumber(id),
		"verified_name":                l.Name,
		"status":                       l.Status,
		"quality_rating":               l.Quality,
		"quality_score":                object{"score": l.Quality},
		"code_verification_status":     "VERIFIED",
		"name_status":                  l.NameStatus,
		"new_name_status":              "NONE",
		"is_official_business_account": l.Official == "APPROVED",
		"official_business_account":    object{"oba_status": l.Official},
		"account_mode":                 "LIVE",
		"platform_type":                "CLOUD_API",
		"host_platform":                "CLOUD_API",
		"is_on_biz_app":                l.App,
		"username":                     l.Username,
		"throughput":                   object{"level": l.Throughput},
		"whatsapp_business_manager_messaging_limit": l.Limit,
		"messaging_limit_tier":                      l.Limit,
		"health_status":                             s.health(id),
		"webhook_configuration":                     object{"application": s.opts.WebhookURL},
		"last_onboarded_time":                       "2026-01-01T00:00:00+0000",
	}
}

// health says whether a number can send, and what is in the way.
// https://developers.facebook.com/docs/whatsapp/cloud-api/health-status
func (s *Simulator) health(id string) object {
	free, template := s.obstacle(id, false), s.obstacle(id, true)
	verdict, errors := "AVAILABLE", []object{}
	switch {
	case free != nil && template != nil:
		verdict = "BLOCKED"
	case free != nil || template != nil:
		verdict = "LIMITED"
	}
	seen := map[int]bool{}
	for _, e := range []*graphError{free, template} {
		if e != nil && !seen[e.Code] {
			seen[e.Code] = true
			errors = append(errors, object{"error_code": e.Code, "error_description": e.Details, "possible_solution": "Look at WhatsApp Manager"})
		}
	}
	number, waba := object{"entity_type": "PHONE_NUMBER", "id": id, "can_send_message": "AVAILABLE"},
		object{"entity_type": "WABA", "id": AccountID, "can_send_message": "AVAILABLE"}
	culprit := waba
	if seen[133010] {
		culprit = number
	}
	if len(errors) > 0 {
		culprit["can_send_message"], culprit["errors"] = verdict, errors
	}
	return object{"can_send_message": verdict, "entities": []object{number, waba,
		{"entity_type": "APP", "id": AppID, "can_send_message": "AVAILABLE"}}}
}

func (s *Simulator) businessAccount() object {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := "APPROVED"
	if s.state.Account.Ban == "DISABLE" {
		status = "REJECTED"
	}
	return object{"id": AccountID, "name": businessName, "currency": "USD", "timezone_id": "1",
		"message_template_namespace": "threadline_demo", "account_review_status": status}
}

// postSettings switches the reporting of security keys.
// https://developers.facebook.com/docs/whatsapp/cloud-api/phone-numbers#identity-change-check
func (s *Simulator) postSettings(w http.ResponseWriter, r *http.Request) *graphError {
	if !s.isNumber(r.PathValue("node")) {
		return unknownObject(r.PathValue("node"))
	}
	var q struct {
		Identity *struct {
			Check bool `json:"enable_identity_key_check"`
		} `json:"user_identity_change"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&q); err != nil || q.Identity == nil {
		return badParam("The body must have user_identity_change")
	}
	s.mu.Lock()
	s.state.Account.KeyCheck = q.Identity.Check
	s.tellCompany()
	s.mu.Unlock()
	answer(w, http.StatusOK, object{"success": true})
	return nil
}

// tellCompany tells the pages how the company stands, and has it saved.
func (s *Simulator) tellCompany() {
	s.tell("company", s.company())
	s.changed()
}

// company is the account with every number and every template in it.
func (s *Simulator) company() object {
	lines := map[string]*Line{}
	for _, id := range s.opts.Numbers {
		lines[id] = s.line(id)
	}
	var list []object
	for _, t := range templates() {
		state := s.templateState(t)
		list = append(list, object{"id": t.ID, "name": t.Name, "language": t.Language, "status": state.Status,
			"quality": state.Quality, "category": state.Category})
	}
	a := &s.state.Account
	return object{"lines": lines, "restrictions": a.Restrictions, "ban": a.Ban, "unpaid": a.Unpaid, "no_token": a.NoToken,
		"agent": a.Agent, "key_check": a.KeyCheck, "templates": list}
}

// templateState is the state of a template, which is that of its approval as long as nobody said otherwise.
func (s *Simulator) templateState(t template) TemplateState {
	if state := s.state.Account.Templates[t.ID]; state != nil {
		return *state
	}
	return TemplateState{Status: "APPROVED", Quality: "GREEN", Category: t.Category}
}

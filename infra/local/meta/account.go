package meta

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// displayNumber is the number that people see, in the range reserved for examples.
func (s *Simulator) displayNumber(id string) string {
	return fmt.Sprintf("1555010%04d", slices.Index(s.opts.Numbers, id)+1)
}

// getNode answers GET /{id}: a business number, the account or a file.
func (s *Simulator) getNode(w http.ResponseWriter, r *http.Request) *graphError {
	node := r.PathValue("node")
	switch {
	case s.isNumber(node):
		return selectFields(w, r, s.number(node), "PhoneNumber")
	case node == AccountID:
		return selectFields(w, r, object{"id": AccountID, "name": businessName, "currency": "USD",
			"timezone_id": "1", "message_template_namespace": "threadline_demo",
			"account_review_status": "APPROVED"}, "WhatsAppBusinessAccount")
	case node == AppID:
		return selectFields(w, r, object{"id": AppID, "name": "Local app"}, "Application")
	}
	return s.getMedia(w, r)
}

// number has the fields of a business number that is in good order.
// https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account-to-number-current-status
func (s *Simulator) number(id string) object {
	able := func(kind, id string) object {
		return object{"entity_type": kind, "id": id, "can_send_message": "AVAILABLE"}
	}
	return object{
		"id":                           id,
		"display_phone_number":         s.displayNumber(id),
		"verified_name":                businessName,
		"status":                       "CONNECTED",
		"quality_rating":               "GREEN",
		"quality_score":                object{"score": "GREEN"},
		"code_verification_status":     "VERIFIED",
		"name_status":                  "APPROVED",
		"new_name_status":              "NONE",
		"is_official_business_account": false,
		"account_mode":                 "LIVE",
		"platform_type":                "CLOUD_API",
		"is_on_biz_app":                false,
		"throughput":                   object{"level": "STANDARD"},
		"whatsapp_business_manager_messaging_limit": "TIER_2K",
		"messaging_limit_tier":                      "TIER_2K",
		"health_status": object{"can_send_message": "AVAILABLE", "entities": []object{
			able("PHONE_NUMBER", id), able("WABA", AccountID), able("APP", AppID)}},
		"webhook_configuration": object{"application": s.opts.WebhookURL},
		"last_onboarded_time":   "2026-01-01T00:00:00+0000",
	}
}

// selectFields answers with the fields asked for, and with the id. Without ?fields: with all.
func selectFields(w http.ResponseWriter, r *http.Request, all object, node string) *graphError {
	names := r.URL.Query().Get("fields")
	if names == "" {
		answer(w, http.StatusOK, all)
		return nil
	}
	out := object{"id": all["id"]}
	for name := range strings.SplitSeq(names, ",") {
		value, ok := all[strings.TrimSpace(name)]
		if !ok {
			return badParam("Tried accessing nonexisting field (%s) on node type (%s)", name, node)
		}
		out[strings.TrimSpace(name)] = value
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (s *Simulator) listNumbers(w http.ResponseWriter, r *http.Request) *graphError {
	if node := r.PathValue("node"); node != AccountID {
		return unknownObject(node)
	}
	var list []object
	for _, id := range s.opts.Numbers {
		list = append(list, s.number(id))
	}
	answer(w, http.StatusOK, object{"data": list})
	return nil
}

func (s *Simulator) listSubscribedApps(w http.ResponseWriter, r *http.Request) *graphError {
	if node := r.PathValue("node"); node != AccountID {
		return unknownObject(node)
	}
	answer(w, http.StatusOK, object{"data": []object{{"whatsapp_business_api_data": object{
		"id": AppID, "name": "Local app", "link": "https://www.facebook.com/games/?app_id=" + AppID}}}})
	return nil
}

// listSubscriptions names the webhook of the app. Meta gives it to the app's own token only; the simulator is content
// with either.
func (s *Simulator) listSubscriptions(w http.ResponseWriter, r *http.Request) *graphError {
	if node := r.PathValue("node"); node != AppID {
		return unknownObject(node)
	}
	var fields []object
	for _, name := range []string{"account_alerts", "account_update", "message_template_status_update", "messages",
		"phone_number_quality_update", "user_preferences"} {
		fields = append(fields, object{"name": name, "version": "v26.0"})
	}
	answer(w, http.StatusOK, object{"data": []object{{"object": "whatsapp_business_account",
		"callback_url": s.opts.WebhookURL, "active": true, "fields": fields}}})
	return nil
}

// debugToken describes ?input_token=.
// https://developers.facebook.com/docs/graph-api/reference/debug_token
func (s *Simulator) debugToken(w http.ResponseWriter, r *http.Request) *graphError {
	input := r.URL.Query().Get("input_token")
	if input == "" {
		return badParam("The parameter input_token is required")
	}
	if input != s.opts.AccessToken {
		answer(w, http.StatusOK, object{"data": object{"is_valid": false, "scopes": []string{},
			"error": object{"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}}})
		return nil
	}
	scopes := []string{"whatsapp_business_management", "whatsapp_business_messaging"}
	var granular []object
	for _, scope := range scopes {
		granular = append(granular, object{"scope": scope, "target_ids": []string{AccountID}})
	}
	answer(w, http.StatusOK, object{"data": object{"app_id": AppID, "type": "SYSTEM_USER", "application": "Local app",
		"data_access_expires_at": 0, "expires_at": 0, "is_valid": true, "issued_at": 1767225600,
		"scopes": scopes, "granular_scopes": granular, "user_id": "300000000000003"}})
	return nil
}

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
		return selectFields(w, r, s.businessAccount(), "WhatsAppBusinessAccount")
	case node == AppID:
		return selectFields(w, r, object{"id": AppID, "name": "Local app"}, "Application")
	}
	return s.getMedia(w, r)
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

// subscribed are the webhook fields that the app is told about.
var subscribed = []string{"account_alerts", "account_review_update", "account_update", "automatic_events",
	"business_capability_update", "business_username_update", "calls", "flows", "group_lifecycle_update",
	"group_participants_update", "group_settings_update", "group_status_update", "history", "message_template_components_update",
	"message_template_quality_update", "message_template_status_update", "messages", "messaging_handovers",
	"payment_configuration_update", "phone_number_name_update", "phone_number_quality_update", "security",
	"smb_app_state_sync", "smb_message_echoes", "standby", "template_category_update", "user_preferences"}

// listSubscriptions names the webhook of the app. Meta gives it to the app's own token only; the simulator is content
// with either.
func (s *Simulator) listSubscriptions(w http.ResponseWriter, r *http.Request) *graphError {
	if node := r.PathValue("node"); node != AppID {
		return unknownObject(node)
	}
	var fields []object
	for _, name := range subscribed {
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

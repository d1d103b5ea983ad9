package meta

import (
	"fmt"
	"net/http"
)

// graphError is an answer that says no, with Meta's code.
type graphError struct {
	Code    int
	Subcode int
	Details string
}

func (e *graphError) Error() string { return fmt.Sprintf("(#%d) %s: %s", e.Code, e.title(), e.Details) }

// refusals has the HTTP status and the title of the codes that the simulator uses or can be told to use.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
var refusals = map[int]struct {
	status int
	title  string
}{
	1:      {400, "API Unknown"},
	2:      {503, "API Service"},
	4:      {400, "API Too Many Calls"},
	10:     {403, "Permission Denied"},
	33:     {400, "Parameter value is not valid"},
	100:    {400, "Invalid parameter"},
	190:    {401, "Invalid OAuth access token"},
	368:    {403, "Temporarily blocked for policies violations"},
	2500:   {400, "Unknown path components"},
	80007:  {400, "Rate limit issues"},
	130429: {400, "Rate limit hit"},
	130472: {400, "User's number is part of an experiment"},
	131000: {500, "Something went wrong"},
	131005: {403, "Access denied"},
	131008: {400, "Required parameter is missing"},
	131009: {400, "Parameter value is not valid"},
	131016: {500, "Service unavailable"},
	131020: {400, "Group not found"},
	131021: {400, "Recipient cannot be sender"},
	131026: {400, "Message undeliverable"},
	131031: {403, "Account has been locked"},
	131042: {400, "Business eligibility payment issue"},
	131047: {400, "Re-engagement message"},
	131048: {400, "Spam rate limit hit"},
	131049: {400, "This message was not delivered to maintain healthy ecosystem engagement."},
	131050: {400, "User has stopped marketing messages"},
	131051: {400, "Unsupported message type"},
	131052: {400, "Media download error"},
	131053: {400, "Media upload error"},
	131030: {400, "Recipient phone number not in allowed list"},
	131037: {400, "Display name not approved"},
	131045: {500, "Incorrect certificate"},
	131055: {400, "Method not allowed"},
	131056: {400, "(Business Account, Consumer Account) pair rate limit hit"},
	131057: {500, "Account in maintenance mode"},
	131062: {400, "Business-scoped user ID is not supported for this message"},
	132000: {400, "Template Param Count Mismatch"},
	132001: {404, "Template does not exist"},
	132005: {400, "Translated text too long"},
	132007: {400, "Template Format Character Policy Violated"},
	132012: {400, "Template Parameter Format Mismatch"},
	132015: {400, "Template is Paused"},
	132016: {400, "Template is Disabled"},
	132018: {400, "Template Parameter Invalid"},
	133010: {400, "Phone number Not Registered"},
	137000: {400, "Identity key mismatch"},
}

func (e *graphError) title() string {
	if r, ok := refusals[e.Code]; ok {
		return r.title
	}
	return "Unknown error"
}

func (e *graphError) status() int {
	if r, ok := refusals[e.Code]; ok {
		return r.status
	}
	return http.StatusBadRequest
}

// transient tells the codes that Meta marks as worth another attempt.
func (e *graphError) transient() bool {
	return e.Code == 2 || e.Code == 130429 || e.Code == 131016 || e.Code == 131057
}

// badParam is code 100: a parameter of the call itself.
func badParam(format string, args ...any) *graphError {
	return &graphError{Code: 100, Details: fmt.Sprintf(format, args...)}
}

// missing is code 131008.
func missing(param string) *graphError {
	return &graphError{Code: 131008, Details: fmt.Sprintf("Parameter '%s' is mandatory", param)}
}

// badValue is code 131009.
func badValue(format string, args ...any) *graphError {
	return &graphError{Code: 131009, Details: fmt.Sprintf(format, args...)}
}

// unknownObject is what Graph says of an id that does not exist or that the token may not see: the two are not told
// apart.
func unknownObject(id string) *graphError {
	return &graphError{Code: 100, Subcode: 33, Details: fmt.Sprintf("Object with ID '%s' does not exist, "+
		"cannot be loaded due to missing permissions, or does not support this operation", id)}
}

// refuse answers with e in Meta's shape.
func refuse(w http.ResponseWriter, e *graphError) {
	body := object{
		"message":    fmt.Sprintf("(#%d) %s", e.Code, e.title()),
		"type":       "OAuthException",
		"code":       e.Code,
		"error_data": object{"messaging_product": "whatsapp", "details": e.Details},
		"fbtrace_id": newTrace(),
	}
	if e.Subcode != 0 {
		body["error_subcode"] = e.Subcode
	}
	if e.transient() {
		body["is_transient"] = true
	}
	if e.Code == 190 {
		w.Header().Set("WWW-Authenticate", `OAuth "Facebook Platform" "invalid_token" "Invalid OAuth access token"`)
	}
	answer(w, e.status(), object{"error": body})
}

// answer writes v as Graph does.
func answer(w http.ResponseWriter, status int, v any) {
	raw, err := marshal(v)
	if err != nil {
		http.Error(w, "encode the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	w.Write(raw)
}

// asReceipt is e as it appears in the errors of a failed receipt.
func (e *graphError) asReceipt() object {
	return object{
		"code": e.Code, "title": e.title(), "message": e.title(),
		"error_data": object{"details": e.Details},
		"href":       "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
	}
}

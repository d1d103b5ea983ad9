package hubspot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// The waits that HubSpot asks for without saying so in a header.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
const (
	waitSecondly = time.Second
	waitTenths   = 10 * time.Second
	waitDaily    = time.Hour // where it isn't known when the account's day ends
	waitLocked   = 2 * time.Second
)

// problem is HubSpot's error body, in the shapes that its APIs use.
type problem struct {
	Category    string          `json:"category"`
	SubCategory json.RawMessage `json:"subCategory"`
	PolicyName  string          `json:"policyName"`
	ErrorType   string          `json:"errorType"`
	Message     string          `json:"message"`
	RawContext  json.RawMessage `json:"context"`
	Errors      []struct {
		Code       string          `json:"code"`
		Message    string          `json:"message"`
		RawContext json.RawMessage `json:"context"`
	} `json:"errors"`
}

var (
	code      = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	scopeName = regexp.MustCompile(`^[a-z0-9_.-]{1,64}$`)
	// Codes speak for themselves. HubSpot's words may quote what we sent, so they count only where a property of ours is
	// named with them.
	missingCode  = regexp.MustCompile(`PROPERTY_DOESNT_EXIST`)
	missingWords = regexp.MustCompile(`(?i:propert(?:y|ies)\b[^.]{0,120}(?:does not|doesn't|do not|don't) exist)`)
	takenCode    = regexp.MustCompile(`CONFLICTING_UNIQUE_VALUE|OBJECT_ALREADY_EXISTS`)
	takenWords   = regexp.MustCompile(`already has that value|already exists`)
)

// taken is the Reason of a refusal because another record has the value of a unique property.
const taken = "CONFLICTING_UNIQUE_VALUE"

func classify(op string, a rest.Answer) error { return judge(op, a.Status, a.Header, a.Body) }

// judge makes an error of an answer. Nothing of HubSpot's free text gets into it: that may quote what we sent.
func judge(op string, status int, h http.Header, body []byte) error {
	var p problem
	_ = json.Unmarshal(body, &p) // a gateway answers HTML: then the status must do
	e := &crm.Error{Op: op, Status: status, Reason: p.reason(), After: rest.RetryAfter(h)}
	text := string(body)
	ours := strings.Contains(text, ownPrefix)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired:
		e.Class = crm.Stopped
	case status == http.StatusForbidden:
		e.Class, e.Scopes = crm.Stopped, p.scopes()
	case status == http.StatusTooManyRequests:
		e.Class = crm.Limited
		if strings.Contains(p.PolicyName, dailyLimit) {
			e.Reason = dailyLimit
		}
		e.After = max(e.After, policyWait(p.PolicyName))
	case status == http.StatusLocked:
		e.Class, e.After = crm.Transient, max(e.After, waitLocked)
	case status == http.StatusConflict:
		e.Class, e.Reason = crm.Transient, taken
	case status >= 500, status == http.StatusRequestTimeout, status == 477: // 477: the account is being moved
		e.Class, e.Unknown = crm.Transient, true
	case (missingCode.MatchString(text) || ours && missingWords.MatchString(text)) && !strings.Contains(text, "hs_"):
		return notProvisioned(op)
	case status == http.StatusBadRequest && (takenCode.MatchString(text) || ours && takenWords.MatchString(text)):
		e.Class, e.Reason = crm.Refused, taken
	case strings.Contains(text, "VALIDATION_RULE"):
		// A rule of the account's administrator, enforced on API writes: a person can mend it.
		e.Class = crm.Stopped
	default:
		e.Class = crm.Refused
	}
	return e
}

// dailyLimit is the Reason where the calls of the day are used up.
const dailyLimit = "DAILY"

func policyWait(policy string) time.Duration {
	switch {
	case strings.Contains(policy, "TEN_SECONDLY"):
		return waitTenths
	}
	return waitSecondly
}

// reason returns the most telling code of the body.
func (p problem) reason() string {
	candidates := []string{}
	for _, e := range p.Errors {
		candidates = append(candidates, e.Code)
	}
	var sub string
	_ = json.Unmarshal(p.SubCategory, &sub) // a string or an object, depending on the API
	candidates = append(candidates, sub, p.PolicyName, p.Category, p.ErrorType)
	for _, s := range candidates {
		if code.MatchString(s) {
			return s
		}
	}
	return ""
}

// scopes returns the scopes that HubSpot says are required, in its order, each once.
func (p problem) scopes() []string {
	contexts := []json.RawMessage{p.RawContext}
	for _, e := range p.Errors {
		contexts = append(contexts, e.RawContext)
	}
	var names []string
	seen := map[string]bool{}
	for _, raw := range contexts {
		var ctx map[string]any
		_ = json.Unmarshal(raw, &ctx)
		for _, key := range []string{"requiredGranularScopes", "requiredScopes", "missingScopes"} {
			list, _ := ctx[key].([]any)
			for _, v := range list {
				s, _ := v.(string)
				if scopeName.MatchString(s) && !seen[s] {
					seen[s] = true
					names = append(names, s)
				}
			}
		}
	}
	return names
}

func asError(err error) (*crm.Error, bool) { return errors.AsType[*crm.Error](err) }

// conflicts tells whether another record has the value of a unique property.
func conflicts(err error) bool {
	e, ok := asError(err)
	return ok && e.Reason == taken
}

// unwelcome tells whether a request was refused for what is in it, which may be one value of several.
func unwelcome(err error) bool {
	return rest.HasStatus(err, http.StatusBadRequest) && !conflicts(err)
}

func refused(err error) bool {
	e, ok := asError(err)
	return ok && e.Class == crm.Refused
}

func notProvisioned(op string) error { return fmt.Errorf("%s: %w", op, crm.ErrNotProvisioned) }

// noResult is a success that doesn't say what was made.
func noResult(op string) error {
	return &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: http.StatusOK, Reason: "NO_RESULT"}
}

// unseen says that the record which has a unique value can't be read. It may be too new to be; the status is that of the
// read, so that whoever waits for it gives up in the end.
func unseen(kind string) error {
	return &crm.Error{Class: crm.Transient, Op: "read " + kind, Status: http.StatusNotFound, Reason: taken}
}

func gone(op string) error { return fmt.Errorf("%s: %w", op, crm.ErrGone) }

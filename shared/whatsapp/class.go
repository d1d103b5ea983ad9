package whatsapp

import "time"

// Class says what to do about an error.
type Class string

// The classes of errors.
const (
	ClassTransient Class = "transient" // try again with growing gaps
	ClassWait      Class = "wait"      // try again after RetryAfter, or after an event
	ClassPermanent Class = "permanent" // this request will never succeed
	ClassAccount   Class = "account"   // nothing of this number or account will, until a person acts
	ClassAmbiguous Class = "ambiguous" // it may have been sent: don't repeat blindly
	ClassNotSent   Class = "not-sent"  // the request was never written: try again
)

// verdict is what is known about a code.
type verdict struct {
	class   Class
	meaning string        // fit for a log
	wait    time.Duration // the least time before another attempt makes sense
}

// Codes of Meta's that say something beside the fate of one message.
const (
	CodeUnpaid   = 131042 // nobody would pay for it: templates are refused, answers aren't
	CodeOptedOut = 131050 // the recipient wants no marketing
)

// codes is Meta's table of error codes, each with what it means for the sender.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
var codes = map[int]verdict{
	0:      {ClassAccount, "app user not authenticated", 0},
	1:      {ClassTransient, "unknown error", 0},
	2:      {ClassTransient, "service temporarily down", 0},
	3:      {ClassAccount, "capability or permission missing", 0},
	4:      {ClassWait, "app rate limit", time.Minute},
	10:     {ClassAccount, "permission missing or removed", 0},
	33:     {ClassAccount, "business number deleted or unknown", 0},
	100:    {ClassPermanent, "invalid parameter", 0},
	190:    {ClassAccount, "access token expired or invalid", 0},
	368:    {ClassAccount, "account blocked for a policy violation", 0},
	613:    {ClassWait, "call permission query limit", time.Minute},
	80007:  {ClassWait, "business account rate limit", time.Minute},
	130429: {ClassTransient, "throughput limit", 0},
	130472: {ClassPermanent, "recipient is in an experiment of Meta", 0},
	130497: {ClassPermanent, "business may not message this country", 0},
	131000: {ClassTransient, "something went wrong", 0},
	131005: {ClassAccount, "access denied", 0},
	131008: {ClassPermanent, "required parameter missing", 0},
	131009: {ClassPermanent, "parameter value invalid", 0},
	131014: {ClassPermanent, "media link not fetched", 0},
	131016: {ClassTransient, "service unavailable", 0},
	131020: {ClassPermanent, "group invalid", 0},
	131021: {ClassPermanent, "recipient is the sender", 0},
	131026: {ClassPermanent, "message undeliverable to this recipient", 0},
	131030: {ClassPermanent, "recipient not on the test number's list", 0},
	131031: {ClassAccount, "account locked", 0},
	131035: {ClassPermanent, "webhook not delivered within retention", 0},
	131036: {ClassPermanent, "payload not delivered within retention", 0},
	131037: {ClassAccount, "display name not approved", 0},
	131041: {ClassPermanent, "group unknown", 0},
	131042: {ClassAccount, "payment method missing or invalid", 0},
	131044: {ClassAccount, "payment method missing for calls", 0},
	131045: {ClassAccount, "number not registered or certificate wrong", 0},
	131047: {ClassPermanent, "outside the customer service window", 0},
	131048: {ClassWait, "spam rate limit", time.Hour},
	// Growing gaps of at least a day: a faster repeat counts against the sender.
	131049: {ClassWait, "marketing limit of this recipient", 24 * time.Hour},
	131050: {ClassPermanent, "recipient stopped marketing messages", 0},
	131051: {ClassPermanent, "message type unsupported", 0},
	131052: {ClassPermanent, "media of the customer not downloadable", 0},
	131053: {ClassPermanent, "media not accepted", 0},
	131055: {ClassPermanent, "method not allowed for this message", 0},
	// One message in 6 seconds to one recipient; each further refusal calls for
	// four times the wait. https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits
	131056: {ClassTransient, "rate limit of this recipient", 6 * time.Second},
	131057: {ClassTransient, "number in maintenance", time.Minute},
	131059: {ClassPermanent, "page cursor invalid", 0},
	131060: {ClassPermanent, "message unavailable", 0},
	131062: {ClassPermanent, "message needs a phone number", 0},
	131063: {ClassPermanent, "marketing templates disabled on this API", 0},
	131064: {ClassWait, "template classification limit", time.Hour},
	// https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/error-codes
	131207: {ClassPermanent, "group suspended", 0},
	131208: {ClassWait, "rate limit of group operations", time.Minute},
	131215: {ClassPermanent, "number may not use groups", 0},
	132000: {ClassPermanent, "template parameter count wrong", 0},
	132001: {ClassPermanent, "template or language not found or not approved", 0},
	132005: {ClassPermanent, "template text too long", 0},
	132007: {ClassPermanent, "template violates policy", 0},
	132008: {ClassPermanent, "template parameter format wrong", 0},
	132012: {ClassPermanent, "template parameter format wrong", 0},
	132015: {ClassWait, "template paused", time.Hour},
	132016: {ClassPermanent, "template disabled", 0},
	132018: {ClassPermanent, "template parameter format wrong", 0},
	132068: {ClassPermanent, "flow blocked", 0},
	132069: {ClassWait, "flow throttled", time.Hour},
	133000: {ClassAccount, "deregistration incomplete", 0},
	133004: {ClassTransient, "registration service down", 0},
	133005: {ClassAccount, "two-step PIN wrong", 0},
	133006: {ClassAccount, "number must be verified again", 0},
	133008: {ClassWait, "too many PIN attempts", time.Hour},
	133009: {ClassWait, "PIN entered too fast", time.Minute},
	133010: {ClassAccount, "number not registered", 0},
	133015: {ClassWait, "number was just deleted", 5 * time.Minute},
	133016: {ClassWait, "registration attempts exceeded", time.Hour},
	134011: {ClassPermanent, "payment terms not accepted", 0}, // of bills; other messages don't need them
	134100: {ClassPermanent, "only marketing messages allowed here", 0},
	134101: {ClassWait, "template still syncing", 10 * time.Minute},
	134102: {ClassPermanent, "template unavailable here", 0},
	135000: {ClassPermanent, "generic user error", 0},
	137000: {ClassPermanent, "recipient's identity changed", 0},
	// https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/troubleshooting
	138000: {ClassPermanent, "calling not enabled on this number", 0},
	138001: {ClassPermanent, "recipient can't be called", 0},
	138002: {ClassWait, "limit of simultaneous calls", time.Minute},
	138003: {ClassWait, "already in a call with the recipient", time.Minute},
	138004: {ClassTransient, "call not connected", 0},
	138005: {ClassWait, "call rate limit", time.Minute},
	138006: {ClassPermanent, "recipient hasn't allowed calls", 0},
	138007: {ClassTransient, "call not connected in time", 0},
	138009: {ClassPermanent, "permission to call asked for too often", 0},
	138012: {ClassPermanent, "limit of calls to this recipient", 0},
	138013: {ClassPermanent, "number may not call", 0},
	138014: {ClassPermanent, "calling disabled for low quality", 0},
	138015: {ClassPermanent, "calling can't be enabled", 0},
	138017: {ClassPermanent, "recipient has allowed calls already", 0},
	138018: {ClassPermanent, "calling can't be enabled", 0},
	// https://developers.facebook.com/docs/whatsapp/flows/reference/error-codes
	139000: {ClassPermanent, "flows blocked for integrity", 0},
	// https://developers.facebook.com/docs/whatsapp/cloud-api/block-users#error-codes
	139101: {ClassPermanent, "block list full", 0},
	139102: {ClassTransient, "block list changed meanwhile", 0},
	139103: {ClassTransient, "block list out of order", 0},

	2388001: {ClassPermanent, "migration refused", 0},
	2388012: {ClassPermanent, "migration refused", 0},
	2388019: {ClassPermanent, "limit of templates", 0},
	2388091: {ClassPermanent, "migration refused", 0},
	2388093: {ClassPermanent, "migration refused", 0},
	2388103: {ClassPermanent, "migration refused", 0},
	2494100: {ClassTransient, "number in maintenance", time.Minute},
}

// codeRanges are the families of codes that mean the same to a sender; a code
// of its own in the table above comes first.
var codeRanges = []struct {
	from, to int
	verdict
}{
	{200, 299, verdict{ClassAccount, "permission missing", 0}},
	{131201, 131215, verdict{ClassPermanent, "group refused", 0}},
	{138000, 138018, verdict{ClassPermanent, "call refused", 0}},
	{138019, 138023, verdict{ClassPermanent, "call failed", 0}}, // only in webhooks
	{139000, 139004, verdict{ClassPermanent, "flow refused", 0}},
	{139100, 139103, verdict{ClassPermanent, "block list refused", 0}},
	{147001, 147005, verdict{ClassPermanent, "username refused", 0}},
	{200005, 200007, verdict{ClassPermanent, "template insights refused", 0}},
	{2388000, 2388999, verdict{ClassPermanent, "template refused", 0}},
	{2593079, 2593085, verdict{ClassPermanent, "change of owner refused", 0}},
	{2593107, 2593109, verdict{ClassPermanent, "sync with the phone app refused", 0}},
}

func lookUp(code int) (verdict, bool) {
	if v, ok := codes[code]; ok {
		return v, true
	}
	for _, r := range codeRanges {
		if r.from <= code && code <= r.to {
			return r.verdict, true
		}
	}
	return verdict{}, false
}

// classify sets Class and RetryAfter from the code, or for a code that isn't
// in the table from what Meta and the HTTP status say. A no without an error
// object is that of a server on the way, and not the API's last word.
func (e *Error) classify() {
	if e.Code == 100 && e.Subcode == 33 && e.object {
		// "Does not exist, cannot be loaded due to missing permissions": the
		// token may have lost its asset, so waiting beats losing.
		e.Class = ClassAccount
		return
	}
	if v, ok := lookUp(e.Code); ok && e.object {
		e.Class, e.RetryAfter = v.class, v.wait
		return
	}
	switch {
	case e.HTTPStatus == 401 && !e.object:
		e.Class = ClassAccount
	case !e.object, e.Transient, e.HTTPStatus >= 500, e.HTTPStatus == 429, e.HTTPStatus == 408:
		e.Class = ClassTransient
	default:
		e.Class = ClassPermanent
	}
}

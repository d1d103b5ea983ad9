package pipedrive

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// The waits that Pipedrive doesn't name.
const (
	window       = 2 * time.Second  // of the burst limit
	withoutWord  = time.Minute      // after a 429 that doesn't say which limit it is
	afterBlocked = 10 * time.Minute // after Cloudflare has shut us out
)

// The reasons of an answer of Cloudflare's.
const (
	blocked    = "BLOCKED_FOR_TOO_MANY_CALLS"
	firewalled = "BLOCKED_FOR_ITS_CONTENT"
)

// code is what may stand in a log: a word of Pipedrive's, such as feature_capping_deals_limit.
var code = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{2,60}$`)

func word(said, otherwise string) string {
	if code.MatchString(said) {
		return said
	}
	return otherwise
}

// classify reads an answer that isn't 2xx. nil leaves it to its status alone.
// https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes
func (c *Connector) classify(op string, a rest.Answer) error {
	var body envelope
	readable := json.Unmarshal(a.Body, &body) == nil && body.Success != nil
	e := &crm.Error{Op: op, Status: a.Status, Reason: word(body.Code, "")}
	switch a.Status {
	case http.StatusTooManyRequests:
		e.Class, e.After = crm.Limited, c.pause(a.Header)
	case http.StatusForbidden:
		e.Class = crm.Stopped
		if !readable {
			// Not Pipedrive but Cloudflare before it, for too many calls in spite of 429. It is no matter of permissions.
			e.Class, e.Reason, e.After = crm.Limited, blocked, max(afterBlocked, rest.RetryAfter(a.Header))
		}
	case http.StatusUnauthorized:
		e.Class, e.Reason = crm.Stopped, "INVALID_TOKEN"
	case http.StatusUnsupportedMediaType: // "Feature is not enabled"
		e.Class = crm.Stopped
	default:
		return nil
	}
	return e
}

// blame finds out whether a write that Cloudflare refuses is refused for what is in it, as firewalls do: then the calls that
// hold something else go through. It mustn't pass for a limit, because a limit stops all entries, and this one would be the
// first to be tried again, for ever.
func (c *Connector) blame(ctx context.Context, o operation, err error) error {
	e, ok := errors.AsType[*crm.Error](err)
	if !ok || e.Reason != blocked || o.method == http.MethodGet {
		return err
	}
	if _, failed := c.call(ctx, operation{"read user", http.MethodGet, "base"}, "/v1/users/me", nil, nil); failed == nil {
		e.Class, e.Reason, e.After = crm.Transient, firewalled, 0
	}
	return err
}

// pause is how long to wait after a 429. There are a window of two seconds and a day's budget of tokens, which is
// renewed at midnight in a time zone that Pipedrive doesn't name: at a whole hour, so that is when to look again. The
// header of the budget isn't documented, but sent. The day's POST and PUT calls are counted too, in UTC, and nobody says
// that the 429 is for them: that too is no longer wait than an hour.
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
func (c *Connector) pause(h http.Header) time.Duration {
	asked := rest.RetryAfter(h)
	if h.Get("x-daily-requests-left") == "0" || h.Get("x-daily-ratelimit-token-remaining") == "0" {
		now := c.config.Now().UTC()
		return max(asked, now.Truncate(time.Hour).Add(time.Hour).Sub(now))
	}
	seconds, err := strconv.ParseFloat(h.Get("x-ratelimit-reset"), 64)
	if h.Get("x-ratelimit-remaining") != "0" || err != nil || seconds < 0 || seconds > 3600 {
		return max(asked, withoutWord)
	}
	return max(asked, window, time.Duration(seconds*float64(time.Second)))
}

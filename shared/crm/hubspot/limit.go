package hubspot

import (
	"context"
	"net/http"
	"time"

	"threadline/shared/crm"
)

// Account information has a version of its own.
// https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
const accountPath = "/account-info/2026-03/details"

// readAccount asks who we are, and remembers the account's time zone.
func (c *Connector) readAccount(ctx context.Context) error {
	var account struct {
		Offset *int64 `json:"utcOffsetMilliseconds"`
	}
	err := c.rest.JSON(ctx, "read account", http.MethodGet, accountPath, nil, &account)
	if err == nil && account.Offset != nil {
		c.mu.Lock()
		c.zone = time.FixedZone("", int(*account.Offset/1000))
		c.mu.Unlock()
	}
	return err
}

// paused sets how long to wait after the day's calls are used up: until midnight of the account's time zone. Where that
// isn't known, because HubSpot doesn't even answer this any more, it is tried once an hour.
func (c *Connector) paused(ctx context.Context, err error) error {
	e, ok := asError(err)
	if !ok || e.Class != crm.Limited || e.Reason != dailyLimit {
		return err
	}
	c.mu.Lock()
	zone := c.zone
	c.mu.Unlock()
	if zone == nil && c.readAccount(ctx) == nil {
		c.mu.Lock()
		zone = c.zone
		c.mu.Unlock()
	}
	if zone != nil {
		now := c.now().In(zone)
		midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 1, 0, 0, zone) // a minute for clocks that differ
		e.After = max(e.After, midnight.Sub(now))
		return err
	}
	e.After = max(e.After, waitDaily)
	return err
}

package pipedrive

import (
	"context"
	"net/http"
	"strings"

	"threadline/shared/crm"
)

const hooksPath = "/v1/webhooks"

// hook is a webhook as API v1 gives it.
type hook struct {
	ID       int64   `json:"id"`
	URL      string  `json:"subscription_url"`
	Action   string  `json:"event_action"`
	Object   string  `json:"event_object"`
	Version  string  `json:"version"`
	Active   looseID `json:"is_active"`
	User     *string `json:"http_auth_user"`
	Password *string `json:"http_auth_password"`
}

// provisionHook makes one webhook for notes that calls HookURL, and takes away others of ours with that address: one that
// Pipedrive has switched off, one with an old password, a second one.
func (c *Connector) provisionHook(ctx context.Context) error {
	if c.config.HookURL == "" {
		return nil
	}
	password, err := c.hookPassword(ctx)
	if err != nil {
		return err
	}
	var hooks []hook
	if _, err := c.call(ctx, operation{"list webhooks", http.MethodGet, administer}, hooksPath, nil, &hooks); err != nil {
		return err
	}
	there := false
	for _, h := range hooks {
		if h.URL != c.config.HookURL || h.Object != "note" {
			continue
		}
		if !there && c.serves(h, password) {
			there = true
			continue
		}
		o := operation{"delete webhook", http.MethodDelete, administer}
		if _, err := c.call(ctx, o, hooksPath+"/"+text(h.ID), nil, nil); err != nil && !missing(err) {
			return err
		}
	}
	if there {
		return nil
	}
	_, err = c.call(ctx, operation{"create webhook", http.MethodPost, administer}, hooksPath, map[string]any{
		"subscription_url": c.config.HookURL, "event_action": "*", "event_object": "note", "name": "Threadline", "version": "2.0",
		"http_auth_user": c.config.HookUser, "http_auth_password": password,
	}, nil)
	return err
}

// serves tells whether a webhook is as it should be. A password that isn't shown, or only as stars, is taken for right.
func (c *Connector) serves(h hook, password string) bool {
	shown := h.Password != nil && strings.Trim(*h.Password, "*") != ""
	return h.Active != "0" && h.Action == "*" && (h.Version == "2.0" || h.Version == "2") &&
		(h.User == nil || *h.User == c.config.HookUser) && (!shown || *h.Password == password)
}

func (c *Connector) hookPassword(ctx context.Context) (string, error) {
	if c.config.HookPassword == nil {
		return "", &crm.Error{Class: crm.Stopped, Op: "read webhook password", Reason: "NO_WEBHOOK_PASSWORD"}
	}
	password, err := c.config.HookPassword(ctx)
	if err != nil {
		return "", &crm.Error{Class: crm.Transient, Op: "read webhook password", Reason: "NO_CREDENTIALS", Err: err}
	}
	if password == "" {
		return "", &crm.Error{Class: crm.Stopped, Op: "read webhook password", Reason: "NO_WEBHOOK_PASSWORD"}
	}
	return password, nil
}

package odoo

import (
	"context"
	"errors"

	"threadline/shared/crm"
)

// needed are the rights without which nothing can be written.
var needed = [][2]string{{partnerModel, "create"}, {partnerModel, "write"}, {messageModel, "create"}, {attachmentModel, "create"}}

// Check logs in and asks for each right.
func (c *Connector) Check(ctx context.Context) error {
	for _, right := range needed {
		ok, err := c.may(ctx, right[0], right[1])
		if err != nil {
			return err
		}
		if !ok {
			return lacks("check rights", right[0])
		}
	}
	return nil
}

// The rule that tells us of messages, and what it does.
const (
	ruleModel   = "base.automation"
	actionModel = "ir.actions.server"
	hookRule    = "hook_rule"
)

// Provision makes the rule that calls HookURL when somebody sends a message from a contact's chatter, if the user may: an
// administrator may, and nothing else depends on it. FetchOutbound finds the messages without a call too.
func (c *Connector) Provision(ctx context.Context) error {
	if c.config.HookURL == "" {
		return nil
	}
	for _, model := range []string{ruleModel, actionModel} {
		allowed, err := c.may(ctx, model, "create")
		if e, ok := classified(err); ok && e.Class != crm.Transient && e.Class != crm.Limited {
			return nil // the module isn't installed
		}
		if err != nil || !allowed {
			return err
		}
	}
	token, err := c.config.HookToken(ctx)
	if err != nil {
		return &crm.Error{Class: crm.Transient, Op: "make hook", Reason: "NO_CREDENTIALS", Err: err}
	}
	if token == "" {
		return nil // nobody could tell Odoo's calls from others
	}
	for _, r := range hook(hookURL(c.config.HookURL, token)) {
		if _, err := c.load(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// hook is the rule and its action. An administrator who switches the rule off isn't overruled: active isn't set.
func hook(url string) []row {
	rule := row{op: "make hook", model: ruleModel, name: hookRule, context: map[string]any{"active_test": false}}
	rule.set("name", "Threadline: send as WhatsApp message")
	rule.set("model_id/id", "base.model_res_partner")
	rule.set("trigger", "on_message_sent")

	action := row{op: "make hook", model: actionModel, name: "hook_action", context: rule.context}
	action.set("name", "Threadline: tell of the message")
	action.set("model_id/id", "base.model_res_partner")
	action.set("state", "webhook")
	action.set("webhook_url", url)
	action.set("usage", "base_automation")
	action.set("base_automation_id/id", module+"."+hookRule)
	return []row{rule, action}
}

func classified(err error) (*crm.Error, bool) { return errors.AsType[*crm.Error](err) }

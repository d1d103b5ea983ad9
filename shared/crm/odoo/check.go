package odoo

import (
	"context"
	"errors"
	"strings"

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

// The rule that tells us of messages, and the actions that do.
const (
	ruleModel   = "base.automation"
	actionModel = "ir.actions.server"
	hookRule    = "hook_rule"
)

// Provision makes the rule that calls HookURL when somebody sends a message from a contact's chatter, and the action in the
// contacts' menu that does so by hand, if the user may: an administrator may, and nothing else depends on it, so that one
// which Odoo refuses to make stops nothing. FetchOutbound finds the messages without a call too.
func (c *Connector) Provision(ctx context.Context) error {
	if c.config.HookURL == "" {
		return nil
	}
	if actions, err := c.makes(ctx, actionModel); err != nil || !actions {
		return err
	}
	rules, err := c.makes(ctx, ruleModel)
	if err != nil {
		return err
	}
	token, err := c.config.HookToken(ctx)
	if err != nil {
		return &crm.Error{Class: crm.Transient, Op: "make hook", Reason: "NO_CREDENTIALS", Err: err}
	}
	if token == "" {
		return nil // nobody could tell Odoo's calls from others
	}
	address := hookURL(c.config.HookURL, token)
	rows := []row{menu(address)}
	if rules {
		rows = append(rows, hook(address)...)
	}
	for _, r := range rows {
		_, err := c.load(ctx, r)
		if e, ok := classified(err); ok && (e.Class == crm.Refused || strings.HasPrefix(e.Reason, refused)) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makes tells whether the user may make records of a model. Nobody may where its module isn't installed.
func (c *Connector) makes(ctx context.Context, model string) (bool, error) {
	allowed, err := c.may(ctx, model, "create")
	if e, ok := classified(err); ok && e.Class != crm.Transient && e.Class != crm.Limited {
		return false, nil
	}
	return allowed, err
}

// hook is the rule and its action. A rule that is there is left alone: an administrator who switches it off isn't overruled,
// and whenever one is written Odoo loads all its models anew. The action is written, because the address may have changed.
// https://github.com/odoo/odoo/blob/19.0/addons/base_automation/models/base_automation.py _update_registry
func hook(url string) []row {
	rule := row{op: "make hook", model: ruleModel, name: hookRule, context: quietly}
	rule.set("name", "Threadline: send as WhatsApp message")
	rule.set("model_id/id", "base.model_res_partner")
	rule.set("trigger", "on_message_sent")

	action := tell("hook_action", "Threadline: tell of the message", url)
	action.set("usage", "base_automation")
	action.set("base_automation_id/id", module+"."+hookRule)
	return []row{rule, action}
}

// menu is what users find below Actions on contacts. Odoo tells of each chosen contact in a call of its own.
func menu(url string) row {
	action := tell("menu_action", "Send WhatsApp", url)
	action.set("binding_model_id/id", "base.model_res_partner")
	return action
}

// tell is an action that calls url.
func tell(name, label, url string) row {
	action := row{op: "make hook", model: actionModel, name: name}
	action.set("name", label)
	action.set("model_id/id", "base.model_res_partner")
	action.set("state", "webhook")
	action.set("webhook_url", url)
	return action
}

func classified(err error) (*crm.Error, bool) { return errors.AsType[*crm.Error](err) }

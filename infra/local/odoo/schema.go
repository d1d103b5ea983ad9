package odoo

import "strings"

// field is what a model has.
type field struct {
	Type      string   // as fields_get tells it
	Label     string   // as a user sees it
	Relation  string   // model of what it points at
	Selection []string // the values that there are
	ReadOnly  bool     // in fields_get: load sets it all the same
	Derived   bool     // computed when it is read
	Sanitize  bool     // HTML
}

type schema map[string]map[string]field

func lower(s string) string { return strings.ToLower(s) }

// common is what every model has.
var common = map[string]field{
	"id":           {Type: "integer", Label: "ID", ReadOnly: true},
	"display_name": {Type: "char", Label: "Display Name", ReadOnly: true, Derived: true},
	"create_uid":   {Type: "many2one", Label: "Created by", Relation: "res.users", ReadOnly: true},
	"create_date":  {Type: "datetime", Label: "Created on", ReadOnly: true},
	"write_uid":    {Type: "many2one", Label: "Last Updated by", Relation: "res.users", ReadOnly: true},
	"write_date":   {Type: "datetime", Label: "Last Updated on", ReadOnly: true},
}

func schemaOf(o Options) schema {
	s := schema{
		"res.partner": {
			"name":          {Type: "char", Label: "Name"},
			"phone":         {Type: "char", Label: "Phone"},
			"email":         {Type: "char", Label: "Email"},
			"active":        {Type: "boolean", Label: "Active"},
			"type":          {Type: "selection", Label: "Address Type", Selection: []string{"contact", "invoice", "delivery", "other"}},
			"country_id":    {Type: "many2one", Label: "Country", Relation: "res.country"},
			"partner_share": {Type: "boolean", Label: "Share Partner", ReadOnly: true, Derived: true},
			"lang":          {Type: "selection", Label: "Language", Selection: []string{"en_US", "es_ES"}},
			"tz":            {Type: "selection", Label: "Timezone", Selection: []string{"UTC", "Europe/Madrid"}},

			"message_partner_ids": {Type: "many2many", Label: "Followers (Partners)", Relation: "res.partner"},
		},
		"mail.message": {
			"body":           {Type: "html", Label: "Contents", Sanitize: true},
			"date":           {Type: "datetime", Label: "Date"},
			"model":          {Type: "char", Label: "Related Document Model"},
			"res_id":         {Type: "many2one_reference", Label: "Related Document ID"},
			"message_type":   {Type: "selection", Label: "Type", Selection: messageTypes},
			"subtype_id":     {Type: "many2one", Label: "Subtype", Relation: "mail.message.subtype"},
			"is_internal":    {Type: "boolean", Label: "Employee Only"},
			"author_id":      {Type: "many2one", Label: "Author", Relation: "res.partner"},
			"message_id":     {Type: "char", Label: "Message-Id", ReadOnly: true},
			"attachment_ids": {Type: "many2many", Label: "Attachments", Relation: "ir.attachment"},
			"partner_ids":    {Type: "many2many", Label: "Recipients", Relation: "res.partner"},
		},
		"mail.message.subtype": {
			"name":     {Type: "char", Label: "Message Type"},
			"internal": {Type: "boolean", Label: "Internal Only"},
		},
		"ir.attachment": {
			"name":        {Type: "char", Label: "Name"},
			"datas":       {Type: "binary", Label: "File Content (base64)", Derived: true},
			"mimetype":    {Type: "char", Label: "Mime Type", ReadOnly: true},
			"res_model":   {Type: "char", Label: "Resource Model"},
			"res_id":      {Type: "many2one_reference", Label: "Resource ID"},
			"public":      {Type: "boolean", Label: "Is public document"},
			"type":        {Type: "selection", Label: "Type", Selection: []string{"url", "binary"}},
			"store_fname": {Type: "char", Label: "Stored Filename"},
			"file_size":   {Type: "integer", Label: "File Size", ReadOnly: true},
			"checksum":    {Type: "char", Label: "Checksum/SHA1", ReadOnly: true},
		},
		"res.users": {
			"name":       {Type: "char", Label: "Name"},
			"login":      {Type: "char", Label: "Login"},
			"tz":         {Type: "selection", Label: "Timezone"},
			"partner_id": {Type: "many2one", Label: "Related Partner", Relation: "res.partner"},
		},
		"res.country": {"name": {Type: "char", Label: "Country Name"}, "code": {Type: "char", Label: "Country Code"}},
		"ir.model":    {"name": {Type: "char", Label: "Model Description"}, "model": {Type: "char", Label: "Model"}},
		"ir.model.data": {
			"name": {Type: "char", Label: "External Identifier"}, "module": {Type: "char", Label: "Module"},
			"model": {Type: "char", Label: "Model Name"}, "res_id": {Type: "many2one_reference", Label: "Record ID"},
		},
		"base.automation": {
			"name":     {Type: "char", Label: "Automation Rule Name"},
			"model_id": {Type: "many2one", Label: "Model", Relation: "ir.model"},
			"trigger":  {Type: "selection", Label: "Trigger", Selection: triggers},
			"active":   {Type: "boolean", Label: "Active"},
		},
		"ir.actions.server": {
			"name":               {Type: "char", Label: "Name"},
			"model_id":           {Type: "many2one", Label: "Model", Relation: "ir.model"},
			"state":              {Type: "selection", Label: "Type", Selection: []string{"object_write", "object_create", "next_activity", "mail_post", "followers", "code", "webhook", "multi"}},
			"usage":              {Type: "selection", Label: "Usage", Selection: []string{"ir_actions_server", "ir_cron", "base_automation"}},
			"webhook_url":        {Type: "char", Label: "Webhook URL"},
			"base_automation_id": {Type: "many2one", Label: "Automation Rule", Relation: "base.automation"},
			"binding_model_id":   {Type: "many2one", Label: "Binding Model", Relation: "ir.model"},
		},
	}
	if o.NoAutomation {
		delete(s, "base.automation")
		delete(s["ir.actions.server"], "base_automation_id")
	}
	partner := s["res.partner"]
	if o.Version < 19 {
		partner["mobile"] = field{Type: "char", Label: "Mobile"}
	}
	if !o.NoPhoneValidation {
		partner["phone_sanitized"] = field{Type: "char", Label: "Sanitized Number", ReadOnly: true, Derived: true}
	}
	for _, fields := range s {
		for name, f := range common {
			fields[name] = f
		}
	}
	return s
}

var messageTypes = []string{"email", "comment", "email_outgoing", "notification", "auto_comment", "user_notification"}

var triggers = []string{
	"on_stage_set", "on_user_set", "on_tag_set", "on_state_set", "on_priority_set", "on_archive", "on_unarchive",
	"on_create_or_write", "on_unlink", "on_change", "on_time", "on_time_created", "on_time_updated",
	"on_message_received", "on_message_sent", "on_webhook",
}

// required is what a record can't be without.
var required = map[string][]string{
	"ir.attachment":     {"name"},
	"mail.message":      {"message_type"},
	"base.automation":   {"name", "model_id", "trigger"},
	"ir.actions.server": {"name", "model_id", "state", "usage"},
}

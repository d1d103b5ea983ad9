package espocrm

// messages is the entity that an administrator makes for the conversation.
const messages = "CWhatsappMessage"

// setUp is what an administrator does once, as the documentation of the connector says: an entity for messages, a few
// fields, the role, a webhook. What is there already stays.
func (s *Simulator) setUp() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grant(messages)
	if s.entities[messages] == nil {
		if err := s.makeEntities(); err != nil {
			return err
		}
	}
	hooked := s.options.HookURL == ""
	s.each(webhooks, func(rec *record) { hooked = hooked || rec.text("url") == s.options.HookURL })
	if hooked {
		return nil
	}
	hook := s.newRecord(webhooks, administrator)
	for name, value := range map[string]any{
		"event": messages + ".create", "url": s.options.HookURL, "isActive": true, "secretKey": s.options.HookSecret, "userId": apiUser.id,
	} {
		hook.Attr[name] = value
	}
	return s.commit(change{Record: hook})
}

func (s *Simulator) makeEntities() error {
	if _, err := s.createEntity(map[string]any{"name": "WhatsappMessage", "type": "Base"}); err != nil {
		return err
	}
	if _, err := s.updateField(messages, "name", map[string]any{"required": false}); err != nil {
		return err
	}
	for _, f := range []map[string]any{
		{"name": "dateSent", "type": "datetime"},
		{"name": "direction", "type": "enum", "options": []string{"In", "Out"}, "default": "Out"},
		{"name": "body", "type": "text"},
		{"name": "status", "type": "varchar", "maxLength": 255},
		{"name": "threadlineKey", "type": "varchar", "maxLength": 64},
		{"name": "files", "type": "attachmentMultiple"},
	} {
		if _, err := s.createField(messages, f); err != nil {
			return err
		}
	}
	for _, name := range []string{"threadlineId", "whatsappUsername", "whatsappUserId", "whatsappMarketing"} {
		if _, err := s.createField(contacts, map[string]any{"name": name, "type": "varchar", "maxLength": 100}); err != nil {
			return err
		}
	}
	_, err := s.createLink(map[string]any{
		"entity": contacts, "entityForeign": messages, "linkType": "oneToMany",
		"link": "whatsappMessages", "linkForeign": "contact", "label": "WhatsApp messages", "labelForeign": "Contact",
	})
	return err
}

// Grant gives the API user's role everything on an entity, as an administrator does in Roles.
func (s *Simulator) Grant(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grant(scope)
}

func (s *Simulator) grant(scope string) {
	s.role[scope] = map[string]string{"create": "yes", "read": "all", "edit": "all", "delete": "no"}
}

package espocrm

// stockRole is the role of the API user, as the connector's document asks for it, and the right to delete contacts that
// its tests use. Notes and attachments of one's own need no permission. https://github.com/espocrm/espocrm/blob/master/application/Espo/Resources/metadata/app/acl.json
var stockRole = map[string]map[string]string{
	contacts:    {"create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "all"},
	notes:       {"create": "yes", "read": "own", "edit": "own", "delete": "own"},
	attachments: {"create": "yes", "read": "own", "edit": "own", "delete": "own"},
}

// may tells whether a user's role has an action on a type of records.
func (s *Simulator) may(u user, scope, action string) error {
	level := s.role[scope][action]
	if u.admin || level != "" && level != "no" {
		return nil
	}
	return forbidden("No '" + action + "' access.")
}

// appUser answers what the caller may do. https://docs.espocrm.com/development/api/#authentication-token-user-specific-data
func (s *Simulator) appUser(r *request) (any, error) {
	if len(r.parts) != 2 || r.parts[1] != "user" {
		return nil, notFound()
	}
	table := map[string]any{}
	for scope, levels := range s.role {
		if len(levels) > 0 {
			table[scope] = levels
		}
	}
	return map[string]any{
		"user": map[string]any{"id": r.user.id, "name": r.user.name},
		"acl":  map[string]any{"table": table},
	}, nil
}

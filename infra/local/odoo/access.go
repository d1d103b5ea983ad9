package odoo

import "slices"

// What an internal user with the right to create contacts may do. ir.model.data isn't there: external ids are nobody's
// to read. Whoever has a right may lose it, see Forbid.
var rights = map[string][]string{
	"res.partner":          {"read", "create", "write", "unlink"},
	"mail.message":         {"read", "create", "write", "unlink"},
	"ir.attachment":        {"read", "create", "write", "unlink"},
	"mail.message.subtype": {"read"},
	"res.users":            {"read"},
	"res.country":          {"read"},
}

var verbs = map[string]string{"read": "access", "create": "create", "write": "modify", "unlink": "delete"}

func (t *tx) has(model, operation string) bool {
	if slices.Contains(t.s.faults.forbidden[model], operation) && t.user == integrationUser {
		return false
	}
	return t.user == integrationUser && t.s.options.Admin || slices.Contains(rights[model], operation)
}

func (t *tx) allowed(model, operation string) error {
	if t.has(model, operation) {
		return nil
	}
	return accessError(verbs[operation], model, model)
}

package check

import (
	"fmt"
	"slices"
	"strings"
)

type statement struct {
	effect    string
	actions   []any
	resources []any
}

// statements of a role, all of them inline.
func (t *template) statements(name string) []statement {
	var all []statement
	for _, policy := range list(t.at(name, "Policies")) {
		policy, _ := policy.(map[string]any)
		document, _ := policy["PolicyDocument"].(map[string]any)
		for _, s := range list(document["Statement"]) {
			s, _ := s.(map[string]any)
			effect, _ := s["Effect"].(string)
			all = append(all, statement{effect, list(s["Action"]), list(s["Resource"])})
		}
	}
	return all
}

// allows reports whether a function's role names an action on a resource of the stack.
func (t *template) allows(f, action, on string) bool {
	for _, s := range t.statements(target(t.at(f, "Role"))) {
		named := slices.ContainsFunc(s.resources, func(r any) bool { return target(r) == on })
		if s.effect == "Allow" && named && slices.Contains(s.actions, any(action)) {
			return true
		}
	}
	return false
}

// roles: each function and each schedule has its own, made of inline statements that name what they allow.
func roles(t *template) (problems []string) {
	used := map[string]string{}
	use := func(by string, v any) {
		r := target(v)
		switch {
		case t.Resources[r].Type != role:
			problems = append(problems, by+": no role of its own")
		case used[r] != "":
			problems = append(problems, fmt.Sprintf("%s: shares %s with %s", by, r, used[r]))
		}
		used[r] = by
	}
	for _, f := range t.of(function) {
		use(f, t.at(f, "Role"))
	}
	for _, s := range t.of(schedule) {
		use(s, t.at(s, "Target", "RoleArn"))
	}
	for _, r := range t.of(role) {
		if used[r] == "" {
			problems = append(problems, r+": belongs to no function and no schedule")
		}
		if t.at(r, "ManagedPolicyArns") != nil {
			problems = append(problems, r+": a managed policy, whose content is somebody else's decision")
		}
		problems = append(problems, t.wide(r)...)
	}
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::User"} {
		for _, name := range t.of(kind) {
			problems = append(problems, name+": rights belong into the function's role")
		}
	}
	return problems
}

// wide finds statements that allow what they don't name. A resource may end in a wildcard below a name of ours (a
// bucket's prefix), never begin or consist of one.
func (t *template) wide(name string) (problems []string) {
	if len(t.statements(name)) == 0 {
		problems = append(problems, name+": no inline statement")
	}
	for _, s := range t.statements(name) {
		for _, action := range s.actions {
			if strings.Contains(text(action), "*") {
				problems = append(problems, fmt.Sprintf("%s: action %s", name, text(action)))
			}
		}
		for _, r := range s.resources {
			if value := text(r); !strings.Contains(value, "Ref") && !strings.Contains(value, "Fn::") || strings.Contains(value, `"*"`) {
				problems = append(problems, fmt.Sprintf("%s: %s on %s, which the stack doesn't own", name, text(s.actions), value))
			}
		}
	}
	return problems
}

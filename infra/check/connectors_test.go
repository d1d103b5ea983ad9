package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"threadline/shared/crm/known"
)

// connectors: CrmConnector takes those that there are, says which ones when it refuses another, and what a connector can't
// do without is asked for before anything is deployed.
func connectors(t *template) (problems []string) {
	p := t.Parameters["CrmConnector"]
	allowed := regexp.MustCompile("^(?:" + p.AllowedPattern + ")$")
	for _, name := range known.Names() {
		if !allowed.MatchString(name) || !allowed.MatchString("hubspot,"+name) {
			problems = append(problems, "CrmConnector: refuses "+name)
		}
		if !strings.Contains(p.ConstraintDescription, name) {
			problems = append(problems, "CrmConnector: its refusal doesn't name "+name)
		}
		problems = append(problems, t.unasked(name)...)
	}
	for _, wrong := range []string{"", "hubspto", "hubspot,none", "hubspot, odoo"} {
		if allowed.MatchString(wrong) {
			problems = append(problems, fmt.Sprintf("CrmConnector: takes %q", wrong))
		}
	}
	return problems
}

// unasked are the settings that a connector needs and no rule asks for.
func (t *template) unasked(connector string) (problems []string) {
	var needs []string
	if err := known.Check([]string{connector}, known.Settings{}); err != nil {
		for line := range strings.Lines(err.Error()) {
			variable, _, _ := strings.Cut(line, ":")
			needs = append(needs, t.parameterOf(variable))
		}
	}
	whole := map[string]string{"CrmConnector": connector}
	for _, name := range needs {
		whole[name] = "given"
	}
	if said := t.refusals(whole); len(said) > 0 {
		problems = append(problems, fmt.Sprintf("Rules: refuse %s, which has all it needs: %q", connector, said))
	}
	for _, name := range needs {
		whole[name] = ""
		if said := t.refusals(whole); !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, name) }) {
			problems = append(problems, fmt.Sprintf("Rules: %s without %s is deployed", connector, name))
		}
		whole[name] = "given"
	}
	return problems
}

// parameterOf is the parameter that a variable of a function is set to.
func (t *template) parameterOf(variable string) string {
	for name := range t.Parameters {
		if strings.EqualFold(name, strings.ReplaceAll(variable, "_", "")) {
			return name
		}
	}
	return variable
}

// refusals are what CloudFormation says of parameters that break a rule.
func (t *template) refusals(set map[string]string) (said []string) {
	for _, r := range t.Rules {
		if r.RuleCondition != nil && evaluate(r.RuleCondition, set) != true {
			continue
		}
		for _, a := range r.Assertions {
			if evaluate(a.Assert, set) != true {
				said = append(said, a.AssertDescription)
			}
		}
	}
	return said
}

// evaluate is what of CloudFormation's functions the rules use.
func evaluate(v any, set map[string]string) any {
	call, _ := v.(map[string]any)
	for function, arguments := range call {
		var values []any
		for _, argument := range list(arguments) {
			values = append(values, evaluate(argument, set))
		}
		switch function {
		case "Ref":
			return set[fmt.Sprint(arguments)]
		case "Fn::Equals":
			return values[0] == values[1]
		case "Fn::Not":
			return values[0] == false
		case "Fn::Or":
			return slices.Contains(values, any(true))
		}
	}
	return v
}

package record

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Template is a plain CloudFormation template, without transforms.
type Template struct {
	Resources map[string]struct {
		Type       string
		Properties map[string]any
	}
}

// ParseTemplate reads a template's JSON.
func ParseTemplate(body []byte) (Template, error) {
	var t Template
	if err := json.Unmarshal(body, &t); err != nil {
		return t, fmt.Errorf("read template: %w", err)
	}
	return t, nil
}

// Granted returns what the functions' roles allow, with the logical names of resources. A resource may end in "*".
func (t Template) Granted() []Right {
	var all []Right
	t.functions(func(name string, properties map[string]any) {
		role := t.Resources[target(properties["Role"])].Properties
		for _, policy := range list(role["Policies"]) {
			document, _ := at(policy, "PolicyDocument").(map[string]any)
			for _, s := range list(document["Statement"]) {
				for _, action := range list(at(s, "Action")) {
					for _, resource := range list(at(s, "Resource")) {
						all = append(all, Right{name, fmt.Sprint(action), t.resource(resource)})
					}
				}
			}
		}
	})
	slices.SortFunc(all, compare)
	return all
}

// byItself is what the Lambda service does in a function's name, without its code asking for it.
var byItself = struct{ logging, polling []string }{
	// The group exists: the template makes it. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
	logging: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
	// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
	polling: []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
}

// ByItself returns what the Lambda service needs of the functions' roles for their logs and event sources. No proxy
// sees those calls.
func (t Template) ByItself() []Right {
	var all []Right
	t.functions(func(name string, properties map[string]any) {
		for _, action := range byItself.logging {
			all = append(all, Right{name, action, target(at(properties["LoggingConfig"], "LogGroup"))})
		}
	})
	for _, mapping := range t.Resources {
		if mapping.Type != "AWS::Lambda::EventSourceMapping" {
			continue
		}
		function := t.name(t.Resources[target(mapping.Properties["FunctionName"])].Properties)
		for _, action := range byItself.polling {
			all = append(all, Right{function, action, target(mapping.Properties["EventSourceArn"])})
		}
	}
	slices.SortFunc(all, compare)
	return all
}

// functions calls visit with the short name of each function.
func (t Template) functions(visit func(name string, properties map[string]any)) {
	for _, r := range t.Resources {
		if r.Type == "AWS::Lambda::Function" {
			visit(t.name(r.Properties), r.Properties)
		}
	}
}

// name is what people call a function: its log group's without the stack's.
func (t Template) name(function map[string]any) string {
	group := t.Resources[target(at(function["LoggingConfig"], "LogGroup"))].Properties["LogGroupName"]
	if sub, ok := at(group, "Fn::Sub").(string); ok {
		group = sub
	}
	return strings.TrimPrefix(path.Base(fmt.Sprint(group)), "${AWS::StackName}-")
}

// resource writes what a statement names: Table, Table/index/GSI1, Bucket/media/*. Of the two sides of an Fn::If it is
// the one that is a resource of the template.
func (t Template) resource(v any) string {
	if sides, ok := at(v, "Fn::If").([]any); ok {
		for _, side := range sides[1:] {
			if _, ours := t.Resources[target(side)]; ours {
				return t.resource(side)
			}
		}
	}
	if text, ok := at(v, "Fn::Sub").(string); ok {
		return strings.NewReplacer("${", "", ".Arn}", "", "}", "").Replace(text)
	}
	if name := target(v); name != "" {
		return name
	}
	return fmt.Sprint(v)
}

// target is the logical name that a Ref or a GetAtt points to.
func target(v any) string {
	if name, ok := at(v, "Ref").(string); ok {
		return name
	}
	switch of := at(v, "Fn::GetAtt").(type) {
	case []any:
		return fmt.Sprint(of[0])
	case string:
		name, _, _ := strings.Cut(of, ".")
		return name
	}
	return ""
}

func at(v any, name string) any {
	m, _ := v.(map[string]any)
	return m[name]
}

// list returns a value that may stand alone as a list.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// Named returns rights with logical names for resources, given the physical id of each logical name. Of a URL or an ARN
// the last part counts, as in the calls themselves.
func Named(rights []Right, physical map[string]string) []Right {
	logical := map[string]string{}
	for name, id := range physical {
		logical[id], logical[path.Base(id)] = name, name
	}
	out := slices.Clone(rights)
	for i, r := range out {
		if name, ok := logical[r.Resource]; ok {
			out[i].Resource = name
			continue
		}
		first, rest, _ := strings.Cut(r.Resource, "/")
		if name, ok := logical[first]; ok {
			out[i].Resource = name + "/" + rest
		}
	}
	return out
}

// Compare returns what was needed and is not granted, and what is granted and was never needed.
func Compare(granted, needed []Right) (missing, idle []Right) {
	used := map[Right]bool{}
	for _, n := range needed {
		found := false
		for _, g := range granted {
			if g.covers(n) {
				used[g], found = true, true
			}
		}
		if !found {
			missing = append(missing, n)
		}
	}
	for _, g := range granted {
		if !used[g] {
			idle = append(idle, g)
		}
	}
	return missing, idle
}

func (r Right) covers(needed Right) bool {
	if r.Function != needed.Function || r.Action != needed.Action {
		return false
	}
	prefix, open := strings.CutSuffix(r.Resource, "*")
	return r.Resource == needed.Resource || open && strings.HasPrefix(needed.Resource, prefix)
}

package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rule looks for one kind of mistake and returns a sentence for each that it finds.
type rule func(*template) []string

// rules by name. Those of queues, roles and so on are in the files of that name.
var rules = map[string]rule{
	"dead letters":    deadLetters,
	"queues":          queues,
	"visibility":      visibility,
	"poller's rights": pollers,
	"concurrency":     concurrency,
	"build method":    buildMethods,
	"log groups":      logGroups,
	"roles":           roles,
	"schedules":       schedules,
	"names":           names,
	"kept data":       keptData,
	"secrets":         secrets,
	"alarms":          alarms,
	"questions":       questions,
	"connectors":      connectors,
}

const (
	function = "AWS::Lambda::Function"
	mapping  = "AWS::Lambda::EventSourceMapping"
	queue    = "AWS::SQS::Queue"
	role     = "AWS::IAM::Role"
	logGroup = "AWS::Logs::LogGroup"
	schedule = "AWS::Scheduler::Schedule"
)

// buildMethods: `sam build` takes an unknown method for "nothing to build" and deploys the sources.
func buildMethods(t *template) (problems []string) {
	for _, f := range t.of(function) {
		if method := t.Resources[f].Metadata["BuildMethod"]; method != "go1.x" {
			problems = append(problems, fmt.Sprintf("%s: BuildMethod is %v, want go1.x", f, method))
		}
		if t.at(f, "Runtime") != "provided.al2023" || t.at(f, "Handler") != "bootstrap" {
			problems = append(problems, f+": runtime and handler are those of a Go program: provided.al2023, bootstrap")
		}
	}
	return problems
}

// logGroups: one per function that ends with the stack and forgets, and that no other function writes to.
func logGroups(t *template) (problems []string) {
	used := map[string]string{}
	for _, f := range t.of(function) {
		group := target(t.at(f, "LoggingConfig", "LogGroup"))
		switch {
		case t.Resources[group].Type != logGroup:
			problems = append(problems, f+": no log group of its own")
		case used[group] != "":
			problems = append(problems, fmt.Sprintf("%s: shares %s with %s", f, group, used[group]))
		}
		used[group] = f
	}
	for _, g := range t.of(logGroup) {
		if t.at(g, "RetentionInDays") == nil {
			problems = append(problems, g+": keeps logs for ever")
		}
	}
	return problems
}

// concurrency: pollers that may start more than the function may run are throttled, and each throttle costs a receive.
func concurrency(t *template) (problems []string) {
	for _, m := range t.of(mapping) {
		f := target(t.at(m, "FunctionName"))
		reserved, most := t.number(f, "ReservedConcurrentExecutions"), t.number(m, "ScalingConfig", "MaximumConcurrency")
		if reserved != 0 && most > reserved {
			problems = append(problems, fmt.Sprintf("%s: up to %d at once, but %s has %d reserved", m, most, f, reserved))
		}
	}
	return problems
}

var rate = regexp.MustCompile(`rate\((\d+) (minute|hour|day)(s?)\)`)

// schedules: AWS refuses "1 minutes" and "5 minute", but only when the stack is deployed.
func schedules(t *template) (problems []string) {
	for name, r := range t.Resources {
		expression, ok := r.Properties["ScheduleExpression"].(string)
		if !ok || !strings.HasPrefix(expression, "rate") {
			continue
		}
		parts := rate.FindStringSubmatch(expression)
		if parts == nil || (parts[1] == "1") != (parts[3] == "") {
			problems = append(problems, fmt.Sprintf("%s: %s: singular for one, plural for more", name, expression))
		}
	}
	return problems
}

// nameProperties are the properties that fix a physical name.
var nameProperties = []string{"AlarmName", "BucketName", "DashboardName", "FunctionName", "GroupName", "LogGroupName",
	"ManagedPolicyName", "Name", "QueueName", "RoleName", "TableName", "TopicName"}

// names: a fixed one keeps a second stack out of the account. A queue's also carries its kind.
func names(t *template) (problems []string) {
	for name, r := range t.Resources {
		for _, property := range nameProperties {
			value := r.Properties[property]
			if value == nil || t.Resources[target(value)].Type != "" { // the name of another resource of the stack
				continue
			}
			if !strings.Contains(text(value), "AWS::StackName") {
				problems = append(problems, fmt.Sprintf("%s: fixed %s %s", name, property, text(value)))
			}
		}
		if r.Type != queue || r.Properties["QueueName"] == nil {
			continue
		}
		suffix := strings.HasSuffix(strings.TrimRight(text(r.Properties["QueueName"]), `"]}`), ".fifo")
		if suffix != (r.Properties["FifoQueue"] == true) {
			problems = append(problems, name+": a FIFO queue's name, and no other's, ends with .fifo")
		}
	}
	slices.Sort(problems)
	return problems
}

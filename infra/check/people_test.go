package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const alarm = "AWS::CloudWatch::Alarm"

// mostAlarms: ten are free of charge, the eleventh is $0.10 a month, counted by metric.
// https://aws.amazon.com/cloudwatch/pricing/
const mostAlarms = 11

var anchor = regexp.MustCompile(`\$\{RunbookUrl\}#([a-z-]+)"`)

// alarms: few, quiet while nothing happens, heard by somebody, and each with a section of the runbook.
func alarms(t *template) (problems []string) {
	if n := len(t.of(alarm)); n == 0 || n > mostAlarms {
		problems = append(problems, fmt.Sprintf("%d alarms, want 1 to %d", n, mostAlarms))
	}
	seen := map[string]string{}
	for _, name := range t.of(alarm) {
		if t.at(name, "TreatMissingData") != "notBreaching" {
			problems = append(problems, name+": rings while nothing happens")
		}
		if t.Resources[target(first(t.at(name, "AlarmActions")))].Type != "AWS::SNS::Topic" {
			problems = append(problems, name+": nobody hears it")
		}
		section := anchorOf(t, name)
		if section == "" {
			problems = append(problems, name+": its text doesn't end with a section of the runbook")
		} else if seen[section] != "" {
			problems = append(problems, fmt.Sprintf("%s: %s has that section", name, seen[section]))
		}
		seen[section] = name
	}
	return problems
}

// anchorOf returns the section of the runbook that an alarm's text ends with.
func anchorOf(t *template, name string) string {
	match := anchor.FindStringSubmatch(text(t.at(name, "AlarmDescription")))
	if match == nil {
		return ""
	}
	return match[1]
}

func first(v any) any {
	if all := list(v); len(all) > 0 {
		return all[0]
	}
	return nil
}

// mostQuestions is how many answers somebody may have to look up before the first deployment.
const mostQuestions = 8

// questions: what `sam deploy --guided` can't answer by itself. It asks for a NoEcho parameter even with a default.
func questions(t *template) (problems []string) {
	var asked []string
	groups := text(t.Metadata["AWS::CloudFormation::Interface"])
	for key, p := range t.Parameters {
		if p.Default == nil || p.NoEcho {
			asked = append(asked, key)
		}
		if p.Description == "" {
			problems = append(problems, key+": no word on where to find it")
		}
		constrained := p.AllowedPattern != "" || p.AllowedValues != nil || p.MinValue != nil
		if constrained && !strings.HasPrefix(p.ConstraintDescription, "must be ") { // it follows the parameter's name
			problems = append(problems, key+": a wrong value is refused without a word on what is allowed")
		}
		if n := strings.Count(strings.Join(grouped.FindAllString(groups, -1), ""), `"`+key+`"`); n != 1 {
			problems = append(problems, fmt.Sprintf("%s: in %d groups of the form, want 1", key, n))
		}
	}
	if len(asked) > mostQuestions {
		slices.Sort(asked)
		problems = append(problems, fmt.Sprintf("%d questions, want at most %d: %v", len(asked), mostQuestions, asked))
	}
	slices.Sort(problems)
	return problems
}

var grouped = regexp.MustCompile(`"Parameters":\[[^\]]*\]`)

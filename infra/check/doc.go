// Package check holds the rules that template.yaml follows, as tests.
//
// It guarantees that the linters pass, and what they don't look at: that every queue has its own dead-letter queue and
// enough visibility, every function its own role and log group, no role more than it needs to name, no secret a way into
// an environment variable, every alarm a section in the runbook, every connector a rule for what it needs, and every
// variable of the template a reader. Each rule is tried on a template with a planted mistake too, so that no rule can pass
// by looking at nothing.
//
// The rules read what SAM makes of the template (transform.py), because that is what is deployed. The tools are those of
// `make setup`, found in .venv/tools or in the environment that THREADLINE_VENV names. Without them the tests are skipped,
// unless CI is "true".
package check

package check

import (
	"fmt"
	"slices"
)

// longest is what SQS keeps messages for at most, in seconds: 14 days.
const longest = 14 * 24 * 60 * 60

// deadLetters: every queue has one, of its own kind, shared with nobody, and a receive count that SQS accepts.
func deadLetters(t *template) (problems []string) {
	sources := map[string]string{} // of each dead-letter queue
	for _, q := range t.of(queue) {
		dead := target(t.at(q, "RedrivePolicy", "deadLetterTargetArn"))
		if dead == "" {
			continue
		}
		if sources[dead] != "" {
			problems = append(problems, fmt.Sprintf("%s: shares %s with %s", q, dead, sources[dead]))
		}
		sources[dead] = q
		if t.at(q, "FifoQueue") != t.at(dead, "FifoQueue") {
			problems = append(problems, fmt.Sprintf("%s: %s is of the other kind", q, dead))
		}
		if n := t.number(q, "RedrivePolicy", "maxReceiveCount"); n < 1 || n > 1000 {
			problems = append(problems, fmt.Sprintf("%s: maxReceiveCount %d, SQS takes 1 to 1000", q, n))
		}
	}
	for _, q := range t.of(queue) {
		if sources[q] == "" && t.at(q, "RedrivePolicy") == nil {
			problems = append(problems, q+": no dead-letter queue")
		}
	}
	return problems
}

// queues: all encrypted and patient. FIFO ones order by group only, or the whole queue would be one slow line, and take
// the deduplication id from us.
func queues(t *template) (problems []string) {
	for _, q := range t.of(queue) {
		if t.number(q, "MessageRetentionPeriod") != longest {
			problems = append(problems, q+": keeps messages for less than 14 days")
		}
		if t.at(q, "SqsManagedSseEnabled") != true {
			problems = append(problems, q+": not encrypted")
		}
		if t.at(q, "FifoQueue") != true {
			continue
		}
		if t.at(q, "DeduplicationScope") != "messageGroup" || t.at(q, "FifoThroughputLimit") != "perMessageGroupId" {
			problems = append(problems, q+": a FIFO queue without high throughput")
		}
		if t.at(q, "ContentBasedDeduplication") == true {
			problems = append(problems, q+": the deduplication id is ours")
		}
	}
	return problems
}

// visibility: shorter than the function's time-out and a second one gets a message that the first is still working on.
// Twice is the design's: our claims make a double delivery harmless, and a long visibility delays the retry of a crash.
func visibility(t *template) (problems []string) {
	for _, m := range t.of(mapping) {
		q, f := target(t.at(m, "EventSourceArn")), target(t.at(m, "FunctionName"))
		if t.Resources[q].Type != queue {
			continue
		}
		hidden, timeout := t.number(q, "VisibilityTimeout"), t.number(f, "Timeout")
		if timeout == 0 || hidden < 2*timeout {
			problems = append(problems, fmt.Sprintf("%s: visible again after %d s, %s may take %d s", q, hidden, f, timeout))
		}
		if !slices.Contains(list(t.at(m, "FunctionResponseTypes")), any("ReportBatchItemFailures")) {
			problems = append(problems, m+": one failure fails the whole batch")
		}
	}
	return problems
}

// pollers: the mapping reads the queue with the function's role; without these rights it just stays idle. The last one
// is the function's own, for backing off.
func pollers(t *template) (problems []string) {
	for _, m := range t.of(mapping) {
		q, f := target(t.at(m, "EventSourceArn")), target(t.at(m, "FunctionName"))
		if t.Resources[q].Type != queue {
			continue
		}
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"} {
			if !t.allows(f, action, q) {
				problems = append(problems, fmt.Sprintf("%s: no %s on %s", f, action, q))
			}
		}
		dead := target(t.at(q, "RedrivePolicy", "deadLetterTargetArn"))
		if !t.allows(f, "sqs:SendMessage", dead) {
			problems = append(problems, fmt.Sprintf("%s: may not park in %s", f, dead))
		}
	}
	return problems
}

package main

import "fmt"

// Lambda begins with five pollers for a queue and goes down to two while it is empty, unless the event source has a
// maximum of concurrent runs. Each asks for 20 seconds at a time.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	idlePollers, firstPollers = 2, 5
	pollsAMonth               = 3 * 60 * 24 * 30 // of one poller
)

// idleMax is what an idle month is promised to cost less than, in dollars.
const idleMax = 1

// printIdle prices a month in which nobody writes.
func (b *bench) printIdle() {
	title("An idle month", fmt.Sprintf("%d queues, %d alarms, one secret; a bus without events, a table and a bucket that nobody asks cost nothing.", len(b.template.polled), b.template.alarms),
		fmt.Sprintf("Lambda polls a queue with %d pollers of 20 s each, and with %d once it has been empty for a while, unless the event", firstPollers, idlePollers),
		fmt.Sprintf("source has a maximum of concurrent runs: %d of ours has.", b.capped()),
		fmt.Sprintf("Always free, for the whole account: a million calls of SQS and %d alarms. Target, in the steady state: below %s.", freeAlarms, dollars(idleMax)))
	steady := func(q polled) int {
		if q.capped {
			return firstPollers
		}
		return idlePollers
	}
	table([]string{"", "receives", "polling", "secret", "alarms", "total", "with what is always free"}, [][]string{
		b.idle("steady state", steady),
		b.idle("if no queue ever went down to two", func(polled) int { return firstPollers }),
	})
}

// idle is a row: a month with so many pollers for each queue.
func (b *bench) idle(name string, pollers func(polled) int) []string {
	calls, polling := 0.0, 0.0
	for _, q := range b.template.polled {
		price := sqsStandard
		if q.fifo {
			price = sqsFIFO
		}
		n := float64(pollers(q) * pollsAMonth)
		calls, polling = calls+n, polling+price.of(n)
	}
	secret, alarms := secretMonth.of(1), alarmMonth.of(float64(b.template.alarms))
	spared := polling*min(1, freeCalls/calls) + alarmMonth.of(float64(min(freeAlarms, b.template.alarms)))
	total := polling + secret + alarms
	return []string{name, fmt.Sprintf("%.2f million", calls/million), dollars(polling), dollars(secret), dollars(alarms), dollars(total),
		target(total-spared < idleMax, dollars(total-spared))}
}

// capped is how many event sources have a maximum of concurrent runs.
func (b *bench) capped() (n int) {
	for _, q := range b.template.polled {
		if q.capped {
			n++
		}
	}
	return n
}

// printPrices prints the one table that everything is priced with.
func printPrices() {
	title("Prices, us-east-1, " + priced)
	var rows [][]string
	for _, p := range prices {
		rows = append(rows, []string{p.what, p.String(), p.source})
	}
	table([]string{"what", "price", "source"}, rows)
}

func dollars(d float64) string { return fmt.Sprintf("$%.2f", d) }

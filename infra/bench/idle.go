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
		"source has a maximum of concurrent runs.",
		fmt.Sprintf("Always free, for the whole account: a million calls of SQS and %d alarms. Target, in the steady state: below %s.", freeAlarms, dollars(idleMax)))
	steady := func(q polled) int {
		if q.capped {
			return firstPollers
		}
		return idlePollers
	}
	first := func(polled) int { return firstPollers }
	capped, plain := b.queues(func(q polled) bool { return q.capped }), b.queues(func(q polled) bool { return !q.capped })
	table([]string{"", "receives", "polling", "secret", "alarms", "total", "with what is always free"}, [][]string{
		append(polling(plain, steady).row(fmt.Sprintf("%d queues of %d pollers", len(plain), idlePollers)), "", "", "", ""),
		append(polling(capped, steady).row(fmt.Sprintf("%d of %d", len(capped), firstPollers)), "", "", "", ""),
		b.idle("steady state", polling(b.template.polled, steady)),
		b.idle("if no queue ever went down", polling(b.template.polled, first)),
	})
}

// polls are a month's receives of empty queues.
type polls struct{ calls, dollars float64 }

// polling is what so many pollers for each queue do.
func polling(queues []polled, pollers func(polled) int) (p polls) {
	for _, q := range queues {
		price := sqsStandard
		if q.fifo {
			price = sqsFIFO
		}
		n := float64(pollers(q) * pollsAMonth)
		p.calls, p.dollars = p.calls+n, p.dollars+price.of(n)
	}
	return p
}

func (p polls) row(name string) []string {
	return []string{name, fmt.Sprintf("%.2f million", p.calls/million), dollars(p.dollars)}
}

// idle is a row: a month with so much polling.
func (b *bench) idle(name string, p polls) []string {
	secret, alarms := secretMonth.of(1), alarmMonth.of(float64(b.template.alarms))
	spared := p.dollars*min(1, freeCalls/p.calls) + alarmMonth.of(float64(min(freeAlarms, b.template.alarms)))
	total := p.dollars + secret + alarms
	return append(p.row(name), dollars(secret), dollars(alarms), dollars(total), target(total-spared < idleMax, dollars(total-spared)))
}

func (b *bench) queues(of func(polled) bool) (some []polled) {
	for _, q := range b.template.polled {
		if of(q) {
			some = append(some, q)
		}
	}
	return some
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

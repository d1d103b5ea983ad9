package main

import "fmt"

// Lambda begins with five pollers for a queue and goes down to two while it is empty, unless the mapping has a maximum
// concurrency, which ours don't. Each asks for 20 seconds at a time.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	idlePollers, firstPollers = 2, 5
	pollsAMonth               = 3 * 60 * 24 * 30 // of one poller
)

// idleMax is what an idle month is promised to cost less than, in dollars.
const idleMax = 1

// printIdle prices a month in which nobody writes.
func (b *bench) printIdle() {
	title("An idle month", fmt.Sprintf("%d queues, %d alarms, one secret. Lambda polls an empty queue with %d pollers of 20 s each; %d is what it begins with.",
		len(b.template.queues), b.template.alarms, idlePollers, firstPollers),
		fmt.Sprintf("Always free, for the whole account: a million calls of SQS and %d alarms. Target: below %s.", freeAlarms, dollars(idleMax)))
	var rows [][]string
	for _, pollers := range []int{idlePollers, firstPollers} {
		calls, polling := 0.0, 0.0
		for _, fifo := range b.template.queues {
			n := float64(pollers * pollsAMonth)
			calls += n
			if fifo {
				polling += sqsFIFO.of(n)
			} else {
				polling += sqsStandard.of(n)
			}
		}
		alarms := alarmMonth.of(float64(b.template.alarms))
		spared := polling * min(1, freeCalls/calls)
		sparedAlarms := alarmMonth.of(float64(min(freeAlarms, b.template.alarms)))
		total := polling + secretMonth.of(1) + alarms
		rows = append(rows, []string{fmt.Sprintf("%d pollers each", pollers), fmt.Sprintf("%.2f million", calls/million),
			dollars(polling), dollars(secretMonth.of(1)), dollars(alarms), dollars(total), target(total-spared-sparedAlarms < idleMax, dollars(total-spared-sparedAlarms))})
	}
	table([]string{"", "receives", "polling", "secret", "alarms", "total", "with what is always free"}, rows)
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

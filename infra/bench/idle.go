package main

import "fmt"

// Lambda long-polls an empty queue with two to five pollers, each for 20 seconds at a time.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	fewestPollers, mostPollers = 2, 5
	pollsAMonth                = 3 * 60 * 24 * 30 // of one poller
)

// printIdle prices a month in which nobody writes.
func (b *bench) printIdle() {
	title("An idle month", fmt.Sprintf("%d queues are polled by %d to %d pollers each, every 20 s; %d alarms, one secret.",
		len(b.template.queues), fewestPollers, mostPollers, b.template.alarms))
	var rows [][]string
	for _, pollers := range []int{fewestPollers, mostPollers} {
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
		rows = append(rows, []string{fmt.Sprintf("%d pollers", pollers), fmt.Sprintf("%.2f million", calls/million),
			dollars(polling), dollars(secretMonth.of(1)), dollars(alarms), dollars(total), dollars(total - spared - sparedAlarms)})
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

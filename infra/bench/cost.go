package main

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// functions in the order of the pipeline.
var functions = []string{"webhook", "router", "media", "api", "sender", "crmsync"}

// ordinary is how long a conversation is, and how many others there are, where it doesn't matter: a page is full.
const ordinary = 100

// cost prints what operations take and what that costs.
func (b *bench) cost() error {
	all, err := operations(ordinary)
	if err != nil {
		return err
	}
	b.printCalls(all)
	b.printRuns(all)
	b.printDollars(all)
	b.printIdle()
	printPrices()
	return nil
}

func (b *bench) printCalls(all []operation) {
	title("Calls and units of an operation",
		"Counted at the SDK's clients, the whole pipeline in memory. Units are those of on-demand DynamoDB: writes by 1 KB,",
		"twice in a transaction, the index on top; reads by 4 KB. SQS: sends, and a receive and a delete for each run.")
	var rows [][]string
	for _, o := range all {
		u := o.usage.sum()
		rows = append(rows, []string{o.name, count(float64(u.runs)), count(float64(u.table.Calls)), count(u.table.Writes), count(u.table.Reads),
			count(float64(o.usage.queueCalls())), count(float64(u.calls["s3"])), count(float64(o.usage.awsCalls())),
			count(float64(u.calls["graph"])), count(float64(u.calls["hubspot"])), count(float64(o.usage.logged)), count(float64(u.table.Stored))})
	}
	table([]string{"operation", "runs", "DynamoDB", "write units", "read units", "SQS", "S3", "AWS calls", "Meta", "HubSpot", "log bytes", "table bytes"}, rows)
}

func (b *bench) printRuns(all []operation) {
	cpu := "Processor time as measured in the local stack"
	if len(b.cpu) == 0 {
		cpu = "Processor time assumed: " + ms(assumedCPU)
	}
	title("Runs of an operation", cpu+", at the share that the memory buys (1,769 MB: one).",
		fmt.Sprintf("Waiting assumed for each call: DynamoDB %s, SQS %s, S3 %s, Meta %s, HubSpot %s. No cold starts.",
			assumed["dynamodb"], assumed["sqs"], assumed["s3"], assumed["graph"], assumed["hubspot"]))
	var rows [][]string
	for _, o := range all {
		for _, name := range functions {
			f, ok := o.usage.functions[name]
			if !ok {
				continue
			}
			rows = append(rows, []string{o.name + ": " + name, count(float64(f.runs)), count(float64(f.table.Calls)), count(f.table.Writes), count(f.table.Reads),
				count(float64(f.calls["sqs"])), count(float64(f.calls["s3"])), count(float64(f.calls["graph"] + f.calls["hubspot"])),
				b.duration(name, f).Round(time.Millisecond).String()})
		}
	}
	table([]string{"operation: function", "runs", "DynamoDB", "write units", "read units", "SQS", "S3", "Meta, CRM", "time, all runs"}, rows)
}

func (b *bench) printDollars(all []operation) {
	title("Dollars per million operations", "us-east-1, "+priced+", without the free tier; Meta's and the CRM's own charges are not in it.")
	var rows [][]string
	for _, o := range all {
		bill := b.bill(o.usage)
		total := 0.0
		row := []string{o.name}
		for _, service := range services {
			row = append(row, fmt.Sprintf("%.2f", bill[service]*million))
			total += bill[service]
		}
		u := o.usage.sum()
		kept := tableStorage.of(float64(u.table.Stored)) + s3Storage.of(float64(o.usage.files))
		rows = append(rows, append(row, fmt.Sprintf("%.2f", total*million), fmt.Sprintf("%.2f", kept*million)))
	}
	table(append(append([]string{"operation"}, services...), "total", "kept, a month"), rows)
}

// services are the columns of a bill.
var services = []string{"HTTP API", "Lambda", "SQS", "DynamoDB", "S3", "logs"}

// bill is the dollars of a usage by service.
func (b *bench) bill(u usage) map[string]float64 {
	total := map[string]float64{"logs": logBytes.of(float64(u.logged))}
	for name, f := range u.functions {
		runs := float64(f.runs)
		total["Lambda"] += lambdaRequest.of(runs) + lambdaTime.of(b.duration(name, f).Seconds()*float64(b.template.memory[name])/1024)
		total["DynamoDB"] += tableWrite.of(f.table.Writes) + tableRead.of(f.table.Reads)
		total["S3"] += s3Put.of(float64(f.puts)) + s3Get.of(float64(f.calls["s3"]-f.puts))
		total["SQS"] += sqsFIFO.of(float64(f.calls["sqs"])) // what goes to the media queue has the same price, for its groups
		switch name {
		case "webhook", "api":
			total["HTTP API"] += httpRequest.of(runs)
		case "media":
			total["SQS"] += sqsFair.of(2 * runs)
		default:
			total["SQS"] += sqsFIFO.of(2 * runs)
		}
	}
	return total
}

// duration is how long the runs of a function took: waiting, and its own work at the share of a processor that it has.
func (b *bench) duration(name string, f use) time.Duration {
	waiting := time.Duration(f.table.Calls) * assumed["dynamodb"]
	for service, n := range f.calls {
		waiting += time.Duration(n) * assumed[service]
	}
	cpu := assumedCPU
	if measured, ok := b.cpu[name]; ok {
		cpu = measured
	}
	return waiting + time.Duration(f.runs)*cpu*fullProcessor/time.Duration(b.template.memory[name])
}

func (u usage) sum() use {
	total := use{calls: map[string]int{}}
	for _, name := range slices.Sorted(maps.Keys(u.functions)) {
		f := u.functions[name]
		total.runs += f.runs
		total.table = f.table.Plus(total.table)
		for service, n := range f.calls {
			total.calls[service] += n
		}
	}
	return total
}

// queueCalls are the sends, and a receive and a delete for each run that a queue caused.
func (u usage) queueCalls() int {
	calls := u.sum().calls["sqs"]
	for name, f := range u.functions {
		if name != "webhook" && name != "api" {
			calls += 2 * f.runs
		}
	}
	return calls
}

func (u usage) awsCalls() int {
	total := u.sum()
	return total.table.Calls + u.queueCalls() + total.calls["s3"]
}

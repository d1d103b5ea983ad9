package main

import (
	"fmt"
	"strings"
	"time"
)

// price is AWS's list price in us-east-1, in US dollars, without the free tier and without VAT.
type price struct {
	what    string
	dollars float64
	per     float64 // so many of
	unit    string
	source  string
}

func (p price) of(quantity float64) float64 { return quantity * p.dollars / p.per }

// priced is the day on which the prices were looked up.
const priced = "21 November 2026"

const million = 1e6

// String is the price with what it is for.
func (p price) String() string {
	unit := strings.TrimSuffix(p.unit, "s")
	switch p.per {
	case million:
		unit = "million " + p.unit
	case 1e9:
		unit = strings.Replace(unit, "byte", "GB", 1)
	}
	amount := fmt.Sprint(p.dollars)
	if cents := fmt.Sprintf("%.2f", p.dollars); len(cents) > len(amount) {
		amount = cents
	}
	return "$" + amount + " per " + unit
}

// The prices. docs/cost.md quotes them.
var (
	httpRequest   = price{"HTTP API", 1.00, million, "requests", "https://aws.amazon.com/api-gateway/pricing/"}
	lambdaRequest = price{"Lambda, requests", 0.20, million, "requests", "https://aws.amazon.com/lambda/pricing/"}
	lambdaTime    = price{"Lambda, time on arm64", 13.3334, million, "GB-seconds", "https://aws.amazon.com/lambda/pricing/"}
	sqsFIFO       = price{"SQS FIFO", 0.50, million, "calls", "https://aws.amazon.com/sqs/pricing/"}
	sqsStandard   = price{"SQS standard", 0.40, million, "calls", "https://aws.amazon.com/sqs/pricing/"}
	sqsFair       = price{"SQS standard, with groups", 0.50, million, "calls", "https://aws.amazon.com/sqs/pricing/"}
	tableWrite    = price{"DynamoDB, writes", 0.625, million, "units", "https://aws.amazon.com/dynamodb/pricing/on-demand/"}
	tableRead     = price{"DynamoDB, reads", 0.125, million, "units", "https://aws.amazon.com/dynamodb/pricing/on-demand/"}
	tableStorage  = price{"DynamoDB, storage with recovery", 0.45, 1e9, "byte-months", "https://aws.amazon.com/dynamodb/pricing/on-demand/"}
	s3Put         = price{"S3, PUT", 5.00, million, "requests", "https://aws.amazon.com/s3/pricing/"}
	s3Get         = price{"S3, GET", 0.40, million, "requests", "https://aws.amazon.com/s3/pricing/"}
	s3Storage     = price{"S3, storage", 0.023, 1e9, "byte-months", "https://aws.amazon.com/s3/pricing/"}
	busEvent      = price{"EventBridge, events of one's own", 1.00, million, "events", "https://aws.amazon.com/eventbridge/pricing/"}
	logBytes      = price{"CloudWatch Logs", 0.50, 1e9, "bytes", "https://aws.amazon.com/cloudwatch/pricing/"}
	secretMonth   = price{"Secrets Manager", 0.40, 1, "secret-months", "https://aws.amazon.com/secrets-manager/pricing/"}
	alarmMonth    = price{"CloudWatch alarm", 0.10, 1, "alarm-months", "https://aws.amazon.com/cloudwatch/pricing/"}
)

var prices = []price{
	httpRequest, lambdaRequest, lambdaTime, sqsFIFO, sqsStandard, sqsFair, tableWrite, tableRead, tableStorage,
	s3Put, s3Get, s3Storage, busEvent, logBytes, secretMonth, alarmMonth,
}

// What is free for the whole account each month, for ever.
const (
	freeCalls  = 1e6 // SQS, all kinds of queues together
	freeAlarms = 10
)

// assumed is how long a function waits for one call, on AWS in the same region or over the internet. Nothing here measures
// it; it makes up most of a run's time and none of its other costs.
var assumed = map[string]time.Duration{
	"dynamodb": 8 * time.Millisecond,
	"sqs":      12 * time.Millisecond,
	"s3":       60 * time.Millisecond,
	"graph":    300 * time.Millisecond,
	"hubspot":  200 * time.Millisecond,
}

// assumedCPU is the processor time of a run, where the local stack was not measured.
const assumedCPU = 3 * time.Millisecond

// fullProcessor is the memory, in MB, with which a function has one processor of its own.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
const fullProcessor = 1769

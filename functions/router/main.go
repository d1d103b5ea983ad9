// Command router stores what the webhook queued, and dispatches what that causes.
//
//	Inbound.fifo · Bulk → router → table · media queue · CRM.fifo · event bus
package main

import (
	"context"
	"log"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/functions/router/handler"
	"threadline/shared/blob"
	"threadline/shared/bus"
	"threadline/shared/env"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/store"
)

func main() {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	var c struct {
		Table         string        `env:"TABLE"`
		RetentionDays int           `env:"MESSAGE_RETENTION_DAYS"`
		Bucket        string        `env:"BUCKET"`
		Queue         string        `env:"QUEUE_URL"`
		DLQ           string        `env:"DLQ_URL"`
		Bulk          string        `env:"BULK_QUEUE_URL"`
		BulkDLQ       string        `env:"BULK_DLQ_URL"`
		Media         string        `env:"MEDIA_QUEUE_URL"`
		CRM           string        `env:"CRM_QUEUE_URL"`
		Events        string        `env:"EVENT_BUS"`
		Connectors    []string      `env:"CRM_CONNECTOR"`
		Numbers       []string      `env:"PHONE_NUMBER_ID,optional"`
		Settled       time.Duration `env:"IMPORT_QUIET,default=2m"`
		Namespace     string        `env:"METRIC_NAMESPACE"`
	}
	env.Must(&c)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	queues := sqs.NewFromConfig(cfg)
	metrics := &metric.Metrics{Namespace: c.Namespace}
	h := handler.Handler{
		Store:      store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour),
		Media:      &queue.Sender{Client: queues, URL: c.Media},
		CRM:        &queue.Sender{Client: queues, URL: c.CRM},
		Bulk:       &queue.Sender{Client: queues, URL: c.Bulk},
		Blobs:      blob.New(s3.NewFromConfig(cfg), c.Bucket),
		Bus:        bus.New(eventbridge.NewFromConfig(cfg), c.Events),
		Metrics:    metrics,
		Connectors: route.Connectors(c.Connectors),
		Numbers:    c.Numbers,
		Settled:    c.Settled,
	}
	consume := func(source, url, dlq string) *queue.Consumer {
		return &queue.Consumer{
			Client: queues, QueueURL: url, DLQURL: dlq, Source: source, Handle: h.Handle, Metrics: metrics, ErrorText: redact.Error,
		}
	}
	lambda.Start(queue.NewMux(consume("Inbound", c.Queue, c.DLQ), consume("Bulk", c.Bulk, c.BulkDLQ)).Lambda)
}

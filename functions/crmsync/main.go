// Command crmsync puts messages and files on the customer's record in the CRM.
//
//	CRM.fifo → crmsync → the CRM · table
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
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/functions/crmsync/handler"
	"threadline/shared/blob"
	"threadline/shared/crm"
	"threadline/shared/crm/hubspot"
	"threadline/shared/env"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/secret"
	"threadline/shared/store"
)

func main() {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	var c struct {
		Table         string   `env:"TABLE"`
		RetentionDays int      `env:"MESSAGE_RETENTION_DAYS"`
		Bucket        string   `env:"BUCKET"`
		Queue         string   `env:"QUEUE_URL"`
		DLQ           string   `env:"DLQ_URL"`
		Secret        string   `env:"SECRET"`
		Connectors    []string `env:"CRM_CONNECTOR"`
		HubSpotURL    string   `env:"HUBSPOT_API_URL"`
		Namespace     string   `env:"METRIC_NAMESPACE"`
	}
	env.Must(&c)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	queues := sqs.NewFromConfig(cfg)
	metrics := &metric.Metrics{Namespace: c.Namespace}
	keys := secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), c.Secret), 5*time.Minute)
	known := map[string]crm.Connector{
		"hubspot": hubspot.New(hubspot.Config{BaseURL: c.HubSpotURL, Token: keys.Of(secret.HubSpotToken)}),
	}
	connectors, err := handler.Choose(known, c.Connectors)
	if err != nil {
		log.Fatal(err)
	}
	h := handler.Handler{
		Store:      store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour),
		Blobs:      blob.New(s3.NewFromConfig(cfg), c.Bucket),
		Connectors: connectors,
		Metrics:    metrics,
	}
	consumer := queue.Consumer{
		Client: queues, QueueURL: c.Queue, DLQURL: c.DLQ, Source: "CRM", Handle: h.Handle,
		Metrics: metrics, ErrorText: redact.Error,
	}
	lambda.Start(consumer.Lambda)
}

// Command sender hands messages to Meta and records what came of it.
//
//	Outbound.fifo → sender → Graph API · table · CRM.fifo
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

	"threadline/functions/sender/handler"
	"threadline/shared/blob"
	"threadline/shared/env"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/secret"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

func main() {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	var c struct {
		Table         string        `env:"TABLE"`
		RetentionDays int           `env:"MESSAGE_RETENTION_DAYS"`
		Queue         string        `env:"QUEUE_URL"`
		DLQ           string        `env:"DLQ_URL"`
		Bucket        string        `env:"BUCKET"`
		CRM           string        `env:"CRM_QUEUE_URL"`
		Secret        string        `env:"SECRET"`
		GraphURL      string        `env:"GRAPH_API_URL"`
		GraphVersion  string        `env:"GRAPH_API_VERSION"`
		Ambiguous     string        `env:"AMBIGUOUS_SEND,optional"`
		After         time.Duration `env:"AMBIGUOUS_SEND_AFTER,default=2m"`
		Namespace     string        `env:"METRIC_NAMESPACE"`
	}
	env.Must(&c)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	queues := sqs.NewFromConfig(cfg)
	metrics := &metric.Metrics{Namespace: c.Namespace}
	keys := secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), c.Secret), 5*time.Minute)
	h := handler.Handler{
		Store:     store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour),
		Graph:     &whatsapp.Client{BaseURL: c.GraphURL, Version: c.GraphVersion, Token: keys.Of(secret.AccessToken)},
		Files:     blob.New(s3.NewFromConfig(cfg), c.Bucket),
		CRM:       &queue.Sender{Client: queues, URL: c.CRM},
		Metrics:   metrics,
		Refresh:   keys.Refresh,
		Ambiguous: handler.Ambiguity(c.Ambiguous),
		After:     c.After,
	}
	consumer := queue.Consumer{
		Client: queues, QueueURL: c.Queue, DLQURL: c.DLQ, Source: "Outbound", Handle: h.Handle,
		Metrics: metrics, ErrorText: redact.Error,
	}
	lambda.Start(consumer.Lambda)
}

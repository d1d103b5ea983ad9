// Command media brings customers' files from Meta into the bucket.
//
//	media queue → media → bucket · table · CRM.fifo
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

	"threadline/functions/media/handler"
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
		Table         string `env:"TABLE"`
		RetentionDays int    `env:"MESSAGE_RETENTION_DAYS"`
		Bucket        string `env:"BUCKET"`
		Queue         string `env:"QUEUE_URL"`
		DLQ           string `env:"DLQ_URL"`
		CRM           string `env:"CRM_QUEUE_URL"`
		Secret        string `env:"SECRET"`
		GraphURL      string `env:"GRAPH_API_URL"`
		GraphVersion  string `env:"GRAPH_API_VERSION"`
		Namespace     string `env:"METRIC_NAMESPACE"`
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
		Store:   store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour),
		Graph:   &whatsapp.Client{BaseURL: c.GraphURL, Version: c.GraphVersion, Token: keys.Of(secret.AccessToken)},
		Blobs:   blob.New(s3.NewFromConfig(cfg), c.Bucket),
		CRM:     &queue.Sender{Client: queues, URL: c.CRM},
		Metrics: metrics,
		Refresh: keys.Refresh,
	}
	consumer := queue.Consumer{
		Client: queues, QueueURL: c.Queue, DLQURL: c.DLQ, Source: "Media", Handle: h.Handle,
		Metrics: metrics, ErrorText: redact.Error,
	}
	lambda.Start(consumer.Lambda)
}

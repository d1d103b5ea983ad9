// Command webhook takes Meta's webhooks and queues every update they hold.
//
//	Meta → webhook → Inbound.fifo · Bulk
package main

import (
	"context"
	"log"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/functions/webhook/handler"
	"threadline/shared/blob"
	"threadline/shared/env"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/secret"
)

func main() {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	var c struct {
		Inbound   string `env:"INBOUND_QUEUE_URL"`
		Bulk      string `env:"BULK_QUEUE_URL"`
		Bucket    string `env:"BUCKET"`
		Secret    string `env:"SECRET"`
		Namespace string `env:"METRIC_NAMESPACE"`
	}
	env.Must(&c)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	queues := sqs.NewFromConfig(cfg)
	h := handler.Handler{
		Secrets: secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), c.Secret), 5*time.Minute),
		Inbound: &queue.Sender{Client: queues, URL: c.Inbound},
		Bulk:    &queue.Sender{Client: queues, URL: c.Bulk},
		Claims:  blob.New(s3.NewFromConfig(cfg), c.Bucket),
		Metrics: &metric.Metrics{Namespace: c.Namespace},
	}
	lambda.Start(h.Handle)
}

// Command crmsync puts messages and files on the customer's record in the CRM, and fetches what is to be sent from there.
//
//	CRM.fifo → crmsync → the CRM · table · REST
package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
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
	"threadline/shared/crm/known"
	"threadline/shared/env"
	"threadline/shared/link"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/secret"
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
		Secret        string        `env:"SECRET"`
		Connectors    []string      `env:"CRM_CONNECTOR"`
		Bundle        time.Duration `env:"CRM_BUNDLE,optional"`
		Namespace     string        `env:"METRIC_NAMESPACE"`
	}
	var settings known.Settings
	env.Must(&c, &settings)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	metrics := &metric.Metrics{Namespace: c.Namespace}
	keys := secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), c.Secret), 5*time.Minute)
	table := store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour)
	connectors, err := known.Connectors(route.Connectors(c.Connectors), settings, known.Deps{
		Secret: keys.Of, Maybe: keys.Maybe,
		Client: func(name string, can func() crm.Capabilities) *http.Client {
			return &http.Client{Transport: &handler.Pace{Store: table, Name: name, Next: http.DefaultTransport, Capabilities: can}}
		},
	})
	if err != nil { // the CRMs that are configured go on
		slog.Error("configuration", "problem", err.Error())
	}
	h := &handler.Handler{
		Store: table, Blobs: blob.New(s3.NewFromConfig(cfg), c.Bucket), Connectors: connectors, Wanted: route.Connectors(c.Connectors), Metrics: metrics, Bundle: c.Bundle,
		PublicURL: settings.PublicURL,
		Links:     link.Links{URL: settings.PublicURL, Key: keys.Of(secret.APIKey)},
		Sender:    &handler.REST{URL: settings.PublicURL, Key: keys.Of(secret.APIKey)},
	}
	consumer := queue.Consumer{
		Client: sqs.NewFromConfig(cfg), QueueURL: c.Queue, DLQURL: c.DLQ, Source: "CRM", Handle: h.Handle,
		Metrics: metrics, ErrorText: redact.Error,
	}
	lambda.Start(consumer.Lambda)
}

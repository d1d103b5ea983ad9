// Command api answers the REST API.
//
//	REST → api → Outbound.fifo · Inbound.fifo · table · bucket
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

	"threadline/functions/api/handler"
	"threadline/shared/blob"
	"threadline/shared/env"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/secret"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

func main() {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	var c struct {
		Table         string   `env:"TABLE"`
		RetentionDays int      `env:"MESSAGE_RETENTION_DAYS"`
		Outbound      string   `env:"OUTBOUND_QUEUE_URL"`
		Inbound       string   `env:"INBOUND_QUEUE_URL"`
		Bucket        string   `env:"BUCKET"`
		Secret        string   `env:"SECRET"`
		Connectors    []string `env:"CRM_CONNECTOR"`
		Numbers       []string `env:"PHONE_NUMBER_ID,optional"`
		GraphURL      string   `env:"GRAPH_API_URL"`
		GraphVersion  string   `env:"GRAPH_API_VERSION"`
	}
	env.Must(&c)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	keys := secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), c.Secret), 5*time.Minute)
	graph := whatsapp.Client{BaseURL: c.GraphURL, Version: c.GraphVersion, Token: keys.Of(secret.AccessToken)}
	queues, objects := sqs.NewFromConfig(cfg), s3.NewFromConfig(cfg)
	a := handler.API{
		Store:      store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour),
		Outbound:   &queue.Sender{Client: queues, URL: c.Outbound},
		Inbound:    &queue.Sender{Client: queues, URL: c.Inbound},
		Files:      blob.New(objects, c.Bucket),
		Links:      blob.NewSigner(objects, c.Bucket),
		Graph:      &graph,
		Numbers:    c.Numbers,
		Connectors: route.Connectors(c.Connectors),
		Key:        keys.Of(secret.APIKey),
	}
	lambda.Start(a.Lambda())
}

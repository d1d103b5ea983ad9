// Command api answers the REST API.
//
//	REST → api → Outbound.fifo · table
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
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/functions/api/handler"
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
	a := handler.API{
		Store:      store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour),
		Outbound:   &queue.Sender{Client: sqs.NewFromConfig(cfg), URL: c.Outbound},
		Numbers:    c.Numbers,
		Connectors: route.Connectors(c.Connectors),
		Templates:  graph.Templates,
		Key:        keys.Of(secret.APIKey),
	}
	lambda.Start(a.Lambda())
}

// Command api answers the REST API.
//
//	REST, CRMs → api → Outbound.fifo · Inbound.fifo · CRM.fifo · table · bucket
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

	"threadline/functions/api/handler"
	"threadline/shared/blob"
	"threadline/shared/crm"
	"threadline/shared/crm/known"
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
		CRM           string   `env:"CRM_QUEUE_URL"`
		GraphURL      string   `env:"GRAPH_API_URL"`
		GraphVersion  string   `env:"GRAPH_API_VERSION"`
	}
	var settings known.Settings
	env.Must(&c, &settings)
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	keys := secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), c.Secret), 5*time.Minute)
	graph := whatsapp.Client{BaseURL: c.GraphURL, Version: c.GraphVersion, Token: keys.Of(secret.AccessToken)}
	queues, objects := sqs.NewFromConfig(cfg), s3.NewFromConfig(cfg)
	// They only read what the CRMs say: calls to a CRM are crmsync's.
	connectors, err := known.Connectors(route.Connectors(c.Connectors), settings, known.Deps{
		Secret: keys.Of, Maybe: keys.Maybe, Client: func(string, func() crm.Capabilities) *http.Client { return http.DefaultClient },
	})
	if err != nil { // the CRMs that are configured go on
		slog.Error("configuration", "problem", err.Error())
	}
	a := handler.API{
		Store:      store.New(dynamodb.NewFromConfig(cfg), c.Table, time.Duration(c.RetentionDays)*24*time.Hour),
		Outbound:   &queue.Sender{Client: queues, URL: c.Outbound},
		Inbound:    &queue.Sender{Client: queues, URL: c.Inbound},
		Files:      blob.New(objects, c.Bucket),
		Links:      blob.NewSigner(objects, c.Bucket),
		Graph:      &graph,
		Numbers:    c.Numbers,
		Connectors: route.Connectors(c.Connectors),
		Receivers:  known.Which[crm.Receiver](connectors),
		Panels:     known.Which[crm.Paneler](connectors),
		CRM:        &queue.Sender{Client: queues, URL: c.CRM},
		PublicURL:  settings.PublicURL,
		Key:        keys.Of(secret.APIKey),
	}
	lambda.Start(a.Lambda())
}

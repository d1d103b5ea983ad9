package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/functions/webhook/handler"
	"threadline/shared/blob"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/whatsapp/whatsapptest"
)

// appSecret signs what is posted, to the handler here and to the local stack.
const appSecret = "local-app-secret"

// number is the company's phone_number_id.
const number = "15550001111"

// webhook times the webhook's handler from the HTTP API's event to its answer, SQS left out.
func (b *bench) webhook() error {
	title("Webhook handler, without SQS")
	var rows [][]string
	for _, updates := range []int{1, 10, 1000} {
		e := webhookEvent(updates)
		h := handler.Handler{
			Secrets: oneSecret{}, Inbound: &queue.Sender{Client: takesAll{}, URL: "inbound.fifo"},
			Claims: &blob.Memory{}, Metrics: &metric.Metrics{},
		}
		status := 0
		r := testing.Benchmark(func(tb *testing.B) {
			for tb.Loop() {
				answer, _ := h.Handle(b.ctx, e)
				status = answer.StatusCode
			}
		})
		if status != http.StatusOK {
			return fmt.Errorf("the handler answers %d", status)
		}
		rows = append(rows, []string{
			fmt.Sprint(updates), fmt.Sprint(len(e.Body)), fmt.Sprintf("%.1f µs", float64(r.NsPerOp())/1e3),
			fmt.Sprintf("%.1f µs", float64(r.NsPerOp())/1e3/float64(updates)),
			fmt.Sprint(r.AllocsPerOp()), fmt.Sprint(r.AllocsPerOp() / int64(updates)), fmt.Sprint(r.AllocedBytesPerOp() / int64(updates)),
		})
	}
	table([]string{"updates", "bytes", "time", "per update", "allocations", "per update", "bytes per update"}, rows)
	return nil
}

// webhookEvent is a signed POST of so many text messages, each of another customer.
func webhookEvent(updates int) events.APIGatewayV2HTTPRequest {
	messages := make([]any, updates)
	for i := range messages {
		messages[i] = map[string]any{
			"from": fmt.Sprintf("346%08d", i), "id": fmt.Sprintf("wamid.HBgLMzQ2MDAwMDAwMDAVAgASGBQzQTAwMDAwMDAwMDAwMDAw%04d", i),
			"timestamp": "1772442000", "type": "text", "text": map[string]any{"body": "Is the blue one in stock again?"},
		}
	}
	return signed(whatsapptest.Change(number, map[string]any{"messages": messages}))
}

// oneSecret is a secret with an app secret in it and nothing else.
type oneSecret struct{}

var errNoValue = errors.New("no value")

func (oneSecret) Value(_ context.Context, key string) (string, error) {
	if strings.HasSuffix(key, "previous") {
		return "", errNoValue
	}
	return appSecret, nil
}

func (oneSecret) Refresh(context.Context) error { return nil }

// takesAll is SQS that takes every message and keeps none.
type takesAll struct{}

func (takesAll) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	out := &sqs.SendMessageBatchOutput{Successful: make([]sqstypes.SendMessageBatchResultEntry, len(in.Entries))}
	for i, e := range in.Entries {
		out.Successful[i].Id = e.Id
	}
	return out, nil
}

// Command worker reports every record to the test's server, whose answer says what to do with it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// A record's body is the URL to report to. The answers: ok, fail (this record), crash, nonsense.
func handle(ctx context.Context, event events.SQSEvent) (any, error) {
	var response events.SQSEventResponse
	failed := make(map[string]bool) // groups
	for _, record := range event.Records {
		group := record.Attributes["MessageGroupId"]
		if failed[group] {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
			continue
		}
		content, err := json.Marshal(record)
		if err != nil {
			return nil, err
		}
		answer, err := http.Post(record.Body, "application/json", bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		verdict, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return nil, err
		}
		switch string(verdict) {
		case "crash":
			os.Exit(2)
		case "nonsense":
			return "nonsense", nil
		case "fail":
			failed[group] = true
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	return response, nil
}

func main() { lambda.Start(handle) }

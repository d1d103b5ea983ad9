// Command echo answers an HTTP request with what it was given, or misbehaves as the path asks.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// instance tells one process from another.
var instance = rand.Text()

// answer is what the tests read.
type answer struct {
	Instance    string
	PID         int
	Environment []string
	Event       events.APIGatewayV2HTTPRequest
	Deadline    time.Duration
}

func handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (any, error) {
	switch event.PathParameters["proxy"] {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("as asked")
	case "hang":
		select {}
	case "large":
		return strings.Repeat("x", 7<<20), nil
	case "binary":
		return events.APIGatewayV2HTTPResponse{
			StatusCode: 201, Body: "//79", IsBase64Encoded: true,
			Headers: map[string]string{"Content-Type": "application/octet-stream"}, Cookies: []string{"a=1", "b=2"},
		}, nil
	case "slow":
		time.Sleep(300 * time.Millisecond)
	}
	deadline, _ := ctx.Deadline()
	return answer{instance, os.Getpid(), os.Environ(), event, time.Until(deadline)}, nil
}

func main() {
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		var request events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(event, &request); err != nil {
			return nil, err
		}
		return handle(ctx, request)
	})
}

package queuetest

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// NewClient returns a client of an emulator at that URL. No call is made twice behind a test's back: a ReceiveMessage
// that is repeated returns nothing, because the answer that got lost took the messages.
func NewClient(endpoint string) *sqs.Client {
	return sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: detached{}, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// detached sends a copy of each request's body. The SDK closes the body as soon as the response's header is there; if
// the transport hasn't finished with it by then, the connection is closed and the response's body lost.
// https://github.com/aws/aws-sdk-go-v2/issues/1825
type detached struct{}

func (detached) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return http.DefaultClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultClient.Do(sent)
}

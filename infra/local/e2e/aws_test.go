package e2e

import (
	"bytes"
	"context"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/shared/whatsapp"
)

// upload gives Meta a file to send, as a company's own program would, and returns its id.
func (w *world) upload(t *testing.T, name, mimeType string, content []byte) string {
	t.Helper()
	client := whatsapp.Client{Token: func(context.Context) (string, error) { return accessToken, nil }}
	for _, f := range w.functions(t) {
		if f.Environment != nil && f.Environment.Variables["GRAPH_API_URL"] != "" {
			client.BaseURL, client.Version = f.Environment.Variables["GRAPH_API_URL"], f.Environment.Variables["GRAPH_API_VERSION"]
		}
	}
	id, err := client.Upload(t.Context(), number, name, mimeType, int64(len(content)), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// functions are the deployed functions' configurations.
func (w *world) functions(t *testing.T) []lambdatypes.FunctionConfiguration {
	t.Helper()
	out, err := lambda.NewFromConfig(w.Config()).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return out.Functions
}

// waiting counts the messages of a queue, given by the stack's output of its URL; invisible ones too.
func (w *world) waiting(t *testing.T, output string) (int, error) {
	t.Helper()
	out, err := sqs.NewFromConfig(w.Config()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(w.Output(output)), AttributeNames: []types.QueueAttributeName{"All"},
	})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		count, _ := strconv.Atoi(out.Attributes[name])
		n += count
	}
	return n, nil
}

// bucket is a client of S3.
func (w *world) bucket() *s3.Client {
	return s3.NewFromConfig(w.Config(), func(o *s3.Options) { o.UsePathStyle = true })
}

// objects lists what the stack's bucket holds below a prefix.
func (w *world) objects(t *testing.T, prefix string) []s3types.Object {
	t.Helper()
	bucket := w.Output("BucketName")
	out, err := w.bucket().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	return out.Contents
}

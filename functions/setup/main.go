// Command setup is the function that fills the stack's secret during a deployment, as the custom resource SecretValues
// of template.yaml. It exists because CloudFormation can only replace a secret as a whole, generated values included.
package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"threadline/shared/env"
)

func main() {
	slog.SetDefault(lambdacontext.NewLogger())

	var c struct {
		Secret string `env:"SECRET"` // ARN
	}
	env.Must(&c)

	aws, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		slog.Error("load AWS configuration", "error", err)
		os.Exit(1)
	}
	h := handler{client: secretsmanager.NewFromConfig(aws), secret: c.Secret, generate: rand.Text}

	lambda.Start(cfn.LambdaWrap(h.handle))
}

// Package parameter reads a secret from the AWS Systems Manager Parameter Store.
package parameter

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// API is the part of the Systems Manager client that is used.
type API interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Fetcher reads the parameter at path ("/threadline/prod"), decrypted. It needs ssm:GetParameter, and kms:Decrypt on a
// customer-managed key.
func Fetcher(client API, path string) func(context.Context) (string, error) {
	decrypt := true
	return func(ctx context.Context) (string, error) {
		out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &path, WithDecryption: &decrypt})
		if err != nil {
			return "", fmt.Errorf("get parameter: %w", err)
		}
		if out.Parameter == nil || out.Parameter.Value == nil {
			return "", errors.New("get parameter: the answer has no value")
		}
		return *out.Parameter.Value, nil
	}
}

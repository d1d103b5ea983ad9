package secret

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// ManagerAPI is the part of the Secrets Manager client that is used.
type ManagerAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Manager reads the present version of the secret with that ARN or name. It needs secretsmanager:GetSecretValue.
func Manager(client ManagerAPI, id string) Fetcher {
	return func(ctx context.Context) (string, error) {
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return "", fmt.Errorf("get secret value: %w", err)
		}
		if out.SecretString == nil {
			return "", errors.New("get secret value: the secret is binary, want a text")
		}
		return *out.SecretString, nil
	}
}

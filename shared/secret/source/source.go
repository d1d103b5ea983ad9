// Package source reads the secret from wherever its id says it is.
package source

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"threadline/shared/secret/manager"
	"threadline/shared/secret/parameter"
)

// Fetcher reads from SSM Parameter Store if id is a path (it begins with a slash), else from Secrets Manager.
func Fetcher(cfg aws.Config, id string) func(context.Context) (string, error) {
	if strings.HasPrefix(id, "/") {
		return parameter.Fetcher(ssm.NewFromConfig(cfg), id)
	}
	return manager.Fetcher(secretsmanager.NewFromConfig(cfg), id)
}

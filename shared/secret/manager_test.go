package secret

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

type client func(id string) (*string, error)

func (c client) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	text, err := c(*in.SecretId)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: text}, nil
}

func TestManager(t *testing.T) {
	echo := client(func(id string) (*string, error) { return &id, nil })
	if got, err := Manager(echo, "arn:one")(context.Background()); got != "arn:one" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	binary := client(func(string) (*string, error) { return nil, nil })
	if _, err := Manager(binary, "x")(context.Background()); err == nil {
		t.Error("a binary secret is no error")
	}
	down := errors.New("down")
	failing := client(func(string) (*string, error) { return nil, down })
	if _, err := Manager(failing, "x")(context.Background()); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}

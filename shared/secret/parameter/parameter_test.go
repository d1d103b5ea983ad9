package parameter

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

type client func(path string) (*types.Parameter, error)

func (c client) GetParameter(_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	if in.WithDecryption == nil || !*in.WithDecryption {
		return nil, errors.New("asked for the encrypted value")
	}
	parameter, err := c(*in.Name)
	return &ssm.GetParameterOutput{Parameter: parameter}, err
}

func TestFetcher(t *testing.T) {
	echo := client(func(path string) (*types.Parameter, error) { return &types.Parameter{Value: &path}, nil })
	if got, err := Fetcher(echo, "/one")(context.Background()); got != "/one" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	empty := client(func(string) (*types.Parameter, error) { return nil, nil })
	if _, err := Fetcher(empty, "/x")(context.Background()); err == nil {
		t.Error("an answer without a value is no error")
	}
	down := errors.New("down")
	failing := client(func(string) (*types.Parameter, error) { return nil, down })
	if _, err := Fetcher(failing, "/x")(context.Background()); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}

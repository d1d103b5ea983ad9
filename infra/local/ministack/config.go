package ministack

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Config is for SDK clients of this emulator.
func (e *Emulator) Config() aws.Config {
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(e.endpoint),
		HTTPClient:   &http.Client{Transport: detached{&http.Transport{MaxIdleConnsPerHost: 64}}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}
}

// detached keeps request bodies out of the SDK's reach. The SDK closes a body when the answer's
// headers are there; if that comes before net/http has seen the end of it, the connection is closed
// and the SDK repeats a call that was carried out (https://github.com/aws/aws-sdk-go-v2/issues/1825).
// A repeated ReceiveMessage would hide what the first one took for as long as its visibility lasts.
type detached struct{ next http.RoundTripper }

func (d detached) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return d.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, err
	}
	clone := r.Clone(r.Context())
	clone.Body = io.NopCloser(bytes.NewReader(body))
	return d.next.RoundTrip(clone)
}

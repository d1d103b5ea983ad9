package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// session is a token and the instance that takes it. Neither of the flows has a refresh token: a session that ended is
// replaced by a new one.
type session struct{ client *rest.Client }

// begun returns the session, logging in if there is none. Calls that come meanwhile wait for it.
func (c *Connector) begun(ctx context.Context) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		return c.session, nil
	}
	s, err := c.logIn(ctx)
	if e, ok := errors.AsType[*crm.Error](err); ok {
		e.Unknown = false // the call that needs the session wasn't made
	}
	c.session = s
	return s, err
}

// ended forgets a session, unless another call has replaced it already.
func (c *Connector) ended(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == s {
		c.session = nil
	}
}

func (c *Connector) logIn(ctx context.Context) (*session, error) {
	const op = "log in"
	form, err := c.grant(ctx)
	if err != nil {
		return nil, err
	}
	b := []byte(form.Encode())
	a, err := c.login.Do(ctx, rest.Request{
		Op: op, Method: http.MethodPost, Path: "/services/oauth2/token",
		Type: "application/x-www-form-urlencoded", Body: bytes.NewReader(b), Size: int64(len(b)),
	})
	if err != nil {
		return nil, err
	}
	var out struct {
		Token    string `json:"access_token"`
		Instance string `json:"instance_url"`
	}
	if err := rest.Decode(op, a, &out); err != nil {
		return nil, err
	}
	if out.Token == "" || !sameOrg(c.config.URL, out.Instance) {
		return nil, &crm.Error{Class: crm.Stopped, Op: op, Status: a.Status, Reason: "INSTANCE_OF_ANOTHER_ORG"}
	}
	return &session{rest.New(rest.Config{
		BaseURL: out.Instance, HTTP: c.config.HTTP,
		Authorize: func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+out.Token)
			return nil
		},
		Classify: classify,
	})}, nil
}

// grant is what the token is asked for with: the key if there is one, else the secret.
func (c *Connector) grant(ctx context.Context) (url.Values, error) {
	key, err := given(ctx, c.config.PrivateKey)
	if err != nil {
		return nil, err
	}
	if key != "" {
		assertion, err := c.assertion(key)
		return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}, err
	}
	secret, err := given(ctx, c.config.ClientSecret)
	if err != nil {
		return nil, err
	}
	if secret == "" {
		return nil, &crm.Error{Class: crm.Stopped, Op: "log in", Reason: "NO_CREDENTIALS"}
	}
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {c.config.ClientID}, "client_secret": {secret}}, nil
}

// given reads a secret that may not be there.
func given(ctx context.Context, source func(context.Context) (string, error)) (string, error) {
	if source == nil {
		return "", nil
	}
	secret, err := source(ctx)
	if err != nil {
		return "", &crm.Error{Class: crm.Transient, Op: "log in", Reason: "NO_CREDENTIALS", Err: err}
	}
	return strings.TrimSpace(secret), nil
}

// sameOrg tells whether the instance that a token is for is the configured host, or carries the org's name in a domain
// of Salesforce's: acme.my.salesforce.com and acme.my.force.com are one org.
func sameOrg(configured, instance string) bool {
	own, err := url.Parse(configured)
	if err != nil {
		return false
	}
	to, err := url.Parse(instance)
	if err != nil || to.User != nil || strings.Trim(to.Path, "/") != "" || to.RawQuery != "" || to.Fragment != "" {
		return false
	}
	if to.Scheme == own.Scheme && strings.EqualFold(to.Host, own.Host) {
		return true
	}
	host := strings.ToLower(to.Host) // with the port: there is none on a domain of Salesforce's
	ofSalesforce := strings.HasSuffix(host, ".salesforce.com") || strings.HasSuffix(host, ".force.com")
	name, _, _ := strings.Cut(strings.ToLower(own.Hostname()), ".")
	return to.Scheme == "https" && ofSalesforce && name != "" && strings.HasPrefix(host, name+".")
}

// loginFailure classifies an answer of the token endpoint: {"error","error_description"}.
func loginFailure(op string, a rest.Answer) error {
	e := rest.Default(op, a)
	var out struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(a.Body, &out) != nil || out.Error == "" {
		elsewhere(e)
		return e
	}
	e.Reason = code(out.Error)
	switch out.Error {
	case "unknown_error", "server_error", "temporarily_unavailable":
		e.Class = crm.Transient
	default:
		if a.Status < 500 && e.Class != crm.Limited {
			e.Class = crm.Stopped
		}
	}
	return e
}

package salesforce_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	sim "threadline/infra/local/salesforce"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/salesforce"
)

// TestSessionEnds proves that a session which ended is replaced once, and that what is sent then is whole.
func TestSessionEnds(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
	o.sim.EndSessions()
	file := must[crm.FileRef](t)(c.PutFile(t.Context(), contact, message, photo()))
	if _, ok, err := c.FindFile(t.Context(), contact, message, photo()); !ok || err != nil || file == "" {
		t.Errorf("the file isn't there: %v", err)
	}
	o.sim.EndSessions()
	var group sync.WaitGroup
	logins := o.logins()
	for range 8 {
		group.Go(func() {
			if _, _, err := c.ContactByKey(t.Context(), person().Key); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := o.logins() - logins; n != 1 {
		t.Errorf("%d logins for one ended session, want 1", n)
	}
}

// TestSessionEndsBeforeUpload proves that a file gets through whose call is refused before it is read.
func TestSessionEndsBeforeUpload(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
	o.sim.EndSessions()
	big := photo()
	big.Size = 20 << 20
	big.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat("x", int(big.Size)))), nil
	}
	var err error
	for range 2 { // the connection may be cut before the answer is read
		if _, err = c.PutFile(t.Context(), contact, message, big); err == nil {
			return
		}
	}
	t.Error(err)
}

func (o *org) logins() int {
	n := 0
	for _, c := range o.sim.Calls() {
		if strings.HasSuffix(c.Path, "/token") {
			n++
		}
	}
	return n
}

func TestWrongSecret(t *testing.T) {
	o := newOrg(t, true, func(s *sim.Options) { s.ClientSecret = "another" })
	_, _, err := o.connector().ContactByKey(t.Context(), person().Key)
	wantError(t, err, crm.Stopped, "invalid_client")
}

// TestNoSession proves that a call whose session couldn't be had is known not to have been made.
func TestNoSession(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer server.Close()
	o := newOrg(t, true)
	config := o.config()
	config.URL = server.URL
	_, err := salesforce.New(config).CreateContact(t.Context(), person())
	if e := wantError(t, err, crm.Transient, ""); e.Unknown {
		t.Error("the contact may have been made, says the error")
	}
}

// TestNoOrgThere proves that nothing is given up because the address is that of an org which is no more.
func TestNoOrgThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	config := newOrg(t, true).config()
	config.URL = server.URL
	_, err := salesforce.New(config).CreateContact(t.Context(), person())
	wantError(t, err, crm.Stopped, "NOT_AN_ANSWER_OF_SALESFORCE")
}

// TestJWT logs in with keys in both forms; the simulator checks what the assertion says.
func TestJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	const user = "threadline@example.com"
	o := newOrg(t, true, func(s *sim.Options) { s.PublicKey, s.Username = &key.PublicKey, user })
	login := func(text, username string) error {
		config := o.config()
		config.ClientSecret = crmtest.Secret("")
		config.Username = username
		config.PrivateKey = crmtest.Secret(text)
		_, _, err := salesforce.New(config).ContactByKey(t.Context(), person().Key)
		return err
	}
	pkcs1 := encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
	for _, text := range []string{pkcs1, encode("PRIVATE KEY", other)} {
		if err := login(text, user); err != nil {
			t.Error(err)
		}
	}
	wantError(t, login(pkcs1, "somebody@example.com"), crm.Stopped, "invalid_grant")
	wantError(t, login("no key", user), crm.Stopped, "PRIVATE_KEY_IS_NO_RSA_KEY")
	wantError(t, login("", user), crm.Stopped, "NO_CREDENTIALS")
}

// TestNoKey proves that an empty key means the secret.
func TestNoKey(t *testing.T) {
	config := newOrg(t, true).config()
	config.PrivateKey = crmtest.Secret("\n")
	if _, _, err := salesforce.New(config).ContactByKey(t.Context(), person().Key); err != nil {
		t.Error(err)
	}
}

// TestInstanceOfAnotherOrg proves that a token goes to nobody else, whatever the answer says.
func TestInstanceOfAnotherOrg(t *testing.T) {
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer thief.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"t","instance_url":"`+thief.URL+`"}`)
	}))
	defer server.Close()
	config := newOrg(t, true).config()
	config.URL = server.URL
	_, err := salesforce.New(config).CreateContact(t.Context(), person())
	wantError(t, err, crm.Stopped, "INSTANCE_OF_ANOTHER_ORG")
	if stolen.Load() != 0 {
		t.Error("another host was called")
	}
}

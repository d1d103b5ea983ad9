package whatsapp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

// A webhook handler verifies the raw bytes, and only then looks into them.
func Example() {
	verifier := whatsapp.NewVerifier("app-secret")
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, whatsapp.MaxBody))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		if err := verifier.Verify(body, r.Header.Get(whatsapp.SignatureHeader)); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		updates, err := whatsapp.Split(body)
		if err != nil {
			fmt.Println("kept for inspection:", err)
		}
		for _, u := range updates {
			fmt.Println(u.Kind, "for number", u.Number)
		}
	}

	body := whatsapptest.Text("200000000000002", "16505551234", "wamid.1", "Hello", time.Unix(1749416383, 0))
	r := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(body))
	r.Header.Set(whatsapp.SignatureHeader, whatsapptest.Sign("app-secret", body))
	handler(httptest.NewRecorder(), r)
	// Output: message for number 200000000000002
}

func ExampleParseMessage() {
	updates, err := whatsapp.Split(whatsapptest.Photo("200000000000002", "US.1000000000000000001", "wamid.1",
		"300000000000003", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "The broken part", time.Unix(1749416383, 0)))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := whatsapp.ParseMessage(updates[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Type, "from", m.From.BSUID, "called", m.From.Name)
	if file, ok := m.Media(); ok {
		fmt.Println(file.MIME, file.Caption)
	}
	// Output:
	// image from US.1000000000000000001 called Test Customer
	// image/jpeg The broken part
}

func ExampleParseStatus() {
	updates, err := whatsapp.Split(whatsapptest.Status("200000000000002", "16505551234", "wamid.1", "read", "m_1", time.Unix(1749416383, 0)))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := whatsapp.ParseStatus(updates[0])
	fmt.Println(s.ID, s.State, s.CallbackData, err)
	// Output: wamid.1 read m_1 <nil>
}

func ExampleClient_Send() {
	meta := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":{"code":131047,"message":"Re-engagement message"}}`)
	}))
	defer meta.Close()
	c := whatsapp.Client{
		BaseURL: meta.URL, // leave it out for Meta's own
		Token:   func(context.Context) (string, error) { return "token", nil },
	}
	_, err := c.Send(context.Background(), "200000000000002", whatsapp.Outgoing{
		To:           "+16505551234",
		CallbackData: "m_1", // comes back in every status, even where this answer is lost
		Text:         &whatsapp.OutText{Body: "Your order is on its way."},
	})
	switch whatsapp.OutcomeOf(err) {
	case whatsapp.Accepted:
		fmt.Println("wait for statuses")
	case whatsapp.NotSent:
		fmt.Println("not sent, and trying again is", whatsapp.ClassOf(err))
	case whatsapp.Unknown:
		fmt.Println("wait for a status that has m_1")
	}
	var e *whatsapp.Error
	if errors.As(err, &e) && e.Code == 131047 {
		fmt.Println("send a template instead")
	}
	// Output:
	// not sent, and trying again is permanent
	// send a template instead
}

func ExampleChallenge() {
	r := httptest.NewRequest(http.MethodGet, "/webhook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=tok", nil)
	fmt.Println(whatsapp.Challenge(r.URL.Query(), "tok"))
	// Output: 1158201444 true
}

package blob_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"threadline/shared/blob"
)

func TestLinksSayWhatTheyAllow(t *testing.T) {
	signer := blob.NewSigner(newClient("http://127.0.0.1:1", nil), "bucket")
	for _, test := range []struct {
		o    blob.LinkOptions
		want string
	}{
		{blob.LinkOptions{For: time.Minute}, "attachment"},
		{blob.LinkOptions{For: time.Minute, Inline: true, Name: "a.jpg"}, `inline; filename=a.jpg`},
		{blob.LinkOptions{For: time.Minute, Name: "Rechnung März.pdf"}, `attachment; filename*=utf-8''Rechnung%20M%C3%A4rz.pdf`},
		{blob.LinkOptions{For: time.Minute, Name: "a\r\nX-Evil: 1.pdf"}, `attachment; filename*=utf-8''a%0D%0AX-Evil%3A%201.pdf`},
	} {
		link, err := signer.Link(t.Context(), "media/x", test.o)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if got := q.Get("response-content-disposition"); got != test.want {
			t.Errorf("disposition %q, want %q", got, test.want)
		}
		if q.Get("X-Amz-Expires") != "60" || q.Get("X-Amz-Signature") == "" || u.Path != "/bucket/media/x" {
			t.Errorf("the link is %s", link)
		}
	}
}

func TestAnUploadIsSignedWithItsLengthAndType(t *testing.T) {
	signer := blob.NewSigner(newClient("http://127.0.0.1:1", nil), "bucket")
	u, err := signer.UploadLink(t.Context(), "uploads/x", 5, blob.PutOptions{ContentType: "image/png", SHA256: make([]byte, 32)}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if u.Method != "PUT" || u.Headers["Content-Type"] != "image/png" || u.Headers["Content-Length"] != "5" {
		t.Errorf("%s with %v", u.Method, u.Headers)
	}
	if !strings.Contains(u.URL, "content-length") || !strings.Contains(u.URL, "content-type") {
		t.Errorf("not signed: %s", u.URL)
	}
}

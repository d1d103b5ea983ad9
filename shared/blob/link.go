package blob

import (
	"context"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// LinkOptions say how a browser gets an object.
type LinkOptions struct {
	For         time.Duration // how long the link works
	ContentType string        // instead of the object's own; empty: the object's
	Name        string        // what the browser calls the file
	Inline      bool          // shown rather than downloaded: for types that run no code only
}

// disposition is the header that tells a browser to show or to save.
func (o LinkOptions) disposition() string {
	how := "attachment"
	if o.Inline {
		how = "inline"
	}
	if o.Name == "" {
		return how
	}
	return mime.FormatMediaType(how, map[string]string{"filename": o.Name})
}

// Upload is a request that stores one object, for somebody who has no rights on the bucket.
type Upload struct {
	Method  string
	URL     string
	Headers map[string]string // to be sent as they are
}

// Signer makes links that work without credentials for a while. Making one calls nobody.
type Signer struct {
	client *s3.PresignClient
	bucket string
}

// NewSigner returns the signer of a bucket. What it signs is allowed as far as the client's own role allows it.
func NewSigner(client *s3.Client, bucket string) *Signer {
	return &Signer{client: s3.NewPresignClient(client), bucket: bucket}
}

// Link returns an address from which an object can be fetched.
func (s *Signer) Link(ctx context.Context, key string, o LinkOptions) (string, error) {
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, ResponseContentDisposition: aws.String(o.disposition())}
	if o.ContentType != "" {
		in.ResponseContentType = &o.ContentType
	}
	r, err := s.client.PresignGetObject(ctx, in, s3.WithPresignExpires(o.For))
	if err != nil {
		return "", fmt.Errorf("sign a link: %w", err)
	}
	return r.URL, nil
}

// UploadLink returns the request that stores exactly size bytes under key within a time. S3 refuses another length or
// type, and another content where the SHA-256 is given.
func (s *Signer) UploadLink(ctx context.Context, key string, size int64, opts PutOptions, within time.Duration) (Upload, error) {
	in := &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, ContentLength: &size, ContentType: &opts.ContentType}
	if len(opts.SHA256) > 0 {
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(opts.SHA256))
	}
	r, err := s.client.PresignPutObject(ctx, in, s3.WithPresignExpires(within))
	if err != nil {
		return Upload{}, fmt.Errorf("sign an upload: %w", err)
	}
	u := Upload{Method: r.Method, URL: r.URL, Headers: map[string]string{}}
	for name, values := range r.SignedHeader {
		if name != "Host" && len(values) > 0 {
			u.Headers[http.CanonicalHeaderKey(name)] = values[0]
		}
	}
	return u, nil
}

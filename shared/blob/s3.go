package blob

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// API is the part of the S3 client that is used.
type API interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// S3 is a bucket. It is safe for parallel use.
type S3 struct {
	client API
	bucket string
}

// New returns the bucket of that name. It needs s3:PutObject and s3:GetObject on its objects, and s3:ListBucket on the
// bucket: without it a missing object looks like a forbidden one.
func New(client API, bucket string) *S3 { return &S3{client: client, bucket: bucket} }

// Put stores size bytes of body under key, replacing what was there. A body that is shorter or longer is an error and
// stores nothing, one that differs from opts.SHA256 is ErrChecksum.
func (s *S3) Put(ctx context.Context, key string, body io.Reader, size int64, opts PutOptions) error {
	if err := check(key, body, size, opts); err != nil {
		return err
	}
	body, err := exactly(body, size)
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	in := &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: body, ContentLength: &size,
		ContentType: aws.String(defaultType), Metadata: opts.Metadata,
	}
	if opts.ContentType != "" {
		in.ContentType = &opts.ContentType
	}
	if len(opts.SHA256) > 0 {
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(opts.SHA256))
	}
	if _, err := s.client.PutObject(ctx, in, stream(body)); err != nil {
		return fmt.Errorf("put object: %w", classify(err))
	}
	return nil
}

// stream keeps the SDK from reading the body twice: once for the signature's hash, once for a checksum of its own.
// An unseekable body gets one attempt, because the second one fails with an error that hides the first one's.
func stream(body io.Reader) func(*s3.Options) {
	return func(o *s3.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
		if _, seekable := body.(io.Seeker); !seekable {
			o.Retryer = aws.NopRetryer{}
		}
	}
}

// Get opens the object under key; the caller closes it. ErrNotFound if there is none.
func (s *S3) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return nil, Info{}, fmt.Errorf("get object: %w", classify(err))
	}
	return out.Body, Info{
		Size: aws.ToInt64(out.ContentLength), ContentType: aws.ToString(out.ContentType),
		SHA256: checksum(out.ChecksumSHA256), Metadata: metadata(out.Metadata), Modified: aws.ToTime(out.LastModified),
	}, nil
}

// Head describes the object under key without opening it. ErrNotFound if there is none.
func (s *S3) Head(ctx context.Context, key string) (Info, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &s.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return Info{}, fmt.Errorf("head object: %w", classify(err))
	}
	return Info{
		Size: aws.ToInt64(out.ContentLength), ContentType: aws.ToString(out.ContentType),
		SHA256: checksum(out.ChecksumSHA256), Metadata: metadata(out.Metadata), Modified: aws.ToTime(out.LastModified),
	}, nil
}

// checksum returns nil for what is not a whole SHA-256 (an object without one, or uploaded in parts).
func checksum(text *string) []byte {
	sum, err := base64.StdEncoding.DecodeString(aws.ToString(text))
	if err != nil || len(sum) != 32 {
		return nil
	}
	return sum
}

func metadata(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// classify marks the two failures that a caller decides on.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func classify(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case "NoSuchKey", "NotFound":
		return errors.Join(ErrNotFound, err)
	case "BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch":
		return errors.Join(ErrChecksum, err)
	}
	return err
}

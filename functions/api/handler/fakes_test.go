package handler

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"threadline/shared/blob"
	"threadline/shared/queue"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What the API stands on, each of which can be told to fail.

// table is a table in memory that can be told to fail.
type table struct {
	store.API
	err    error // of every call
	writes error // of writes only
}

func (d *table) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.API.BatchGetItem(ctx, in, o...)
}

func (d *table) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.API.Query(ctx, in, o...)
}

func (d *table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := errors.Join(d.err, d.writes); err != nil {
		return nil, err
	}
	return d.API.PutItem(ctx, in, o...)
}

func (d *table) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if err := errors.Join(d.err, d.writes); err != nil {
		return nil, err
	}
	return d.API.TransactWriteItems(ctx, in, o...)
}

// outbox is Outbound.fifo or Inbound.fifo.
type outbox struct {
	entries []queue.Entry
	err     error
}

func (q *outbox) Send(_ context.Context, entries ...queue.Entry) error {
	if q.err != nil {
		return q.err
	}
	q.entries = append(q.entries, entries...)
	return nil
}

// meta is what Meta says when it is asked.
type meta struct {
	templates []whatsapp.TemplateInfo
	numbers   map[string]whatsapp.NumberInfo
	err       error
	asked     []string // for what, in order

	mu sync.Mutex
}

func (m *meta) ListTemplates(ctx context.Context, waba string) ([]whatsapp.TemplateInfo, error) {
	return m.templates, m.answer(ctx, "templates of "+waba)
}

func (m *meta) Templates(ctx context.Context, waba, name string) ([]whatsapp.TemplateInfo, error) {
	var named []whatsapp.TemplateInfo
	for _, t := range m.templates {
		if t.Name == name {
			named = append(named, t)
		}
	}
	return named, m.answer(ctx, "templates "+name+" of "+waba)
}

func (m *meta) Number(ctx context.Context, id string) (whatsapp.NumberInfo, error) {
	return m.numbers[id], m.answer(ctx, "number "+id)
}

func (m *meta) answer(ctx context.Context, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, to)
	return cmp.Or(ctx.Err(), m.err)
}

// files is a bucket in memory that can be told to fail, and the real signer of links to one.
type files struct {
	blob.Memory
	Links
	err error
}

func newFiles() *files {
	client := s3.New(s3.Options{
		Region: "eu-west-1", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	return &files{Links: blob.NewSigner(client, "bucket")}
}

func (f *files) Head(ctx context.Context, key string) (blob.Info, error) {
	if f.err != nil {
		return blob.Info{}, f.err
	}
	return f.Memory.Head(ctx, key)
}

func (f *files) Link(ctx context.Context, key string, o blob.LinkOptions) (string, error) {
	if f.err != nil {
		return "", f.err
	}
	return f.Links.Link(ctx, key, o)
}

func (f *files) UploadLink(ctx context.Context, key string, size int64, o blob.PutOptions, within time.Duration) (blob.Upload, error) {
	if f.err != nil {
		return blob.Upload{}, f.err
	}
	return f.Links.UploadLink(ctx, key, size, o, within)
}

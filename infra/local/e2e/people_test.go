package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/infra/local/hubspot"
	"threadline/infra/local/meta"
	"threadline/shared/whatsapp"
)

// person is a customer with a phone in hand, and what the company knows of them.
type person struct {
	meta.Customer
	w            *world
	contact      string // the company's id; empty until known
	conversation string
}

// customer makes somebody new. Without a phone number they have a username.
func (w *world) customer(t *testing.T, name, phone string) *person {
	t.Helper()
	username := ""
	if phone == "" {
		username = fmt.Sprintf("customer.%d", len(w.Meta().Customers()))
	}
	c, err := w.Meta().AddCustomer(name, phone, username)
	if err != nil {
		t.Fatal(err)
	}
	w.secret(name, c.BSUID)
	if phone != "" {
		w.secret(phone)
	} else {
		w.secret(username)
	}
	return &person{Customer: c, w: w}
}

// writes sends something from the phone and returns Meta's id of it.
func (p *person) writes(t *testing.T, d meta.Draft) string {
	t.Helper()
	id, err := p.w.Meta().Write(p.ID, d)
	if err != nil {
		t.Fatal(err)
	}
	if d.Text != "" {
		p.w.secret(d.Text)
	}
	p.w.secret(id)
	return id
}

// known waits until the company knows the person, and notes their ids.
func (p *person) known(t *testing.T) {
	t.Helper()
	eventually(t, patience, func() error {
		for cursor, more := "", true; more; more = cursor != "" {
			var page struct {
				Conversations []struct {
					ID      string
					Number  string
					Contact struct{ ID, Name string }
				}
				NextCursor string `json:"next_cursor"`
			}
			if err := p.w.get(t, "/conversations?limit=100&cursor="+url.QueryEscape(cursor), &page); err != nil {
				return err
			}
			for _, c := range page.Conversations {
				if c.Contact.Name == p.Name && c.Number == number {
					p.contact, p.conversation = c.Contact.ID, c.ID
					return nil
				}
			}
			cursor = page.NextCursor
		}
		return fmt.Errorf("no conversation with this customer yet")
	})
}

// record returns what the CRM has of the person: the contact and its timeline.
func (p *person) record() (hubspot.Contact, []hubspot.Entry, error) {
	var found []hubspot.Contact
	for _, c := range p.w.HubSpot().Contacts() {
		if c.Name() == p.Name {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return hubspot.Contact{}, nil, fmt.Errorf("%d contacts in the CRM, want one", len(found))
	}
	return found[0], p.w.HubSpot().Timeline(found[0].ID), nil
}

// upload gives Meta a file to send, as a company's own program would, and returns its id.
func (w *world) upload(t *testing.T, name, mimeType string, content []byte) string {
	t.Helper()
	client := whatsapp.Client{Token: func(context.Context) (string, error) { return accessToken, nil }}
	for _, f := range w.functions(t) {
		if f.Environment != nil && f.Environment.Variables["GRAPH_API_URL"] != "" {
			client.BaseURL, client.Version = f.Environment.Variables["GRAPH_API_URL"], f.Environment.Variables["GRAPH_API_VERSION"]
		}
	}
	id, err := client.Upload(t.Context(), number, name, mimeType, int64(len(content)), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// functions are the deployed functions' configurations.
func (w *world) functions(t *testing.T) []lambdatypes.FunctionConfiguration {
	t.Helper()
	out, err := lambda.NewFromConfig(w.Config()).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return out.Functions
}

// waiting counts the messages of a queue, given by the stack's output of its URL; invisible ones too.
func (w *world) waiting(t *testing.T, output string) (int, error) {
	t.Helper()
	out, err := sqs.NewFromConfig(w.Config()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(w.Output(output)), AttributeNames: []types.QueueAttributeName{"All"},
	})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		count, _ := strconv.Atoi(out.Attributes[name])
		n += count
	}
	return n, nil
}

// bucket is a client of S3.
func (w *world) bucket() *s3.Client {
	return s3.NewFromConfig(w.Config(), func(o *s3.Options) { o.UsePathStyle = true })
}

// objects lists what the stack's bucket holds below a prefix.
func (w *world) objects(t *testing.T, prefix string) []s3types.Object {
	t.Helper()
	bucket := w.Output("BucketName")
	out, err := w.bucket().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	return out.Contents
}

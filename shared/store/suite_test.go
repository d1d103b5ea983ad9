package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/shared/chat"
)

// noon is when the tests' stories begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

const retention = 90 * 24 * time.Hour

// onEach runs a promise against the table in memory and, where AWS_ENDPOINT_URL names one, against DynamoDB: that both
// keep it is what makes Memory a twin.
func onEach(t *testing.T, promise func(*testing.T, *Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { promise(t, newStore(NewMemory(), "table")) })
	t.Run("dynamodb", func(t *testing.T) {
		url := os.Getenv("AWS_ENDPOINT_URL")
		if url == "" {
			t.Skip("AWS_ENDPOINT_URL is not set: no DynamoDB to compare with")
		}
		db := client(url)
		promise(t, newStore(db, newTable(t, db)))
	})
}

// newStore returns a store whose clock stands still at an hour past noon.
func newStore(db API, table string) *Store {
	s := New(db, table, retention)
	s.Now = func() time.Time { return noon.Add(time.Hour) }
	return s
}

// forget takes an item out, as its ttl does.
func (m *Memory) forget(k key) {
	delete(m.items, k)
	m.table.remove(k.pk, place{k.sk, k})
}

// copy is a table with the same items.
func (m *Memory) copy() *Memory {
	c := NewMemory()
	for _, it := range m.items {
		c.put(it)
	}
	return c
}

func client(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &url,
		Region:       "eu-west-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func newTable(t *testing.T, db *dynamodb.Client) string {
	t.Helper()
	name := fmt.Sprintf("store-test-%016x", rand.Uint64())
	attribute := func(n string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &n, AttributeType: types.ScalarAttributeTypeS}
	}
	schema := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange},
		}
	}
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("PK"), attribute("SK"), attribute("GSI1PK"), attribute("GSI1SK")},
		KeySchema:            schema("PK", "SK"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("GSI1"), KeySchema: schema("GSI1PK", "GSI1SK"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	var mine *types.ResourceInUseException // the SDK may repeat itself; nobody else has this name
	if err != nil && !errors.As(err, &mine) {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var gone *types.ResourceNotFoundException // by the attempt that the SDK repeated
		if _, err := db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil && !errors.As(err, &gone) {
			t.Error(err)
		}
	})
	if err := dynamodb.NewTableExistsWaiter(db).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return name
}

const ourNumber = chat.NumberID("100")

// inbound is a text from the customer that seen describes.
func inbound(id string, at time.Time, seen chat.Seen) Inbound {
	seen.At, seen.ID, seen.Source = at, id, chat.SourceMessage
	return Inbound{Number: ourNumber, Seen: seen, Message: chat.Message{
		ID: chat.MessageID(id), ProviderID: id, At: at, Direction: chat.In, Kind: chat.KindText, RawType: "text",
		Origin: chat.FromCustomer, Text: "text of " + id, Status: chat.Delivered, Hash: "hash of " + id,
		Effects: []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}},
	}}
}

// outbound is a text of ours to a contact.
func outbound(id chat.MessageID, at time.Time, c chat.ContactID) chat.Message {
	return chat.Message{
		ID: id, Conversation: chat.Direct(ourNumber, c), Contact: c, At: at, Direction: chat.Out, Kind: chat.KindText,
		RawType: "text", Origin: chat.FromAgent, Text: "answer", Status: chat.Queued,
		Send: &chat.Send{To: chat.Address{BSUID: "ES.1"}, Expires: at.Add(time.Hour), Category: "service", Request: "request of " + string(id)},
	}
}

func receipt(providerID string, st chat.Status, at time.Time) chat.Receipt {
	return chat.Receipt{Number: ourNumber, ProviderID: providerID, Status: st, At: at, Hash: Hash(fmt.Appendf(nil, "%s %s %v", providerID, st, at))}
}

// persist repeats a call as its queue would, until it succeeds.
func persist(t *testing.T, call func() error) {
	t.Helper()
	var err error
	for range 50 {
		if err = call(); err == nil {
			return
		}
		if code := chat.CodeOf(err); code != chat.Conflict && code != chat.Throttled && code != chat.Unavailable {
			t.Errorf("%v is not worth a repetition", err)
			return
		}
	}
	t.Errorf("no success after 50 times: %v", err)
}

func receive(t *testing.T, s *Store, in Inbound) Received {
	t.Helper()
	r, err := s.Receive(t.Context(), in)
	if err != nil {
		t.Fatalf("receive %s: %v", in.Message.ID, err)
	}
	return r
}

func settle(t *testing.T, s *Store, r chat.Receipt) (chat.Message, bool) {
	t.Helper()
	m, ok, err := s.Settle(t.Context(), r)
	if err != nil {
		t.Fatalf("settle %s: %v", r.Status, err)
	}
	return m, ok
}

func queue(t *testing.T, s *Store, m chat.Message) chat.Message {
	t.Helper()
	stored, _, err := s.Queue(t.Context(), m)
	if err != nil {
		t.Fatalf("queue %s: %v", m.ID, err)
	}
	return stored
}

// messages reads a whole conversation, page by page.
func messages(t *testing.T, s *Store, id chat.ConversationID, limit int) []chat.Message {
	t.Helper()
	var all []chat.Message
	cursor := ""
	for range 1000 {
		page, next, err := s.Messages(t.Context(), id, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("a page of %d has %d", limit, len(page))
		}
		all = append(append([]chat.Message{}, page...), all...)
		if cursor = next; next == "" {
			return all
		}
	}
	t.Fatal("the pages never end")
	return nil
}

func ids(ms []chat.Message) string {
	var out []string
	for _, m := range ms {
		out = append(out, string(m.ID))
	}
	return strings.Join(out, " ")
}

// together runs the calls at the same time.
func together(n int, call func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { call(i) })
	}
	wg.Wait()
}

package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"threadline/infra/local/hubspot"
	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	accessToken  = "EAAtoken-of-the-system-user"
	appSecret    = "0123456789abcdef0123456789abcdef"
	verifyToken  = "our-verify-token"
	hubspotToken = "pat-eu1-hubspot"
)

// world is a stack and everything around it, in good order. It is the fake of every AWS client.
type world struct {
	denied        map[string]error // by action, such as "sts"
	concurrency   int32
	status        string
	outputs       map[string]string
	parameters    map[string]string
	environment   map[string]string // of crmsync
	gate          store.Gate
	functionState lambdatypes.State
	sourceState   map[string]string // by physical id
	parked        string
	subscription  []snstypes.Subscription
	secret        map[string]string
	conversations []store.Listed
	graph         map[string]string // answers by path
	refuseGraph   string            // an error object for every call of Meta
	webhook       http.HandlerFunc
	hubspot       *hubspot.Simulator
	doctor        *Doctor
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		denied: map[string]error{}, concurrency: 1000, status: "UPDATE_COMPLETE", parked: "0",
		functionState: lambdatypes.StateActive, sourceState: map[string]string{},
		subscription:  []snstypes.Subscription{{Endpoint: aws.String("ops@example.com"), SubscriptionArn: aws.String("arn:aws:sns:1")}},
		secret:        map[string]string{"app_secret": appSecret, "access_token": accessToken, "verify_token": verifyToken, "api_key": "an-api-key-of-ours", "hubspot_token": hubspotToken},
		conversations: []store.Listed{{Conversation: chat.Conversation{LastInbound: now.Add(-3 * time.Hour)}}, {}},
	}
	w.webhook = func(rw http.ResponseWriter, r *http.Request) {
		challenge, ok := whatsapp.Challenge(r.URL.Query(), verifyToken)
		if !ok {
			rw.WriteHeader(http.StatusForbidden)
		}
		_, _ = rw.Write([]byte(challenge))
	}
	webhook := serve(t, func(rw http.ResponseWriter, r *http.Request) { w.webhook(rw, r) })
	var err error
	if w.hubspot, err = hubspot.New(hubspot.Options{StateDir: t.TempDir(), Token: hubspotToken}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.hubspot.Close() })
	w.outputs = map[string]string{"WebhookUrl": webhook + "/webhook", "SecretArn": "secret", "TableName": "table", "AlarmTopicArn": "topic"}
	for _, q := range []string{"Inbound", "Media", "Crm", "Outbound", "Bulk"} {
		w.outputs[q+"QueueUrl"], w.outputs[q+"DeadLettersUrl"] = "https://sqs/"+q, "https://sqs/"+q+"Dead"
	}
	w.parameters = map[string]string{
		"PhoneNumberIds": "111", "CrmConnector": "hubspot", "RunbookUrl": "docs/runbook.md", "GraphApiVersion": "v26.0",
		"GraphApiUrl": serve(t, w.serveGraph),
	}
	w.environment = map[string]string{"HUBSPOT_API_URL": serve(t, w.hubspot.API().ServeHTTP)}
	w.graph = map[string]string{
		"debug_token":         validToken,
		"111":                 number(""),
		"555/subscribed_apps": `{"data":[{"whatsapp_business_api_data":{"id":"900","name":"Ours"}}]}`,
		"900/subscriptions":   w.subscriptions(w.outputs["WebhookUrl"], append([]string{"messages"}, accountFields...)...),
	}
	w.doctor = &Doctor{
		Stack: "threadline", Region: "eu-west-1", Identity: w, Formation: w, Functions: w, Queues: w, Topics: w, Secrets: w,
		Table: func(string) Table { return w }, Now: func() time.Time { return now }, Limit: 5 * time.Second,
	}
	return w
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// number is what Meta says of number 111; fields go before those of a number in good order.
func number(fields string) string {
	o := map[string]any{
		"id": "111", "display_phone_number": "+1 555-010-0001", "verified_name": "Lucky", "status": "CONNECTED", "quality_rating": "GREEN",
		"code_verification_status": "VERIFIED", "account_mode": "LIVE", "throughput": map[string]string{"level": "STANDARD"},
		"health_status": map[string]any{"can_send_message": "AVAILABLE", "entities": []map[string]any{{"entity_type": "WABA", "id": "555"}, {"entity_type": "APP", "id": "900"}}},
	}
	var more map[string]any
	if fields != "" {
		if err := json.Unmarshal([]byte(fields), &more); err != nil {
			panic(err)
		}
	}
	maps.Copy(o, more)
	b, _ := json.Marshal(o)
	return string(b)
}

func (w *world) subscriptions(callback string, fields ...string) string {
	var named []map[string]string
	for _, f := range fields {
		named = append(named, map[string]string{"name": f})
	}
	b, _ := json.Marshal(map[string]any{"data": []map[string]any{{
		"object": "whatsapp_business_account", "callback_url": callback, "active": true, "fields": named,
	}}})
	return string(b)
}

func (w *world) serveGraph(rw http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v26.0/")
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	answer, known := w.graph[path]
	switch {
	case w.refuseGraph != "":
		rw.WriteHeader(http.StatusUnauthorized)
		answer = w.refuseGraph
	case bearer != accessToken && bearer != "900|"+appSecret:
		rw.WriteHeader(http.StatusBadRequest)
		answer = `{"error":{"code":190,"message":"Invalid OAuth access token signature."}}`
	case !known:
		rw.WriteHeader(http.StatusBadRequest)
		answer = `{"error":{"code":100,"message":"Unsupported get request."}}`
	}
	_, _ = rw.Write([]byte(answer))
}

// findings runs the doctor.
func (w *world) findings(t *testing.T) []Finding {
	t.Helper()
	var all []Finding
	w.doctor.Run(context.Background(), func(f Finding) { all = append(all, f) })
	return all
}

func refusal(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

func (w *world) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput, _ ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error) {
	if errors.Is(w.denied["sts"], context.DeadlineExceeded) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &sts.GetCallerIdentityOutput{Account: aws.String("123456789012")}, w.denied["sts"]
}

func (w *world) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	s := cfntypes.Stack{StackStatus: cfntypes.StackStatus(w.status), CreationTime: aws.Time(now.Add(-72 * time.Hour))}
	for k, v := range w.outputs {
		s.Outputs = append(s.Outputs, cfntypes.Output{OutputKey: &k, OutputValue: &v})
	}
	for k, v := range w.parameters {
		s.Parameters = append(s.Parameters, cfntypes.Parameter{ParameterKey: &k, ParameterValue: &v})
	}
	return &cloudformation.DescribeStacksOutput{Stacks: []cfntypes.Stack{s}}, w.denied["stack"]
}

func (w *world) ListStackResources(context.Context, *cloudformation.ListStackResourcesInput, ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	var all []cfntypes.StackResourceSummary
	for logical, kind := range map[string]string{
		"WebhookFunction": "AWS::Lambda::Function", "RouterFunction": "AWS::Lambda::Function", "CRMSyncFunction": "AWS::Lambda::Function",
		"RouterFunctionQueue": "AWS::Lambda::EventSourceMapping", "RouterFunctionBulk": "AWS::Lambda::EventSourceMapping", "CRMSyncFunctionQueue": "AWS::Lambda::EventSourceMapping",
	} {
		all = append(all, cfntypes.StackResourceSummary{LogicalResourceId: &logical, PhysicalResourceId: &logical, ResourceType: &kind})
	}
	return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: all}, nil
}

func (w *world) GetAccountSettings(context.Context, *lambda.GetAccountSettingsInput, ...func(*lambda.Options)) (*lambda.GetAccountSettingsOutput, error) {
	return &lambda.GetAccountSettingsOutput{AccountLimit: &lambdatypes.AccountLimit{ConcurrentExecutions: w.concurrency}}, w.denied["settings"]
}

func (w *world) GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error) {
	return &lambda.GetFunctionConfigurationOutput{
		State: w.functionState, StateReasonCode: "SubnetOutOfIPAddresses",
		Environment: &lambdatypes.EnvironmentResponse{Variables: w.environment},
	}, w.denied["function"]
}

func (w *world) GetEventSourceMapping(_ context.Context, in *lambda.GetEventSourceMappingInput, _ ...func(*lambda.Options)) (*lambda.GetEventSourceMappingOutput, error) {
	state := "Enabled"
	if s, ok := w.sourceState[*in.UUID]; ok {
		state = s
	}
	return &lambda.GetEventSourceMappingOutput{State: &state}, w.denied["source"]
}

func (w *world) GetQueueAttributes(_ context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	n := "0"
	if strings.HasSuffix(*in.QueueUrl, "CrmDead") {
		n = w.parked
	}
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"ApproximateNumberOfMessages": n}}, w.denied["queue"]
}

func (w *world) ListSubscriptionsByTopic(context.Context, *sns.ListSubscriptionsByTopicInput, ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error) {
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: w.subscription}, w.denied["topic"]
}

func (w *world) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	b, _ := json.Marshal(w.secret)
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(string(b))}, w.denied["secret"]
}

func (w *world) Conversations(context.Context, store.Filter, string, int) ([]store.Listed, string, error) {
	return w.conversations, "", w.denied["table"]
}

func (w *world) Numbers(context.Context) ([]store.Number, error) {
	return []store.Number{{ID: "111", WABA: "555"}}, w.denied["table"]
}

func (w *world) Gate(context.Context, string) (store.Gate, error) { return w.gate, w.denied["table"] }

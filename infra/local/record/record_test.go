package record

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Ensure that every kind of call is named as IAM names it.
func TestRightsOfCalls(t *testing.T) {
	for name, c := range map[string]struct {
		service, target, method, path, body string
		status                              int
		want                                []Right
	}{
		"query of an index": {"dynamodb", "DynamoDB_20120810.Query", "POST", "/", `{"TableName":"T","IndexName":"GSI1"}`, 200,
			[]Right{{"f", "dynamodb:Query", "T/index/GSI1"}}},
		"transaction": {"dynamodb", "DynamoDB_20120810.TransactWriteItems", "POST", "/", `{"TransactItems":[{"Put":{"TableName":"T"}},{"ConditionCheck":{"TableName":"T"}}]}`, 200,
			[]Right{{"f", "dynamodb:ConditionCheckItem", "T"}, {"f", "dynamodb:PutItem", "T"}}},
		"batch read": {"dynamodb", "DynamoDB_20120810.BatchGetItem", "POST", "/", `{"RequestItems":{"T":{},"U":{}}}`, 200,
			[]Right{{"f", "dynamodb:BatchGetItem", "T"}, {"f", "dynamodb:BatchGetItem", "U"}}},
		"unreadable": {"dynamodb", "DynamoDB_20120810.BatchGetItem", "POST", "/", `{`, 200,
			[]Right{{"f", "dynamodb:BatchGetItem", "unreadable"}}},
		"batch to a queue": {"sqs", "AmazonSQS.SendMessageBatch", "POST", "/", `{"QueueUrl":"http://x/1/Q.fifo"}`, 200,
			[]Right{{"f", "sqs:SendMessage", "Q.fifo"}}},
		"secret": {"secretsmanager", "secretsmanager.GetSecretValue", "POST", "/", `{"SecretId":"arn:x"}`, 200,
			[]Right{{"f", "secretsmanager:GetSecretValue", "arn:x"}}},
		"events": {"events", "AWSEvents.PutEvents", "POST", "/", `{"Entries":[{"EventBusName":"b"},{"EventBusName":"arn:aws:events:us-east-1:1:event-bus/c"},{},{"EventBusName":"b"}]}`, 200,
			[]Right{{"f", "events:PutEvents", "b"}, {"f", "events:PutEvents", "c"}, {"f", "events:PutEvents", "default"}}},
		"no events": {"events", "AWSEvents.PutEvents", "POST", "/", `{}`, 200, []Right{{"f", "events:PutEvents", "unreadable"}}},
		"link": {"", "", "GET", "/B/media/1?X-Amz-Credential=k%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=x&response-content-disposition=attachment", "", 404,
			[]Right{{"f", "s3:GetObject", "B/media/1"}, {"f", "s3:ListBucket", "B"}}},
		"object":         {"s3", "", "GET", "/B/media/1?x-id=GetObject", "", 200, []Right{{"f", "s3:GetObject", "B/media/1"}}},
		"missing object": {"s3", "", "HEAD", "/B/media/1", "", 404, []Right{{"f", "s3:GetObject", "B/media/1"}, {"f", "s3:ListBucket", "B"}}},
		"upload":         {"s3", "", "PUT", "/B/raw/1", "bytes", 200, []Right{{"f", "s3:PutObject", "B/raw/1"}}},
		"deletion":       {"s3", "", "DELETE", "/B/raw/1", "", 200, []Right{{"f", "s3:DeleteObject", "B/raw/1"}}},
		"something else": {"s3", "", "PUT", "/B/raw/1?acl=", "", 200, []Right{{"f", "s3:PUT?acl=", "B/raw/1"}}},
		"unsigned":       {"", "", "GET", "/B/raw/1", "", 200, []Right{{"f", "unsigned", "GET /B/raw/1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) != c.body {
					t.Errorf("the body arrives as %q", body)
				}
				w.WriteHeader(c.status)
			}))
			defer aws.Close()
			r := New()
			defer r.Close()
			req, err := http.NewRequest(c.method, r.Between("f", aws.URL)+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.service != "" {
				req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=k/20260301/us-east-1/"+c.service+"/aws4_request, Signature=x")
			}
			if c.target != "" {
				req.Header.Set("X-Amz-Target", c.target)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.Body.Close(); resp.StatusCode != c.status {
				t.Errorf("status %d", resp.StatusCode)
			}
			if got := r.Seen(); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

const template = `{"Resources": {
	"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/aws/lambda/${AWS::StackName}-worker"}}},
	"Worker": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "LoggingConfig": {"LogGroup": {"Ref": "Logs"}}}},
	"Poller": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Worker"}, "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}}},
	"Queue": {"Type": "AWS::SQS::Queue"}, "Files": {"Type": "AWS::S3::Bucket"}, "Secret": {"Type": "AWS::SecretsManager::Secret"},
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [
		{"Action": "s3:GetObject", "Resource": {"Fn::Sub": "${Files.Arn}/media/*"}},
		{"Action": ["secretsmanager:GetSecretValue"], "Resource": [{"Fn::If": ["Own", {"Ref": "Secret"}, {"Ref": "Existing"}]}]}
	]}}]}}
}}`

func TestWhatATemplateGrants(t *testing.T) {
	parsed, err := ParseTemplate([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	want := []Right{{"worker", "s3:GetObject", "Files/media/*"}, {"worker", "secretsmanager:GetSecretValue", "Secret"}}
	if got := parsed.Granted(); !slices.Equal(got, want) {
		t.Errorf("granted %v, want %v", got, want)
	}
	want = []Right{
		{"worker", "logs:CreateLogStream", "Logs"}, {"worker", "logs:PutLogEvents", "Logs"},
		{"worker", "sqs:DeleteMessage", "Queue"}, {"worker", "sqs:GetQueueAttributes", "Queue"}, {"worker", "sqs:ReceiveMessage", "Queue"},
	}
	if got := parsed.ByItself(); !slices.Equal(got, want) {
		t.Errorf("by itself %v, want %v", got, want)
	}
}

func TestComparison(t *testing.T) {
	granted := []Right{{"f", "s3:GetObject", "Files/media/*"}, {"f", "s3:PutObject", "Files/raw/*"}, {"g", "sqs:SendMessage", "Queue"}}
	needed := Named([]Right{{"f", "s3:GetObject", "files-1/media/2"}, {"f", "sqs:SendMessage", "q-1"}, {"f", "s3:PutObject", "files-1/media/2"}},
		map[string]string{"Files": "files-1", "Queue": "http://x/1/q-1"})
	missing, idle := Compare(granted, needed)
	if want := []Right{{"f", "sqs:SendMessage", "Queue"}, {"f", "s3:PutObject", "Files/media/2"}}; !slices.Equal(missing, want) {
		t.Errorf("missing %v, want %v", missing, want)
	}
	if want := granted[1:]; !slices.Equal(idle, want) {
		t.Errorf("idle %v, want %v", idle, want)
	}
}

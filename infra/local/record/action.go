package record

import (
	"cmp"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"strings"
)

// scope finds the service in a request's signature: <key>/<date>/<region>/<service>/aws4_request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
var scope = regexp.MustCompile(`[^/]*/[0-9]*/[^/]*/([a-z0-9-]+)/aws4_request`)

// serviceOf returns the service that a request is signed for: in its header, or in its address, which is how somebody
// without rights follows a link that a function made with its own. Empty if it isn't signed.
func serviceOf(req *http.Request) string {
	credential := req.URL.Query().Get("X-Amz-Credential")
	if _, after, ok := strings.Cut(req.Header.Get("Authorization"), "Credential="); ok {
		credential = after
	}
	if match := scope.FindStringSubmatch(credential); match != nil {
		return match[1]
	}
	return ""
}

// needed returns the rights, still without a function, that a signed request needs.
func needed(req *http.Request, body []byte) []Right {
	_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	switch service := serviceOf(req); service {
	case "":
		return []Right{{Action: "unsigned", Resource: req.Method + " " + req.URL.Path}}
	case "dynamodb":
		return tableRights(operation, body)
	case "sqs":
		return []Right{queueRight(operation, body)}
	case "s3":
		return []Right{objectRight(req)}
	case "events":
		return busRights(operation, body)
	default:
		return []Right{{Action: service + ":" + operation, Resource: named(body, "SecretId")}}
	}
}

// tableRights follows what DynamoDB checks: a batch or a transaction needs the right to each of its parts.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
func tableRights(operation string, body []byte) (all []Right) {
	switch operation {
	case "TransactWriteItems", "TransactGetItems":
		var call struct {
			TransactItems []map[string]struct{ TableName string }
		}
		if json.Unmarshal(body, &call) != nil {
			return unreadable("dynamodb", operation)
		}
		actions := map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}
		for _, item := range call.TransactItems {
			for kind, on := range item {
				all = append(all, Right{Action: "dynamodb:" + actions[kind], Resource: on.TableName})
			}
		}
		return all
	case "BatchGetItem", "BatchWriteItem":
		var call struct{ RequestItems map[string]json.RawMessage }
		if json.Unmarshal(body, &call) != nil {
			return unreadable("dynamodb", operation)
		}
		for table := range call.RequestItems {
			all = append(all, Right{Action: "dynamodb:" + operation, Resource: table})
		}
		return all
	}
	table := named(body, "TableName")
	if index := named(body, "IndexName"); index != "" {
		table += "/index/" + index // a query of an index needs no right to its table
	}
	return []Right{{Action: "dynamodb:" + operation, Resource: table}}
}

func unreadable(service, operation string) []Right {
	return []Right{{Action: service + ":" + operation, Resource: "unreadable"}}
}

// queueRight: the batch operations have no actions of their own.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
func queueRight(operation string, body []byte) Right {
	queue := path.Base(named(body, "QueueUrl"))
	return Right{Action: "sqs:" + strings.TrimSuffix(operation, "Batch"), Resource: queue}
}

// busRights: one call may put events on several buses; without a name it is the account's own.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func busRights(operation string, body []byte) (all []Right) {
	var call struct {
		Entries []struct{ EventBusName string }
	}
	if json.Unmarshal(body, &call) != nil || len(call.Entries) == 0 {
		return unreadable("events", operation)
	}
	for _, entry := range call.Entries {
		bus := path.Base(cmp.Or(entry.EventBusName, "default"))
		all = append(all, Right{Action: "events:" + operation, Resource: bus})
	}
	return all
}

// objectRight knows plain reading and writing of objects in path style. Whatever changes more than an object's bytes
// (a copy, tags, an ACL, a version) stays what it is, for nobody to overlook.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func objectRight(req *http.Request) Right {
	resource := strings.Trim(req.URL.Path, "/")
	query := req.URL.Query()
	for name := range query {
		// The SDK's own note of the operation; a signature; what S3 shall call the file in its answer.
		if name == "x-id" || strings.HasPrefix(name, "X-Amz-") || strings.HasPrefix(name, "response-") {
			query.Del(name)
		}
	}
	special := len(query) > 0
	for _, header := range []string{"X-Amz-Copy-Source", "X-Amz-Tagging", "X-Amz-Acl", "X-Amz-Grant-Read"} {
		special = special || req.Header.Get(header) != ""
	}
	object := strings.Contains(resource, "/")
	switch {
	case object && !special && (req.Method == http.MethodGet || req.Method == http.MethodHead):
		return Right{Action: "s3:GetObject", Resource: resource}
	case object && !special && req.Method == http.MethodPut:
		return Right{Action: "s3:PutObject", Resource: resource}
	case object && !special && req.Method == http.MethodDelete:
		return Right{Action: "s3:DeleteObject", Resource: resource}
	}
	return Right{Action: "s3:" + req.Method + "?" + query.Encode(), Resource: resource}
}

// revealed returns what an answer needed beyond its request: S3 says that an object isn't there to those alone who may
// list the bucket; others are forbidden to look.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func revealed(resp *http.Response) []Right {
	if resp.StatusCode != http.StatusNotFound || serviceOf(resp.Request) != "s3" {
		return nil
	}
	bucket, object, _ := strings.Cut(strings.Trim(resp.Request.URL.Path, "/"), "/")
	if object == "" {
		return nil
	}
	return []Right{{Action: "s3:ListBucket", Resource: bucket}}
}

// named returns a text of a JSON object; empty if it isn't there.
func named(body []byte, name string) string {
	var fields map[string]json.RawMessage
	var value string
	if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields[name], &value) != nil {
		return ""
	}
	return value
}

package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"threadline/infra/local/record"
)

// rights compares what the functions did in all of the above with what their roles allow. A right that is missing fails
// on AWS alone, because the emulator allows everything; one that is never used is one too many.
func rights(t *testing.T, w *world) {
	w.setUp(t)
	formation := cloudformation.NewFromConfig(w.Config())
	got, err := formation.GetTemplate(t.Context(), &cloudformation.GetTemplateInput{
		StackName: aws.String("threadline"), TemplateStage: types.TemplateStageProcessed,
	})
	if err != nil {
		t.Fatal(err)
	}
	template, err := record.ParseTemplate([]byte(aws.ToString(got.TemplateBody)))
	if err != nil {
		t.Fatal(err)
	}
	resources, err := formation.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: aws.String("threadline")})
	if err != nil {
		t.Fatal(err)
	}
	physical := map[string]string{}
	for _, r := range resources.StackResources {
		if strings.HasPrefix(aws.ToString(r.ResourceType), "Custom::") {
			continue // it may go by the id of what it works on
		}
		physical[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
	}
	granted, seen := template.Granted(), record.Named(w.recorder.Seen(), physical)
	if len(granted) < 30 || len(seen) < 30 {
		t.Fatalf("only %d rights granted and %d used", len(granted), len(seen))
	}
	missing, idle := record.Compare(granted, append(seen, template.ByItself()...))
	for _, r := range missing {
		t.Errorf("needed and not granted: %s", r)
	}
	for _, r := range idle {
		t.Errorf("granted and never needed: %s", r)
	}
}

// setUp runs the function that fills the secret, as a deployment does. The emulator has run it too, where no recorder
// stands.
func (w *world) setUp(t *testing.T) {
	t.Helper()
	answered := make(chan bool, 1)
	formation := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var answer strings.Builder
		_ = r.Write(&answer)
		answered <- strings.Contains(answer.String(), `"SUCCESS"`)
	}))
	defer formation.Close()
	event := cfn.Event{
		RequestType: cfn.RequestCreate, RequestID: "1", ResponseURL: formation.URL, ResourceType: "Custom::SecretValues",
		LogicalResourceID: "SecretValues", StackID: "threadline",
		ResourceProperties: map[string]any{"Values": map[string]any{"e2e": "written by the setup function"}},
	}
	if _, err := w.Invoke(t.Context(), "setup", encoded(t, event)); err != nil {
		t.Fatal(err)
	}
	if !<-answered {
		t.Error("the setup function reports a failure")
	}
}

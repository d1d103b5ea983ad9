package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"threadline/shared/crm"
	"threadline/shared/crm/known"
	"threadline/shared/env"
)

const (
	later    = "Run this again in a few minutes. Nothing is lost meanwhile: entries wait."
	goesOn   = "What waits for it goes on by itself."
	redeploy = "Set it with sam deploy --guided."
)

// checkCRM has each connector find out whether it is let in and may do what it has to. They do so at the same time: one
// that hangs takes no time from another.
func (e *exam) checkCRM(ctx context.Context) {
	names := e.connectors()
	if len(names) == 0 {
		e.ok("No CRM is configured")
		return
	}
	set, ok := e.settings(ctx)
	if !ok {
		return
	}
	results := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { results[i] = e.tryCRM(ctx, name, set) })
	}
	all.Wait()
	for i, name := range names {
		e.judgeCRM(name, results[i])
		e.checkGate(ctx, name)
	}
	if e.uses("hubspot") && e.keys[known.HubSpotToken] != "" {
		e.checkHubSpot(ctx, set.HubSpotURL, results[slices.Index(names, "hubspot")])
	}
}

// settings are what crmsync has in its environment.
func (e *exam) settings(ctx context.Context) (s known.Settings, ok bool) {
	name := ""
	for _, f := range e.stack.OfType("AWS::Lambda::Function") {
		if f.Logical == "CRMSyncFunction" {
			name = f.Physical
		}
	}
	if name == "" {
		e.fail("The stack has no CRMSyncFunction", "Deploy it again with sam build && sam deploy.")
		return s, false
	}
	c, err := e.Functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		e.denied("How the CRM is configured", "lambda:GetFunctionConfiguration", err)
		return s, false
	}
	if c.Environment != nil {
		// What is malformed counts as missing.
		_ = env.From(func(name string) string { return c.Environment.Variables[name] }, &s)
	}
	if e.HubSpotURL != "" {
		s.HubSpotURL = e.HubSpotURL
	}
	return s, true
}

// misconfigured is what is wrong before any call is made: findings of their own, each with what to do.
type misconfigured []problem

type problem struct{ found, do string }

func (m misconfigured) Error() string { return m[0].found }

// tryCRM makes the connector and lets it check.
func (e *exam) tryCRM(ctx context.Context, name string, set known.Settings) error {
	var wrong misconfigured
	about := aboutCRM(name)
	for _, lacks := range e.missingKeys(name) {
		if slices.Index(about.keys, lacks) <= 0 { // of its own keys one is enough: the first is named
			wrong = append(wrong, problem{about.title + " can't be used: the secret has no " + lacks.key, lacks.where})
		}
	}
	made, err := known.Connectors([]string{name}, set, known.Deps{
		Secret: e.kept.Of, Maybe: e.kept.Maybe,
		Client: func(string, func() crm.Capabilities) *http.Client { return e.client() },
	})
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			wrong = append(wrong, problem{strings.TrimSpace(line), redeploy})
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return made[name].Check(ctx)
}

// judgeCRM says what came of it.
func (e *exam) judgeCRM(name string, err error) {
	about := aboutCRM(name)
	page := "More: " + e.page(name)
	failure, classified := errors.AsType[*crm.Error](err)
	wrong, isMisconfigured := errors.AsType[misconfigured](err)
	switch {
	case err == nil:
		e.ok(about.title + " lets us in, and allows all that we do there")
	case isMisconfigured:
		for _, p := range wrong {
			e.fail(p.found, p.do, page)
		}
	case !classified:
		// A field of ours isn't there, and no call was refused for it.
		e.fail(about.title+" lacks what Threadline needs there", about.lacks, page)
	case failure.Class == crm.Transient && failure.Status == 0:
		e.warn(about.title+" can't be reached: "+networkReason(failure), "Is "+about.address+" right? "+later, page)
	case failure.Class == crm.Transient || failure.Class == crm.Limited:
		e.warn(fmt.Sprintf("%s answers %s", about.title, said(failure)), later)
	case failure.Status == http.StatusUnauthorized || badKey[failure.Reason]:
		e.fail(about.title+" refuses the key ("+said(failure)+")", about.newKey(), page)
	case len(failure.Scopes) > 0:
		e.fail(about.title+" forbids what we need: "+strings.Join(failure.Scopes, ", "), about.rights+" "+goesOn, page)
	default:
		e.fail(about.title+" refuses us ("+said(failure)+")", advice(failure, about), page)
	}
}

// said is an answer by its status and the CRM's own code.
func said(e *crm.Error) string {
	switch {
	case e.Reason == "":
		return strconv.Itoa(e.Status)
	case e.Status == 0 || e.Status == http.StatusOK:
		return e.Reason
	}
	return strconv.Itoa(e.Status) + " " + e.Reason
}

// checkGate tells whether crmsync leaves a CRM alone at the moment. That the table can't be read another check says.
func (e *exam) checkGate(ctx context.Context, name string) {
	g, err := e.Table(e.stack.Outputs["TableName"]).Gate(ctx, name)
	if err != nil || !e.now().Before(g.Until) {
		return
	}
	e.warn(fmt.Sprintf("Entries for %s wait until %s, after %s", aboutCRM(name).title, g.Until.UTC().Format(time.TimeOnly+" UTC"),
		plural(g.Failures, "failure", "failures in a row")), "The last one: "+g.Why, e.stack.Parameters["RunbookUrl"]+"#crm-late")
}

// page is a CRM's page of the documentation, beside the runbook.
func (e *exam) page(name string) string {
	folder, ok := strings.CutSuffix(e.stack.Parameters["RunbookUrl"], "runbook.md")
	if !ok {
		folder = "docs/"
	}
	return folder + "crm/" + name + ".md"
}

// connectors are the names of those that are configured.
func (e *exam) connectors() []string {
	var names []string
	for name := range strings.SplitSeq(e.stack.Parameters["CrmConnector"], ",") {
		if name = strings.TrimSpace(name); name != "" && name != "none" {
			names = append(names, name)
		}
	}
	return names
}

// uses tells whether a connector is configured.
func (e *exam) uses(connector string) bool { return slices.Contains(e.connectors(), connector) }

func (e *exam) hasCRM() bool { return len(e.connectors()) > 0 }

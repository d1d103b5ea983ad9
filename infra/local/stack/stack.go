// Package stack runs the whole system on one machine: template.yaml deployed into a local emulator of
// AWS, its functions run as Lambda runs them, its HTTP API on a local port, and beside it a simulated
// Meta with /phone and a simulated CRM with /crm.
//
// The template is the only description of the wiring. Functions, their environment, their code, event
// source mappings and routes are read back from what was deployed, so a function that is added there
// runs here. Content of tables, queues and buckets is in the state directory and there again after a
// clean stop. Everything listens on loopback only.
package stack

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/infra/local/demo"
	"threadline/infra/local/eventsource"
	"threadline/infra/local/gateway"
	"threadline/infra/local/hubspot"
	"threadline/infra/local/lambda"
	"threadline/infra/local/meta"
	"threadline/infra/local/ministack"
	"threadline/infra/local/venv"
)

// stopGrace is what running invocations get to end when the stack stops.
const stopGrace = 4 * time.Second

// Options says what to run and where.
type Options struct {
	Root     string       // the repository
	Template string       // relative to Root; empty: template.yaml
	StateDir string       // made if missing
	Port     string       // of the HTTP front; empty: a free one
	Environ  []string     // as of os.Environ: sets template parameters
	Progress func(string) // one line per step; nil: silent
	Log      *slog.Logger // what goes wrong while running; nil: nowhere
	Delays   meta.Delays  // of the simulated Meta
	SAM      bool         // deploy with the SAM CLI, as a company does: slower
	// Endpoint says where a function, by its short name, finds AWS. Nil: at the emulator itself.
	Endpoint func(function, emulator string) string
}

// Stack is a running system.
type Stack struct {
	options Options
	port    int
	unlock  func() // gives the state directory back
	venv    string

	template   template
	parameters map[string]string
	sources    map[string]string // function's logical id to folder
	binaries   map[string]string // folder to binary

	emulator *ministack.Emulator
	host     *lambda.Host
	deployed *deployed
	names    map[string]string // short name to function name
	front    *http.Server
	servers  []*http.Server

	running     context.Context // ends when Stop begins: for pollers and for pages that wait for news
	stopRunning context.CancelFunc
	polling     sync.WaitGroup
	logs        []*os.File

	meta       *meta.Simulator
	simulators map[string]simulator // of CRMs, by connector
}

// Start deploys and starts everything, if the settings are right: all that is wrong with them is said at once, before
// anything is started. What it started is stopped again if something fails; the errors are sentences for the person at
// the keyboard.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if o.Template == "" {
		o.Template = "template.yaml"
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Stack{options: o, names: make(map[string]string), simulators: make(map[string]simulator)}
	s.running, s.stopRunning = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.start(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	if err := s.configure(); err != nil {
		return err
	}
	listeners, err := s.occupy()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	s.front = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return s.running },
	}
	for _, step := range []func(context.Context, *http.ServeMux) error{s.prepare, s.deploy, s.serve} {
		if err := step(ctx, mux); err != nil {
			closeAll(listeners)
			return err
		}
	}
	for _, l := range listeners {
		go s.front.Serve(l) // ends with Stop
	}
	return nil
}

// prepare makes ready what the deployment needs: the emulator runs while the functions are built.
func (s *Stack) prepare(ctx context.Context, mux *http.ServeMux) error {
	// Child processes have working directories of their own.
	var err error
	for _, path := range []*string{&s.options.StateDir, &s.options.Root} {
		if *path, err = filepath.Abs(*path); err != nil {
			return fmt.Errorf("find %s: %w", *path, err)
		}
	}
	if s.venv, err = venv.Ensure(ctx, s.options.Root, venv.Run, s.options.Progress); err != nil {
		return err
	}
	started := make(chan error, 1)
	go func() { started <- s.startEmulator(ctx) }()
	planErr := s.plan(ctx)
	if err := <-started; err != nil {
		return err
	}
	if planErr != nil {
		return planErr
	}
	return s.simulate(mux)
}

func (s *Stack) startEmulator(ctx context.Context) (err error) {
	s.options.Progress("Starting the AWS emulator")
	s.emulator, err = ministack.Start(ctx, ministack.Options{
		Venv:     s.venv,
		StateDir: s.options.StateDir,
		// A first deployment that was cut off left something that nothing can be deployed over.
		Fresh: !hasKept(s.options.StateDir),
	})
	return err
}

// plan expands the template and builds the functions that it names.
func (s *Stack) plan(ctx context.Context) (err error) {
	s.template, err = transform(ctx, s.venv, filepath.Join(s.options.Root, s.options.Template))
	if err != nil {
		return err
	}
	if err := s.template.checkKept(s.options.StateDir); err != nil {
		return err
	}
	if _, elsewhere := s.parameters["PublicUrl"]; !elsewhere && s.template.hasParameter("PublicUrl") {
		s.parameters["PublicUrl"] = s.URL()
	}
	if s.options.SAM {
		return nil // the SAM CLI builds
	}
	s.sources, err = s.template.sources(filepath.Dir(s.options.Template))
	if err != nil {
		return err
	}
	s.options.Progress("Building the functions")
	s.binaries, err = build(ctx, s.options.Root, filepath.Join(s.options.StateDir, "build"), s.sources)
	return err
}

// deploy brings the template into the emulator, by the SAM CLI or without.
func (s *Stack) deploy(ctx context.Context, _ *http.ServeMux) error {
	s.options.Progress("Deploying " + s.options.Template)
	config := s.emulator.Config()
	formation := cloudformation.NewFromConfig(config)
	var err error
	if s.options.SAM {
		err = s.deployWithSAM(ctx)
	} else {
		err = s.deployTemplate(ctx, config)
	}
	if err != nil {
		return err
	}
	if s.deployed, err = describe(ctx, formation); err != nil {
		return err
	}
	if err := setTTL(ctx, dynamodb.NewFromConfig(config), s.template, s.deployed.physical()); err != nil {
		return err
	}
	return s.template.writeKept(s.options.StateDir)
}

func (s *Stack) deployTemplate(ctx context.Context, config aws.Config) error {
	if err := upload(ctx, s3Client(config), s.template, s.sources, s.binaries); err != nil {
		return err
	}
	if err := s.template.adapt(); err != nil {
		return err
	}
	return deploy(ctx, config, s.template, s.parameters)
}

func s3Client(config aws.Config) *s3.Client {
	return s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
}

// serve runs what is deployed.
func (s *Stack) serve(ctx context.Context, mux *http.ServeMux) error {
	config := s.emulator.Config()
	lambdaClient, sqsClient := awslambda.NewFromConfig(config), sqs.NewFromConfig(config)
	host, err := lambda.NewHost(ministack.Region, s.emulator.Endpoint())
	if err != nil {
		return err
	}
	s.host = host
	functions, err := s.deployed.functions(ctx, lambdaClient, filepath.Join(s.options.StateDir, "functions"), s.options.StateDir)
	if err != nil {
		return err
	}
	for _, f := range functions {
		name := filepath.Base(filepath.Dir(f.Binary))
		if s.options.Endpoint != nil {
			f.Endpoint = s.options.Endpoint(name, s.emulator.Endpoint())
		}
		host.Add(f)
		s.logs = append(s.logs, f.Log)
		s.names[name] = f.Name
	}
	routes, err := s.deployed.routes(ctx, apigatewayv2.NewFromConfig(config))
	if err != nil {
		return err
	}
	front := gateway.New(routes, host, s.options.Log)
	mux.Handle("/", front)
	mux.Handle("POST /crm/{connector}/events", front) // beside the page, which is below /crm/
	mux.Handle("GET /crm/{connector}/panel", front)
	mappings, err := s.deployed.mappings(ctx, lambdaClient, sqsClient)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		poller := eventsource.New(m, sqsClient, host, s.options.Log)
		s.polling.Add(1)
		go func() {
			defer s.polling.Done()
			poller.Run(s.running)
		}()
	}
	return nil
}

// Stop ends everything that Start started, the emulator last: it saves what the others left.
func (s *Stack) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	s.stopRunning()
	if s.front != nil {
		s.front.Shutdown(ctx) // an error means that the grace is over
		s.front.Close()
	}
	polled := make(chan struct{})
	go func() { s.polling.Wait(); close(polled) }()
	select {
	case <-polled:
	case <-ctx.Done():
	}
	if s.host != nil {
		s.host.Close(ctx)
		<-polled
	}
	s.stopSimulators()
	for _, log := range s.logs {
		log.Close()
	}
	if s.emulator != nil {
		s.emulator.Stop()
	}
	if s.unlock != nil {
		s.unlock()
	}
}

// URL is where people and Meta find the system.
func (s *Stack) URL() string { return "http://localhost:" + strconv.Itoa(s.port) }

// Config is for SDK clients of the emulated AWS.
func (s *Stack) Config() aws.Config { return s.emulator.Config() }

// Output returns an output of the deployed stack, such as TableName; empty if there is none.
func (s *Stack) Output(name string) string { return s.deployed.outputs[name] }

// Invoke runs a function by its short name, such as router.
func (s *Stack) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	return s.host.Invoke(ctx, s.names[function], payload)
}

// KillFunction ends every process of a function at once, as kill -9 does, and returns how many there were.
func (s *Stack) KillFunction(function string) int { return s.host.Kill(s.names[function]) }

// Meta is the simulated Meta, nil when another endpoint is used.
func (s *Stack) Meta() *meta.Simulator { return s.meta }

// HubSpot is the simulated HubSpot, nil when another CRM or endpoint is used.
func (s *Stack) HubSpot() *hubspot.Simulator {
	sim, _ := s.simulators["hubspot"].(*hubspot.Simulator)
	return sim
}

// CRM is a simulated CRM as its user sees it, nil when that one isn't simulated.
func (s *Stack) CRM(connector string) demo.CRM {
	if sim := s.HubSpot(); connector == "hubspot" && sim != nil {
		return sim.Demo()
	}
	page, _ := s.simulators[connector].(demo.CRM)
	return page
}

// Failed is closed when the emulator has ended by itself.
func (s *Stack) Failed() <-chan struct{} { return s.emulator.Exited() }

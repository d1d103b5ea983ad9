package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	starts     = 20  // of each program
	ratioMax   = 1.5 // of a start to that of the empty function
	sizeMax    = 12e6
	startLimit = 20 * time.Second
)

// start measures how fast the deployed binaries answer for the first time, and how large they are.
func (b *bench) start() error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(os.Stderr, "Building every function for two processors")
	names, err := buildAll(b.ctx, b.root, dir)
	if err != nil {
		return err
	}
	title("Start of the functions", fmt.Sprintf("From exec to the first answer through the Lambda Runtime API, %d times, in turns with an empty function that makes the", starts),
		fmt.Sprintf("same clients. Targets: at most %.1f times as long (p50), and below %s.", ratioMax, mb(sizeMax)),
		"The last row is what the library for telephone numbers adds to an empty router; api, crmsync and router have it.")
	var rows [][]string
	for _, name := range names {
		own, empty, err := compare(b.ctx, dir, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		sizes := make([]int64, 3)
		for i, into := range []string{"deployed", "own", "empty"} {
			info, err := os.Stat(filepath.Join(dir, into, name))
			if err != nil {
				return err
			}
			sizes[i] = info.Size()
		}
		ratio := float64(percentile(own.took, 0.5)) / float64(percentile(empty.took, 0.5))
		rows = append(rows, []string{name,
			ms(percentile(own.took, 0.5)), ms(percentile(own.took, 0.9)), ms(percentile(empty.took, 0.5)),
			target(ratio <= ratioMax, fmt.Sprintf("%.2f", ratio)),
			ms(percentile(own.cpu, 0.5)), ms(percentile(empty.cpu, 0.5)), mb(own.memory), mb(empty.memory),
			target(sizes[0] < sizeMax, mb(sizes[0])), target(sizes[1] < sizeMax, mb(sizes[1])), mb(sizes[2])})
	}
	table([]string{"function", "p50", "p90", "empty p50", "ratio", "processor p50", "empty p50", "memory", "empty", deployedArch, runtime.GOARCH, "empty"}, rows)
	return nil
}

// tries are the starts of one program.
type tries struct {
	took, cpu []time.Duration
	memory    int64 // bytes, most of any
}

func compare(ctx context.Context, dir, name string) (own, empty tries, err error) {
	for range starts {
		if err := own.once(ctx, filepath.Join(dir, "own", name)); err != nil {
			return own, empty, err
		}
		if err := empty.once(ctx, filepath.Join(dir, "empty", name)); err != nil {
			return own, empty, fmt.Errorf("empty: %w", err)
		}
	}
	return own, empty, nil
}

// once starts a program, gives it one event and ends it when it has answered.
func (t *tries) once(ctx context.Context, program string) error {
	answered := make(chan time.Time, 1)
	api := httptest.NewServer(runtimeAPI(answered))
	defer api.Close()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = environment(strings.TrimPrefix(api.URL, "http://"))
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	var answer time.Time
	select {
	case answer = <-answered:
	case <-time.After(startLimit):
	}
	t.memory = max(t.memory, memory(cmd.Process.Pid))
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // by the signal
	if answer.IsZero() {
		return fmt.Errorf("no answer for %s", startLimit)
	}
	t.took = append(t.took, answer.Sub(begin))
	t.cpu = append(t.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return nil
}

// anyEvent is one for every function, that none of them needs AWS for: another method than the webhook knows, the API's
// description of itself, no records, the deletion of the secret's values.
const anyEvent = `{"version":"2.0","rawPath":"/api/v1/openapi.json","headers":{},"requestContext":{"http":{"method":"PUT","path":"/api/v1/openapi.json"}},
"Records":[],"RequestType":"Delete","ResponseURL":"http://%s/cfn","StackId":"s","RequestId":"r","LogicalResourceId":"l"}`

// runtimeAPI hands out one event and says when it was answered.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func runtimeAPI(answered chan<- time.Time) http.Handler {
	given := false // the runtime asks for one event at a time
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if given {
			<-r.Context().Done() // the program is ended
			return
		}
		given = true
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(startLimit).UnixMilli()))
		fmt.Fprintf(w, anyEvent, r.Host)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/{outcome}", func(w http.ResponseWriter, _ *http.Request) {
		answered <- time.Now()
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("PUT /cfn", func(http.ResponseWriter, *http.Request) {})
	return mux
}

// environment is Lambda's, with a value for everything that a function asks for.
func environment(runtimeAPI string) []string {
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "MESSAGE_RETENTION_DAYS=0", "CRM_CONNECTOR=hubspot",
	}
	for _, name := range []string{"TABLE", "BUCKET", "SECRET", "QUEUE_URL", "DLQ_URL", "INBOUND_QUEUE_URL", "MEDIA_QUEUE_URL",
		"CRM_QUEUE_URL", "OUTBOUND_QUEUE_URL", "BULK_QUEUE_URL", "BULK_DLQ_URL", "EVENT_BUS", "METRIC_NAMESPACE", "GRAPH_API_VERSION"} {
		env = append(env, name+"=bench")
	}
	return append(env, "GRAPH_API_URL=http://127.0.0.1:9", "HUBSPOT_API_URL=http://127.0.0.1:9", "PUBLIC_URL=http://127.0.0.1:9")
}

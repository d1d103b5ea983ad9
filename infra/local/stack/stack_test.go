package stack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/infra/local/stack"
)

const fixture = "infra/local/testdata/template.yaml"

func options(t *testing.T, stateDir string) stack.Options {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return stack.Options{
		Root: root, Template: fixture, StateDir: stateDir,
		Environ:  []string{"APP_SECRET=secret-of-the-test"},
		Progress: func(line string) { t.Log(line) },
		Log:      slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// start runs the fixture until the test ends or stop is called.
func start(t *testing.T, o stack.Options) (s *stack.Stack, stop func()) {
	t.Helper()
	s, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(s.Stop)
	t.Cleanup(stop)
	return s, stop
}

// reports receives what the worker got, record by record, and decides what the worker does with it.
type reports struct {
	url     string
	mu      sync.Mutex
	records []events.SQSMessage
	busy    map[string]int // per group, records being worked on
	overlap bool           // two records of one group at once
}

func newReports(t *testing.T, verdict func(r *http.Request, record events.SQSMessage) string) *reports {
	rep := &reports{busy: make(map[string]int)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var record events.SQSMessage
		if err := json.NewDecoder(r.Body).Decode(&record); err != nil {
			t.Error(err)
		}
		group := record.Attributes["MessageGroupId"]
		rep.mu.Lock()
		rep.records = append(rep.records, record)
		rep.busy[group]++
		rep.overlap = rep.overlap || rep.busy[group] > 1
		rep.mu.Unlock()
		answer := verdict(r, record)
		rep.mu.Lock()
		rep.busy[group]--
		rep.mu.Unlock()
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	rep.url = server.URL
	return rep
}

// of returns the paths that a group's records reported to, in order.
func (r *reports) of(group string) (paths []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range r.records {
		if record.Attributes["MessageGroupId"] == group {
			paths = append(paths, strings.TrimPrefix(record.Body, r.url))
		}
	}
	return paths
}

func (r *reports) send(t *testing.T, s *stack.Stack, group, path string) {
	t.Helper()
	_, err := sqs.NewFromConfig(s.Config()).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(s.Output("QueueUrl")), MessageBody: aws.String(r.url + path),
		MessageGroupId: &group, MessageDeduplicationId: aws.String(group + path),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{
			"source": {DataType: aws.String("String"), StringValue: aws.String("test")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// waiting counts the messages of the fixture's queue, invisible ones too.
func waiting(t *testing.T, s *stack.Stack) int {
	t.Helper()
	out, err := sqs.NewFromConfig(s.Config()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(s.Output("QueueUrl")), AttributeNames: []sqstypes.QueueAttributeName{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	visible, _ := strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	invisible, _ := strconv.Atoi(out.Attributes["ApproximateNumberOfMessagesNotVisible"])
	return visible + invisible
}

func TestQueueFeedsFunction(t *testing.T) {
	t.Parallel()
	var once sync.Map
	first := func(key string) bool { _, seen := once.LoadOrStore(key, true); return !seen }
	rep := newReports(t, func(r *http.Request, record events.SQSMessage) string {
		switch verdict := strings.Trim(r.URL.Path, "/"); {
		case strings.HasPrefix(verdict, "fail"), strings.HasPrefix(verdict, "crash"), strings.HasPrefix(verdict, "nonsense"):
			if first(record.MessageId) {
				verdict, _, _ = strings.Cut(verdict, "-")
				return verdict
			}
		}
		return "ok"
	})
	s, _ := start(t, options(t, t.TempDir()))

	var want []string
	for i := range 12 {
		path := fmt.Sprintf("/ok-%d", i)
		want = append(want, path)
		for _, group := range []string{"a", "b", "c"} {
			rep.send(t, s, group, path)
		}
	}
	eventually(t, "an empty queue", func() bool { return waiting(t, s) == 0 })
	for _, trouble := range []string{"fail", "crash", "nonsense"} { // one after the other: they may share a batch
		rep.send(t, s, trouble, "/before")
		rep.send(t, s, trouble, "/"+trouble)
		rep.send(t, s, trouble, "/after")
		eventually(t, "an empty queue", func() bool { return waiting(t, s) == 0 })
	}

	for _, group := range []string{"a", "b", "c"} {
		if got := rep.of(group); !slices.Equal(got, want) {
			t.Errorf("group %s: %v, want %v", group, got, want)
		}
	}
	for _, trouble := range []string{"fail", "crash", "nonsense"} {
		got := rep.of(trouble)
		if !slices.Contains(got, "/after") || got[len(got)-1] != "/after" || count(got, "/"+trouble) < 2 {
			t.Errorf("group %s: %v, want the trouble repeated and what follows it last", trouble, got)
		}
	}
	if got := rep.of("fail"); count(got, "/before") != 1 {
		t.Errorf("a record that was accepted beside a failed one is delivered again: %v", got)
	}
	if rep.overlap {
		t.Error("two records of one group at once")
	}
	checkRecord(t, rep.records[0])
}

// Ensure that a function may have two queues, and that the second one's maximum of batches is read from the template.
func TestSecondQueueHasItsOwnPace(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var busy, most, done int
	rep := newReports(t, func(r *http.Request, record events.SQSMessage) string {
		if !strings.HasPrefix(r.URL.Path, "/pair") {
			return "ok"
		}
		mu.Lock()
		busy++
		most = max(most, busy)
		mu.Unlock()
		time.Sleep(400 * time.Millisecond) // long enough for others to begin, if they may
		mu.Lock()
		defer mu.Unlock()
		busy, done = busy-1, done+1
		return "ok"
	})
	s, _ := start(t, options(t, t.TempDir()))
	const pairs = 8
	for i := range pairs {
		_, err := sqs.NewFromConfig(s.Config()).SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: aws.String(s.Output("PairsUrl")), MessageBody: aws.String(fmt.Sprintf("%s/pair-%d", rep.url, i)),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rep.send(t, s, "a", "/ok")
	eventually(t, "both queues are worked off", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done >= pairs && len(rep.of("a")) == 1
	})
	if most != 2 {
		t.Errorf("%d batches at once, want 2", most)
	}
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func checkRecord(t *testing.T, r events.SQSMessage) {
	t.Helper()
	for _, attribute := range []string{
		"ApproximateReceiveCount", "SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId",
		"MessageGroupId", "MessageDeduplicationId", "SequenceNumber",
	} {
		if r.Attributes[attribute] == "" {
			t.Errorf("record without %s", attribute)
		}
	}
	if r.EventSource != "aws:sqs" || !strings.HasPrefix(r.EventSourceARN, "arn:aws:sqs:us-east-1:") || r.AWSRegion != "us-east-1" {
		t.Errorf("source %q %q %q", r.EventSource, r.EventSourceARN, r.AWSRegion)
	}
	if a := r.MessageAttributes["source"]; a.StringValue == nil || *a.StringValue != "test" || a.DataType != "String" {
		t.Errorf("message attribute %+v", a)
	}
}

func TestKilledFunctionIsTriedAgain(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 1)
	release := make(chan struct{})
	rep := newReports(t, func(r *http.Request, record events.SQSMessage) string {
		if record.Attributes["ApproximateReceiveCount"] == "1" {
			reached <- struct{}{}
			<-release
		}
		return "ok"
	})
	s, _ := start(t, options(t, t.TempDir()))
	rep.send(t, s, "a", "/x")
	<-reached
	if n := s.KillFunction("worker"); n != 1 {
		t.Errorf("%d processes killed, want 1", n)
	}
	close(release)
	eventually(t, "an empty queue", func() bool { return waiting(t, s) == 0 })
	if got := rep.of("a"); len(got) != 2 {
		t.Errorf("deliveries %v, want two", got)
	}
}

func TestStateIsThereAfterRestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	rep := newReports(t, func(*http.Request, events.SQSMessage) string { return "ok" })
	o := options(t, dir)
	o.Environ = append(o.Environ, "WORKER_ENABLED=false")
	s, stop := start(t, o)

	ctx, content := t.Context(), []byte("a photo")
	_, err := dynamodb.NewFromConfig(s.Config()).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(s.Output("TableName")), Item: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "x"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s3.NewFromConfig(s.Config()).PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(s.Output("BucketName")), Key: aws.String("media/1"), Body: bytes.NewReader(content),
	})
	if err != nil {
		t.Fatal(err)
	}
	rep.send(t, s, "a", "/kept")
	stop()
	checkModes(t, dir)

	s, _ = start(t, options(t, dir)) // the worker is enabled now
	got, err := dynamodb.NewFromConfig(s.Config()).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.Output("TableName")), Key: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "x"}},
	})
	if err != nil || got.Item == nil {
		t.Errorf("item: %v %v", got, err)
	}
	object, err := s3.NewFromConfig(s.Config()).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.Output("BucketName")), Key: aws.String("media/1")})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(object.Body); err != nil || !bytes.Equal(body, content) {
		t.Errorf("object: %q %v", body, err)
	}
	eventually(t, "the kept message is delivered", func() bool { return len(rep.of("a")) == 1 })
}

// checkModes allows nobody else to read the state; what was built of the sources is no secret.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && !strings.HasPrefix(path, filepath.Join(dir, "build")) {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(t, dir)
	s, stop := start(t, o)

	second := options(t, t.TempDir())
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	second.Port = port
	refused(t, second, "port "+port+" is in use")
	refused(t, options(t, dir), "is in use by another run")
	again := options(t, dir)
	again.Port = port
	if _, err := stack.Start(t.Context(), again); err == nil || strings.Count(err.Error(), "in use") != 2 {
		t.Errorf("the same run again: %v, want both the folder and the port named", err)
	}
	stop()

	template, err := os.ReadFile(filepath.Join(o.Root, fixture))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(template), "VisibilityTimeout: 3", "VisibilityTimeout: 4", 1)
	path := filepath.Join(filepath.Dir(filepath.Join(o.Root, fixture)), "changed.yaml")
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
	o.Template = filepath.Join(filepath.Dir(fixture), "changed.yaml")
	refused(t, o, "make reset")
}

// refused wants one sentence that contains part.
func refused(t *testing.T, o stack.Options, part string) {
	t.Helper()
	s, err := stack.Start(t.Context(), o)
	if err == nil {
		s.Stop()
		t.Fatalf("started, want an error with %q", part)
	}
	if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q, want one line with %q", err, part)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	s, stop := start(t, options(t, t.TempDir()))
	if _, err := s.Invoke(context.Background(), "echo", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	stop()
	t.Logf("stopped in %v", time.Since(begin).Round(time.Millisecond))
	out, err := exec.Command("ps", "-o", "pid=,args=", "--ppid", strconv.Itoa(os.Getpid())).Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "ps -o") {
			t.Errorf("left running: %s", line)
		}
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL(), "http://"), time.Second); err == nil {
		t.Error("the port is still served")
	}
}

func TestStartThatWasCutOffIsNoTrouble(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	o := options(t, dir)
	o.Progress = func(line string) {
		if strings.HasPrefix(line, "Deploying") {
			cancel()
		}
	}
	if s, err := stack.Start(ctx, o); err == nil {
		s.Stop()
		t.Fatal("started, although it was cut off")
	}
	s, _ := start(t, options(t, dir))
	if _, err := s.Invoke(t.Context(), "echo", []byte(`{}`)); err != nil {
		t.Error(err)
	}
}

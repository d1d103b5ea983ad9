package stack_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/infra/local/stack"
)

// childState makes the test binary run the fixture on that state directory, until it is killed.
const childState = "STACK_TEST_STATE_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childState); dir != "" {
		runFixture(dir)
		return
	}
	os.Exit(m.Run())
}

func runFixture(dir string) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	s, err := stack.Start(ctx, stack.Options{Root: root, Template: fixture, StateDir: dir, Environ: []string{"APP_SECRET=x"}})
	if err != nil {
		panic(err)
	}
	_, err = dynamodb.NewFromConfig(s.Config()).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(s.Output("TableName")), Item: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "x"}},
	})
	if err != nil {
		panic(err)
	}
	if _, err := s.Invoke(ctx, "echo", []byte(`{}`)); err != nil {
		panic(err)
	}
	fmt.Println("ready")
	select {}
}

// A runner that is killed can't clean up, but leaves neither processes nor a state that nobody can use.
func TestKilledRunnerLeavesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells children that their parent has died")
	}
	t.Parallel()
	dir := t.TempDir()
	runner := exec.Command(os.Args[0])
	runner.Env = append(os.Environ(), childState+"="+dir)
	runner.Stderr = t.Output()
	stdout, err := runner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { runner.Process.Kill() })
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("runner says %q: %v", line, err)
	}
	if len(processesIn(t, dir)) == 0 {
		t.Fatal("the runner's processes can't be seen: this test proves nothing")
	}
	if err := runner.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	runner.Wait()
	eventually(t, "no process is left", func() bool { return len(processesIn(t, dir)) == 0 })

	s, _ := start(t, options(t, dir))
	got, err := dynamodb.NewFromConfig(s.Config()).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(s.Output("TableName")), Key: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "x"}},
	})
	if err != nil || got.Item == nil {
		t.Errorf("the item is not there again: %v %v", got, err)
	}
}

// processesIn lists the processes that work in the state directory.
func processesIn(t *testing.T, dir string) (pids []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		// Another user's process, or one that has just ended, can't be read and isn't ours.
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir+"/") {
			pids = append(pids, link)
		}
	}
	return pids
}

// An emulator that was left behind holds no lock: the next run stops it and takes over its state.
func TestLeftBehindEmulatorIsStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, _ := start(t, options(t, dir))
	pid, err := os.ReadFile(filepath.Join(dir, "aws", "pid"))
	if err != nil {
		t.Fatal(err)
	}
	// The lock is what a dead run loses; everything else stays as it would.
	if err := os.Remove(filepath.Join(dir, "threadline.lock")); err != nil {
		t.Fatal(err)
	}
	_, stop := start(t, options(t, dir))
	select {
	case <-first.Failed():
	case <-time.After(15 * time.Second):
		t.Errorf("emulator %s still runs", pid)
	}
	stop()
}

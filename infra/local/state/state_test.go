package state

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// childDir makes the test binary hold the lock of that folder, until it is killed.
const childDir = "STATE_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if _, err := Lock(dir); err != nil {
			panic(err)
		}
		fmt.Println("locked")
		select {}
	}
	os.Exit(m.Run())
}

func TestOneRunHasAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "state")
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v, want one that nobody else reads", info, err)
	}
	if _, err := Lock(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("a second lock: %v, want ErrInUse", err)
	}
	if _, err := Delete(dir); err == nil || !strings.Contains(err.Error(), "runs with it") || strings.Contains(err.Error(), "\n") {
		t.Errorf("deleting under a run: %v, want one sentence", err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the folder of a run was deleted: %v", err)
	}
	unlock()
	if existed, err := Delete(dir); !existed || err != nil {
		t.Errorf("delete: %v %v", existed, err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if existed, err := Delete(dir); existed || err != nil {
		t.Errorf("deleting what isn't there: %v %v", existed, err)
	}
}

func TestOnlyAStateIsDeleted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Delete(dir); err == nil || !strings.Contains(err.Error(), "no Threadline has run there") {
		t.Errorf("delete: %v, want a refusal", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "letter.txt")); err != nil {
		t.Errorf("somebody's folder was touched: %v", err)
	}
}

// A run that is killed can't unlock, and leaves a folder that the next one may have.
func TestKilledRunHoldsNothing(t *testing.T) {
	dir := t.TempDir()
	run := exec.Command(os.Args[0])
	run.Env = append(os.Environ(), childDir+"="+dir)
	run.Stderr = t.Output()
	stdout, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the run says %q: %v", line, err)
	}
	if _, err := Lock(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("while it runs: %v, want ErrInUse", err)
	}
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait() // it was killed
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatalf("after it was killed: %v", err)
	}
	unlock()
}

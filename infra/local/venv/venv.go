// Package venv installs the project's Python tools into the repository's .venv, at pinned versions
// whose files are checked by hash. Nothing else on the machine is touched.
//
// Two environments, because their requirements exclude each other: Run has the emulator and the
// SAM transform, Tools the SAM CLI and cfn-lint. An environment whose requirements file has not
// changed is left alone, which takes no time.
package venv

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Set is one of the environments.
type Set struct {
	name         string
	requirements string // relative to the repository
	contents     string // for the progress line
}

var (
	// Run is what `make run` needs.
	Run = Set{"run", "infra/local/requirements.txt", "local AWS emulator"}
	// Tools is what testing and deploying the template need besides.
	Tools = Set{"tools", "infra/local/requirements-tools.txt", "SAM CLI and template linter"}
)

// Ensure installs the set if needed and returns its directory, whose bin/ has the programs. Progress
// goes line by line to progress. Several processes may call it at once.
func Ensure(ctx context.Context, root string, set Set, progress func(string)) (string, error) {
	requirements := filepath.Join(root, filepath.FromSlash(set.requirements))
	lock, err := os.ReadFile(requirements)
	if err != nil {
		return "", fmt.Errorf("read requirements: %w", err)
	}
	python, version, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".venv", set.name)
	unlock, err := exclusive(filepath.Join(root, ".venv"), set.name)
	if err != nil {
		return "", fmt.Errorf("lock .venv: %w", err)
	}
	defer unlock()

	sum := sha256.Sum256(append([]byte(version+"\n"), lock...))
	stamp, wanted := filepath.Join(dir, "installed"), hex.EncodeToString(sum[:])
	if got, err := os.ReadFile(stamp); err == nil && string(got) == wanted {
		return dir, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read stamp: %w", err)
	}
	progress(fmt.Sprintf("Installing the %s into .venv (once, about half a minute)", set.contents))
	if err := install(ctx, python, dir, requirements); err != nil {
		return "", err
	}
	if err := os.WriteFile(stamp, []byte(wanted), 0o644); err != nil {
		return "", fmt.Errorf("write stamp: %w", err)
	}
	return dir, nil
}

func install(ctx context.Context, python, dir, requirements string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove old environment: %w", err)
	}
	if out, err := exec.CommandContext(ctx, python, "-m", "venv", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("python3 cannot create a virtual environment (on Debian and Ubuntu: apt install python3-venv): %s", lastLine(out))
	}
	// --no-deps: the file names every package, and only what it names may be installed.
	pip := exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet",
		"--disable-pip-version-check", "--no-compile", "--no-deps", "--require-hashes", "-r", requirements)
	if out, err := pip.CombinedOutput(); err != nil {
		return fmt.Errorf("pip cannot install %s: %s", filepath.Base(requirements), lastLine(out))
	}
	return nil
}

// findPython returns the interpreter and its version, or one sentence that says what is missing.
func findPython(ctx context.Context) (path, version string, err error) {
	path, err = exec.LookPath("python3")
	if err != nil {
		return "", "", errors.New("the local AWS emulator needs Python 3.11 or newer: install python3")
	}
	const script = "import sys; print('%d.%d' % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))"
	out, err := exec.CommandContext(ctx, path, "-c", script).Output()
	version = strings.TrimSpace(string(out))
	if err != nil {
		return "", "", fmt.Errorf("the local AWS emulator needs Python 3.11 or newer: python3 here is %s", version)
	}
	return path, version, nil
}

// exclusive holds a lock file until the returned function is called.
func exclusive(dir, name string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, name+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func lastLine(out []byte) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return string(lines[len(lines)-1])
}

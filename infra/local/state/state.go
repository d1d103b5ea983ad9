// Package state guards the folder that a run keeps its state in.
//
// One run at a time has a folder, and what a run uses can't be deleted. The kernel keeps the lock: it ends with the
// process that holds it, however that ends. Only a folder in which Threadline has run is deleted.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lockName is the file whose lock a run holds. That it is there tells that Threadline has run in the folder.
const lockName = "threadline.lock"

// ErrInUse is what Lock returns when another run has the folder.
var ErrInUse = errors.New("in use by another run")

// Lock takes a folder, which is made if it is missing, until unlock is called.
func Lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create state directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}

// Delete deletes a folder with all that is in it, and tells whether there was one.
func Delete(dir string) (existed bool, err error) {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
		return true, fmt.Errorf("%s isn't deleted: no Threadline has run there", dir)
	}
	unlock, err := Lock(dir)
	if errors.Is(err, ErrInUse) {
		return true, fmt.Errorf("%s isn't deleted, because a Threadline runs with it: stop that one first, with Ctrl-C where it was started", dir)
	}
	if err != nil {
		return true, err
	}
	defer unlock()
	return true, os.RemoveAll(dir)
}

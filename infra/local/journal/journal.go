// Package journal keeps what a simulator holds in a folder: a line of JSON for each change, and the bytes of files.
//
// A change that Append returned no error for is there again after a restart. A line that was cut short by a crash was
// never answered for, and is dropped. What is kept is readable by its owner only.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Journal holds changes of one type. Its methods for files are safe for concurrent use, the others aren't.
type Journal[Change any] struct {
	lines *os.File
	files string // the folder of the files
}

// Open hands apply the changes that a folder holds, the oldest first. The folder is made if it is missing.
func Open[Change any](dir string, apply func(Change)) (*Journal[Change], error) {
	files := filepath.Join(dir, "files")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "journal.jsonl")
	whole, err := replay(name, apply)
	if err != nil {
		return nil, err
	}
	lines, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	err = lines.Truncate(whole)
	if err == nil {
		_, err = lines.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, errors.Join(err, lines.Close())
	}
	return &Journal[Change]{lines: lines, files: files}, nil
}

// replay returns how many bytes of the journal are whole lines.
func replay[Change any](name string, apply func(Change)) (whole int64, err error) {
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	for line := range bytes.Lines(old) {
		if line[len(line)-1] != '\n' {
			break
		}
		var c Change
		if err := json.Unmarshal(line, &c); err != nil {
			return 0, fmt.Errorf("read %s at byte %d: %w", name, whole, err)
		}
		apply(c)
		whole += int64(len(line))
	}
	return whole, nil
}

// Append makes a change lasting.
func (j *Journal[Change]) Append(c Change) error {
	line, err := json.Marshal(c)
	if err == nil {
		_, err = j.lines.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Close closes the journal.
func (j *Journal[Change]) Close() error { return j.lines.Close() }

// PutFile keeps the bytes of a file under a name that no other has. Of what can't be read to its end nothing is kept.
func (j *Journal[Change]) PutFile(name string, content io.Reader) (size int64, err error) {
	out, err := os.OpenFile(j.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(out, content)
	if err = errors.Join(err, out.Close()); err != nil {
		j.RemoveFile(name) // half a file
	}
	return size, err
}

// OpenFile opens a file to read it.
func (j *Journal[Change]) OpenFile(name string) (*os.File, error) { return os.Open(j.path(name)) }

// RemoveFile drops a file that no change speaks of. It does nothing if there is none, or if it was given no name yet.
func (j *Journal[Change]) RemoveFile(name string) {
	if name != "" {
		_ = os.Remove(j.path(name))
	}
}

func (j *Journal[Change]) path(name string) string {
	return filepath.Join(j.files, filepath.Base(name))
}

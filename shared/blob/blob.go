// Package blob keeps files and oversized bodies in an S3 bucket; Memory is its twin for tests.
//
// It guarantees that an upload streams a body of any size in constant memory (a few dozen KB), with one request and
// without seeking; that with a declared SHA-256 nothing but exactly those bytes is ever stored (S3 compares); and that
// an object appears whole or not at all. It does not repeat an upload whose body can't be rewound: whoever has the
// source (a queue entry) is the retry.
//
// A PUT costs $0.005 per thousand, a GET a tenth of it (us-east-1, 2026).
package blob

import (
	"errors"
	"fmt"
	"io"
	"time"
)

var (
	// ErrNotFound means that there is no object under the key.
	ErrNotFound = errors.New("no such object")
	// ErrChecksum means that the body is not what PutOptions.SHA256 declares. Nothing was stored.
	ErrChecksum = errors.New("body differs from its declared SHA-256")
)

// PutOptions describe an object.
type PutOptions struct {
	ContentType string            // empty: application/octet-stream
	SHA256      []byte            // 32 bytes, or nil if the hash isn't known beforehand
	Metadata    map[string]string // lower-case keys, ASCII values, 2 KB in all
}

// Info describes a stored object.
type Info struct {
	Size        int64
	ContentType string
	SHA256      []byte            // as declared at Put, else nil
	Metadata    map[string]string // nil if there is none
	Modified    time.Time
}

const defaultType = "application/octet-stream"

// check refuses what neither store can do.
func check(key string, body io.Reader, size int64, opts PutOptions) error {
	switch {
	case key == "":
		return errors.New("put object: empty key")
	case body == nil:
		return errors.New("put object: no body")
	case size < 0:
		return errors.New("put object: the size must be known beforehand")
	case len(opts.SHA256) != 0 && len(opts.SHA256) != 32:
		return fmt.Errorf("put object: a SHA-256 has 32 bytes, got %d", len(opts.SHA256))
	}
	return nil
}

package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a bucket in memory, for tests. The zero value is empty and ready; it is safe for parallel use.
type Memory struct {
	Now func() time.Time // nil: time.Now

	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	body []byte
	info Info
}

// Put does what S3.Put does.
func (m *Memory) Put(ctx context.Context, key string, body io.Reader, size int64, opts PutOptions) error {
	if err := check(key, body, size, opts); err != nil {
		return err
	}
	body, err := exactly(body, size)
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	if sum := sha256.Sum256(content); len(opts.SHA256) > 0 && !bytes.Equal(sum[:], opts.SHA256) {
		return fmt.Errorf("put object: %w", ErrChecksum)
	}
	m.store(key, content, opts)
	return nil
}

func (m *Memory) store(key string, content []byte, opts PutOptions) {
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	info := Info{
		Size: int64(len(content)), ContentType: opts.ContentType, SHA256: slices.Clone(opts.SHA256),
		Metadata: metadata(maps.Clone(opts.Metadata)), Modified: now().UTC().Truncate(time.Second),
	}
	if info.ContentType == "" {
		info.ContentType = defaultType
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[string]object{}
	}
	m.objects[key] = object{body: content, info: info}
}

// Get does what S3.Get does.
func (m *Memory) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	o, err := m.find(ctx, key)
	if err != nil {
		return nil, Info{}, fmt.Errorf("get object: %w", err)
	}
	return io.NopCloser(bytes.NewReader(o.body)), o.info, nil
}

// Head does what S3.Head does.
func (m *Memory) Head(ctx context.Context, key string) (Info, error) {
	o, err := m.find(ctx, key)
	if err != nil {
		return Info{}, fmt.Errorf("head object: %w", err)
	}
	return o.info, nil
}

// Keys lists what is stored, sorted.
func (m *Memory) Keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.objects))
}

func (m *Memory) find(ctx context.Context, key string) (object, error) {
	if err := ctx.Err(); err != nil {
		return object{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return object{}, ErrNotFound
	}
	o.info.SHA256, o.info.Metadata = slices.Clone(o.info.SHA256), maps.Clone(o.info.Metadata)
	return o, nil
}

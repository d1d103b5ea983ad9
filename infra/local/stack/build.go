package stack

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// codeBucket holds the functions' packages in the emulator; `sam deploy` would make one of its own.
const codeBucket = "threadline-local-code"

// build builds all functions at once, with the flags that they are deployed with but for this
// machine's processor, and returns the binary of each folder.
func build(ctx context.Context, root, dir string, sources map[string]string) (map[string]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create build directory: %w", err)
	}
	out := make(map[string]string)
	arguments := []string{"build", "-trimpath", "-tags=lambda.norpc", "-ldflags=-s", "-o", dir + string(filepath.Separator)}
	for _, folder := range sources {
		binary := filepath.Join(dir, filepath.Base(folder))
		for other, taken := range out {
			if taken == binary && other != folder {
				return nil, fmt.Errorf("%s and %s would have the same binary", other, folder)
			}
		}
		if _, done := out[folder]; !done {
			arguments = append(arguments, "./"+folder)
		}
		out[folder] = binary
	}
	cmd := exec.CommandContext(ctx, "go", arguments...)
	cmd.Dir = root
	// GOFLAGS would add to the flags above; the rest of the user's Go settings is wanted.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, errors.New("the functions are built with Go, which is not installed: https://go.dev/dl")
		}
		return nil, fmt.Errorf("build functions: %s", strings.TrimSpace(string(output)))
	}
	return out, nil
}

// upload puts each function's package into the emulator and points the template at it. What is there
// already is not sent again; what no function uses any more is removed.
func upload(ctx context.Context, client *s3.Client, t template, sources, binaries map[string]string) error {
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(codeBucket)}); err != nil {
		return fmt.Errorf("create code bucket: %w", err)
	}
	listed, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(codeBucket)})
	if err != nil {
		return fmt.Errorf("list code bucket: %w", err)
	}
	stale := make(map[string]bool)
	for _, object := range listed.Contents {
		stale[*object.Key] = true
	}
	ids := make([]string, 0, len(sources))
	for id := range sources {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		folder := sources[id]
		content, err := os.ReadFile(binaries[folder])
		if err != nil {
			return fmt.Errorf("read binary of %s: %w", folder, err)
		}
		sum := sha256.Sum256(content)
		key := filepath.Base(folder) + "-" + hex.EncodeToString(sum[:12]) + ".zip"
		t.setCode(id, codeBucket, key)
		if present := stale[key]; !present {
			if err := uploadPackage(ctx, client, key, content); err != nil {
				return err
			}
		}
		delete(stale, key)
	}
	delete(stale, templateKey)
	for key := range stale {
		if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(codeBucket), Key: &key}); err != nil {
			return fmt.Errorf("delete old package: %w", err)
		}
	}
	return nil
}

func uploadPackage(ctx context.Context, client *s3.Client, key string, binary []byte) error {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	// Stored, not deflated: it travels through this machine's memory only.
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	header.SetMode(0o755)
	w, err := archive.CreateHeader(header)
	if err == nil {
		_, err = w.Write(binary)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", key, err)
	}
	_, err = client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(codeBucket), Key: &key, Body: bytes.NewReader(packed.Bytes()),
	})
	if err != nil {
		return fmt.Errorf("upload %s: %w", key, err)
	}
	return nil
}

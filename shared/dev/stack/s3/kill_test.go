package s3

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/childtest"
	"github.com/schedgen/schedgen/shared/secret"
)

// childDir tells a process that it is a server of that directory, to be killed.
const childDir = "SCHEDGEN_TEST_S3_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		server, err := Start(dir, Config{AccessKey: "access", SecretKey: secret.New("secret-secret")})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(server.Addr())
		select {}
	}
	os.Exit(m.Run())
}

// startChild is a server in a process of its own.
func startChild(t *testing.T, dir string) (child *exec.Cmd, c *minio.Client) {
	t.Helper()
	child, address := childtest.Process(t, childDir+"="+dir)
	c, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4("access", "secret-secret", ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return child, c
}

// half gives some bytes, and then nothing until ctx ends.
type half struct {
	io.Reader
	ctx context.Context
}

func (h half) Read(p []byte) (int, error) {
	if n, err := h.Reader.Read(p); err == nil {
		return n, nil
	}
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// contents are the sizes of the contents in a bucket's directory.
func contents(t *testing.T, dir string) (sizes []int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, contentPrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			sizes = append(sizes, info.Size())
		}
	}
	slices.Sort(sizes)
	return sizes
}

// TestAKilledServerLeavesNoContentBehind kills a server in the middle of an upload, beside an object that is stored.
func TestAKilledServerLeavesNoContentBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bucket := filepath.Join(dir, "objects", "bucket")
	child, c := startChild(t, dir)
	if err := c.MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	put(t, c, "kept", "a pdf")
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		body := half{strings.NewReader(strings.Repeat("secret ", 100_000)), ctx}
		_, err := c.PutObject(ctx, "bucket", "cut", body, 4<<20, minio.PutObjectOptions{DisableMultipart: true})
		over <- err
	}()
	testkit.Eventually(t, "the upload is on its way", func() bool {
		sizes := contents(t, bucket)
		return len(sizes) == 2 && sizes[1] > 1000
	})
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	cancel()
	if err := <-over; err == nil {
		t.Error("the upload that was cut: got no error")
	}
	// Two more that a process may leave: a description that was not moved into place, and a notification.
	for _, name := range []string{filepath.Join(bucket, "tmp-1"), filepath.Join(dir, "notifications", "tmp-2")} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server, err := Start(dir, Config{AccessKey: "access", SecretKey: secret.New("secret-secret"), Webhook: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop() // nothing is on its way
	if sizes := contents(t, bucket); !slices.Equal(sizes, []int64{5}) {
		t.Errorf("contents of %v bytes are left, want that of the stored object alone", sizes)
	}
	for _, pattern := range []string{"objects/bucket/tmp-*", "notifications/tmp-*"} {
		if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
	files, err := openFiles(filepath.Join(dir, "objects"), true)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := files.HeadObject("bucket", "kept"); err != nil || o.Size != 5 {
		t.Errorf("the stored object: got %+v, %v", o, err)
	}
}

// TestLeftoversOfADamagedBucketStay: an object that cannot be read may name any of its contents.
func TestLeftoversOfADamagedBucketStay(t *testing.T) {
	t.Parallel()
	files, err := openFiles(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.json": "{", "content-1": "a pdf"} {
		if err := os.WriteFile(filepath.Join(files.bucket("bucket"), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.removeLeftovers(); err == nil {
		t.Error("got no error of an object that cannot be read")
	}
	if sizes := contents(t, files.bucket("bucket")); !slices.Equal(sizes, []int64{5}) {
		t.Errorf("contents of %v bytes are left, want all", sizes)
	}
}

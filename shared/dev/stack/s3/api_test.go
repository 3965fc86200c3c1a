package s3

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/diskspace"
	"github.com/schedgen/schedgen/shared/secret"
)

// client is an S3 client of a server of the test's own.
func client(t *testing.T) *minio.Client {
	t.Helper()
	server, err := Start(t.TempDir(), Config{AccessKey: "access", SecretKey: secret.New("secret-secret")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	c, err := minio.New(server.Addr(), &minio.Options{Creds: credentials.NewStaticV4("access", "secret-secret", ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c *minio.Client, key, text string) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), "bucket", key, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, c *minio.Client, options minio.ListObjectsOptions) (keys []string) {
	t.Helper()
	for o := range c.ListObjects(t.Context(), "bucket", options) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func TestObjectsAreListedInOrderAndInPages(t *testing.T) {
	t.Parallel()
	c := client(t)
	want := []string{"a", "dir/1", "dir/2", "dir/sub/3", "z"}
	for _, key := range []string{"z", "dir/2", "a", "dir/sub/3", "dir/1"} {
		put(t, c, key, key)
	}
	for pages := range 4 {
		if got := list(t, c, minio.ListObjectsOptions{Recursive: true, MaxKeys: pages}); !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %q, want %q", pages, got, want)
		}
		if got := list(t, c, minio.ListObjectsOptions{Prefix: "dir/", MaxKeys: pages}); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"dir/1", "dir/2", "dir/sub/"}) {
			t.Errorf("a folder in pages of %d: got %q", pages, got)
		}
	}
}

func TestRangesReplacementsAndCopies(t *testing.T) {
	t.Parallel()
	c := client(t)
	put(t, c, "k", "old")
	put(t, c, "k", "0123456789")
	options := minio.GetObjectOptions{}
	if err := options.SetRange(2, 4); err != nil {
		t.Fatal(err)
	}
	object, err := c.GetObject(t.Context(), "bucket", "k", options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(object)
	if err != nil || string(text) != "234" {
		t.Errorf("a range: got %q, %v", text, err)
	}
	if _, err := c.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: "bucket", Object: "copy"}, minio.CopySrcOptions{Bucket: "bucket", Object: "k"}); err != nil {
		t.Fatal(err)
	}
	if info, err := c.StatObject(t.Context(), "bucket", "copy", minio.StatObjectOptions{}); err != nil || info.Size != 10 {
		t.Errorf("the copy: got %+v, %v", info, err)
	}
	none := minio.PutObjectOptions{}
	none.SetMatchETagExcept("*")
	if _, err := c.PutObject(t.Context(), "bucket", "k", strings.NewReader("x"), 1, none); minio.ToErrorResponse(err).StatusCode != http.StatusPreconditionFailed {
		t.Errorf("a put on condition: got %v", err)
	}
}

func TestBucketsGoWhenTheyAreEmpty(t *testing.T) {
	t.Parallel()
	c := client(t)
	ctx := t.Context()
	put(t, c, "a", "1")
	put(t, c, "b", "2")
	buckets, err := c.ListBuckets(ctx)
	if err != nil || len(buckets) != 1 || buckets[0].Name != "bucket" {
		t.Errorf("got %+v, %v", buckets, err)
	}
	if err := c.RemoveBucket(ctx, "bucket"); minio.ToErrorResponse(err).Code != "BucketNotEmpty" {
		t.Errorf("a full bucket: got %v", err)
	}
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err == nil {
		t.Error("a bucket was made twice")
	}
	keys := make(chan minio.ObjectInfo, 2)
	keys <- minio.ObjectInfo{Key: "a"}
	keys <- minio.ObjectInfo{Key: "b"}
	close(keys)
	for failed := range c.RemoveObjects(ctx, "bucket", keys, minio.RemoveObjectsOptions{}) {
		t.Errorf("delete %s: %v", failed.ObjectName, failed.Err)
	}
	if err := c.RemoveBucket(ctx, "bucket"); err != nil {
		t.Errorf("an empty bucket: got %v", err)
	}
	if there, err := c.BucketExists(ctx, "bucket"); err != nil || there {
		t.Errorf("afterwards: got %v, %v", there, err)
	}
	if _, err := c.StatObject(ctx, "bucket", "a", minio.StatObjectOptions{}); err == nil {
		t.Error("an object of a bucket that is gone")
	}
}

func TestBadNamesReachNoFile(t *testing.T) {
	t.Parallel()
	f, err := openFiles(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"..", "../x", "", ".", "A", "a/b"} {
		if there, err := f.BucketExists(name); there || err != nil {
			t.Errorf("%q: got %v, %v", name, there, err)
		}
		if err := f.CreateBucket(name); err == nil {
			t.Errorf("%q is taken for a bucket's name", name)
		}
		if err := f.ForceDeleteBucket(name); err == nil {
			t.Errorf("%q was deleted", name)
		}
	}
	if err := f.CreateBucket("good"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PutObject("good", "../../etc/x", nil, strings.NewReader("x"), 1, nil); err != nil {
		t.Errorf("a key may be anything: got %v", err)
	}
	if err := f.ForceDeleteBucket("good"); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestSignaturesAreChecked(t *testing.T) {
	t.Parallel()
	// The example of the S3 API Reference, "Example: GET Object", byte for byte.
	const example = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
		"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date," +
		"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for name, c := range map[string]struct {
		change func(*http.Request)
		now    time.Time
		want   int
	}{
		"as signed":       {func(*http.Request) {}, at, 200},
		"another path":    {func(r *http.Request) { r.URL.Path = "/other.txt" }, at, 403},
		"another method":  {func(r *http.Request) { r.Method = http.MethodDelete }, at, 403},
		"another header":  {func(r *http.Request) { r.Header.Set("Range", "bytes=0-99") }, at, 403},
		"a query":         {func(r *http.Request) { r.URL.RawQuery = "acl" }, at, 403},
		"a day later":     {func(*http.Request) {}, at.Add(24 * time.Hour), 403},
		"no date":         {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, at, 403},
		"another key":     {func(r *http.Request) { r.Header.Set("Authorization", strings.Replace(example, "AKIA", "BKIA", 1)) }, at, 403},
		"host not signed": {func(r *http.Request) { r.Header.Set("Authorization", strings.Replace(example, "host;", "", 1)) }, at, 403},
		"no scope":        {func(r *http.Request) { r.Header.Set("Authorization", strings.Replace(example, "/s3/", "/", 1)) }, at, 403},
		"basic":           {func(r *http.Request) { r.SetBasicAuth("a", "b") }, at, 403},
		"bad chunks":      {func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "STREAMING-X") }, at, 403},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://examplebucket.s3.amazonaws.com/test.txt", nil)
		r.Header.Set("Range", "bytes=0-9")
		r.Header.Set("X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
		r.Header.Set("X-Amz-Date", "20130524T000000Z")
		r.Header.Set("Authorization", example)
		c.change(r)
		answer := httptest.NewRecorder()
		authenticate(ok, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", func() time.Time { return c.now }).ServeHTTP(answer, r)
		if answer.Code != c.want {
			t.Errorf("%s: got %d %s, want %d", name, answer.Code, answer.Body, c.want)
		}
	}
}

// decode is what a body that is signed in chunks holds.
func decode(body string) ([]byte, error) {
	r := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
	r.Header.Set("X-Amz-Decoded-Content-Length", "5")
	if err := plainBody(r); err != nil {
		return nil, err
	}
	return io.ReadAll(r.Body)
}

func TestChunksAreReadWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"3;chunk-signature=a\r\nabc\r\n2;chunk-signature=b\r\nde\r\n0;chunk-signature=c\r\n\r\n": "abcde",
		"1\r\na\r\n0\r\nx-amz-checksum-crc32:AAAA==\r\n\r\n":                                     "a",
		"0;chunk-signature=c\r\n\r\n":                                                            "",
	} {
		got, err := decode(body)
		if err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v; want %q", body, got, err, want)
		}
	}
	for _, body := range []string{"", "3", "3\r\nab", "3\r\nabcd\r\n0\r\n\r\n", "x\r\n", "-1\r\n", "3\r\nabc"} {
		if got, err := decode(body); err == nil {
			t.Errorf("%q: got %q and no error", body, got)
		}
	}
}

func TestAConfigIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := Start(t.TempDir(), Config{}); err == nil {
		t.Error("a server without keys started")
	}
	if _, err := Start(t.TempDir(), Config{AccessKey: "a", SecretKey: secret.New("b"), Addr: "300.0.0.1:1"}); err == nil {
		t.Error("a server on no address started")
	}
	if _, err := Start("/dev/null/x", Config{AccessKey: "a", SecretKey: secret.New("b")}); err == nil {
		t.Error("a server without a directory started")
	}
}

// TestAnObjectIsThereThoughItsNameIsNotDurable loses the last step of a PUT: the object is the new one, whole.
func TestAnObjectIsThereThoughItsNameIsNotDurable(t *testing.T) {
	t.Parallel()
	f, err := openFiles(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PutObject("bucket", "k", nil, strings.NewReader("old"), 3, nil); err != nil {
		t.Fatal(err)
	}
	f.syncDir = func(string) error { return errors.New("input/output error") }
	if _, err := f.PutObject("bucket", "k", nil, strings.NewReader("new"), 3, nil); err == nil {
		t.Error("a PUT succeeded whose name may be lost")
	}
	o, err := f.GetObject("bucket", "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(o.Contents); err != nil || string(text) != "new" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := o.Contents.Close(); err != nil {
		t.Error(err)
	}
	none := &gofakes3.PutConditions{IfNoneMatch: new(string)}
	*none.IfNoneMatch = "*"
	if _, err := f.PutObject("bucket", "k", nil, strings.NewReader("third"), 5, none); err == nil {
		t.Error("an object was replaced that must not be there")
	}
	if sizes := contents(t, filepath.Join(f.dir, "bucket")); !slices.Equal(sizes, []int64{3, 3}) {
		t.Errorf("contents of %v bytes are there, want the two that a crash may leave", sizes)
	}
}

// TestAFullServerRefusesObjectsAsMinIODoes, and goes on giving and deleting those it has.
func TestAFullServerRefusesObjectsAsMinIODoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := Config{AccessKey: "access", SecretKey: secret.New("secret-secret")}
	store := func() *blob.Store {
		server, err := Start(dir, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Stop() })
		store, err := blob.Open(blob.Config{URL: server.URL(), AccessKey: config.AccessKey, SecretKey: config.SecretKey})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	if _, err := store().Put(t.Context(), "a", strings.NewReader("a pdf"), 5, "", nil); err != nil {
		t.Fatal(err)
	}
	config.Room = diskspace.New(diskspace.Config{Dir: dir, Reserve: 1 << 60})
	full := store()
	_, err := full.Put(t.Context(), "b", strings.NewReader(strings.Repeat("x", 8<<20)), 8<<20, "", nil)
	var refused *blob.FullError
	if !errors.As(err, &refused) || api.From(err).Code != api.StorageFull {
		t.Errorf("got %v, want it full", err)
	}
	if sizes := contents(t, filepath.Join(dir, "objects", "schedgen-pdfs")); !slices.Equal(sizes, []int64{5}) {
		t.Errorf("contents of %v bytes are there, want nothing of what was refused", sizes)
	}
	if _, err := full.Stat(t.Context(), "a"); err != nil {
		t.Errorf("an object from before: %v", err)
	}
	if err := full.Delete(t.Context(), "a"); err != nil {
		t.Errorf("delete it: %v", err)
	}
}

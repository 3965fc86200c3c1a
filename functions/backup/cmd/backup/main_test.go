package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// configure makes an empty system and a key, and sets the environment as a platform does.
func configure(t *testing.T) *s3test.Server {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(file, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s3 := s3test.New(t)
	for name, value := range map[string]string{"DATABASE_URL": pgtest.New(t), "S3_URL": s3.URL, "S3_ACCESS_KEY": s3test.AccessKey,
		"S3_SECRET_KEY": s3test.SecretKey, "BACKUP_RECIPIENTS": identity.Recipient().String(), "BACKUP_IDENTITY_FILE": file} {
		t.Setenv(name, value)
	}
	return s3
}

// Not parallel: the configuration is the environment, as on a platform.
func TestOnceSaysByItsExitCodeHowItWent(t *testing.T) {
	configure(t)
	for _, test := range []struct {
		task string
		want int
	}{{"run", 0}, {"watch", 0}, {"list", 0}, {"frobnicate", 1}} {
		if got := once(test.task); got != test.want {
			t.Errorf("backup %s: got exit code %d, want %d", test.task, got, test.want)
		}
	}
	t.Setenv("BACKUP_RECIPIENTS", "")
	if got := once("run"); got != 1 {
		t.Errorf("without a recipient: got exit code %d, want 1", got)
	}
	t.Setenv("BACKUP_KEEP_DAILY", "seven")
	if got := once("run"); got != 1 {
		t.Errorf("with a setting that is no number: got exit code %d, want 1", got)
	}
}

// The disaster: the database and the PDFs are gone, the backup bucket and the key are left.
func TestOnceBringsBackWhatWasLost(t *testing.T) {
	s3 := configure(t)
	const content = "%PDF-1.7 of a student"
	key := upload(t, s3.Store(t), content)
	if got := once("run"); got != 0 {
		t.Fatalf("backup run: got exit code %d, want 0", got)
	}
	id := newest(t)
	if _, err := pool(t).Exec(t.Context(), "delete from jobs"); err != nil {
		t.Fatal(err)
	}
	if err := s3.Store(t).Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {id}, {"--replcae"}, {"--replace", id, id}, {"--replace", ""},
		{"--replace", "20010101T000000Z-aaaaaaaa"}, {"--replace", "--offsite"}} {
		if got, n := once("restore", args...), count(t); got != 1 || n != 0 {
			t.Fatalf("backup restore %q: got exit code %d and %d jobs, want 1 and nothing restored", args, got, n)
		}
	}
	if got, n := once("restore", id, "--replace"), count(t); got != 0 || n != 1 {
		t.Errorf("backup restore %s --replace: got exit code %d and %d jobs, want 0 and the backup's one", id, got, n)
	}
	if got := read(t, s3.Store(t), key); got != content {
		t.Errorf("got the PDF %q, want %q", got, content)
	}
	t.Setenv("DATABASE_URL", pgtest.Empty(t))
	if got, n := once("restore"), count(t); got != 0 || n != 1 {
		t.Errorf("backup restore into an empty database: got exit code %d and %d jobs, want 0 and 1", got, n)
	}
	if got := once("run", "--replace"); got != 1 {
		t.Errorf("backup run --replace: got exit code %d, want 1", got)
	}
}

// newest is the ID of the newest backup, which the list has first.
func newest(t *testing.T) string {
	t.Helper()
	f, err := configured(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := f.List(t.Context(), false)
	if err != nil || len(list.Backups) == 0 {
		t.Fatalf("got %d backups and %v, want one", len(list.Backups), err)
	}
	id := list.Backups[0].ID
	var told strings.Builder
	if err := f.Command(t.Context(), "list", nil, &told); err != nil || !strings.HasPrefix(told.String(), id+"  ") || !strings.Contains(told.String(), "verified  ") {
		t.Errorf("backup list: got %q and %v, want a line of %s", told.String(), err, id)
	}
	return id
}

// pool reaches the database of the environment.
func pool(t *testing.T) *postgres.Pool {
	t.Helper()
	opened, err := postgres.Open(postgres.Config{URL: secret.New(os.Getenv("DATABASE_URL"))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

// count is how many jobs the database of the environment has.
func count(t *testing.T) (n int) {
	t.Helper()
	err := pool(t).Conn(t.Context(), func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, "select count(*) from jobs").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// upload makes a job with its PDF, whose key it gives.
func upload(t *testing.T, bucket *blob.Store, content string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(content))
	job, err := jobs.NewStore(pool(t)).Create(t.Context(), jobs.NewJob{Owner: uuid.NewString(), Filename: "timetable.pdf",
		Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.Put(t.Context(), job.ObjectKey, strings.NewReader(content), int64(len(content)), "application/pdf", nil); err != nil {
		t.Fatal(err)
	}
	return job.ObjectKey
}

func read(t *testing.T, bucket *blob.Store, key string) string {
	t.Helper()
	reader, _, err := bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() // only read
	body, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

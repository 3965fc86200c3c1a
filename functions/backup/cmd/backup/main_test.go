package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/xtest/pgtest"
	"github.com/schedgen/schedgen/shared/xtest/s3test"
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
	}{{"run", 0}, {"watch", 0}, {"frobnicate", 1}} {
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
	const key, content = "uploads/one.pdf", "%PDF-1.7 of a student"
	put(t, s3.Store(t), key, content)
	execute(t, "create table marks (n int); insert into marks values (1), (2), (3)")
	if got := once("run"); got != 0 {
		t.Fatalf("backup run: got exit code %d, want 0", got)
	}
	id := newest(t)
	execute(t, "delete from marks where n > 1")
	if err := s3.Store(t).Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	refused := [][]string{nil, {id}, {"--replcae"}, {"--replace", id, id}, {"--replace", ""}, {"--replace", "20010101T000000Z-aaaaaaaa"}, {"--replace", "--offsite"}}
	for _, args := range refused {
		if got := once("restore", args...); got != 1 {
			t.Errorf("backup restore %q: got exit code %d, want 1", args, got)
		}
		if got := rows(t); got != 1 {
			t.Fatalf("after backup restore %q, which is refused: got %d rows, want 1 as before", args, got)
		}
	}
	if got := once("restore", id, "--replace"); got != 0 {
		t.Fatalf("backup restore %s --replace: got exit code %d, want 0", id, got)
	}
	if got := rows(t); got != 3 {
		t.Errorf("got %d rows, want the backup's 3", got)
	}
	if got := get(t, s3.Store(t), key); got != content {
		t.Errorf("got the PDF %q, want %q", got, content)
	}
	t.Setenv("DATABASE_URL", pgtest.Empty(t))
	if got := once("restore"); got != 0 {
		t.Fatalf("backup restore into an empty database: got exit code %d, want 0", got)
	}
	if got := rows(t); got != 3 {
		t.Errorf("in the empty database: got %d rows, want 3", got)
	}
	if got := once("run", "--replace"); got != 1 {
		t.Errorf("backup run --replace: got exit code %d, want 1", got)
	}
}

// newest is the ID of the newest backup.
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
	return list.Backups[0].ID
}

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func execute(t *testing.T, sql string) {
	t.Helper()
	conn := connect(t)
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func rows(t *testing.T) (n int) {
	t.Helper()
	conn := connect(t)
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), "select count(*) from marks").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func put(t *testing.T, bucket *blob.Store, key, content string) {
	t.Helper()
	if _, err := bucket.Put(t.Context(), key, strings.NewReader(content), int64(len(content)), "application/pdf", nil); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, bucket *blob.Store, key string) string {
	t.Helper()
	reader, _, err := bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	body, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// backupKey writes an identity and gives its file and its public half.
func backupKey(t *testing.T) (file, recipient string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(file, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, identity.Recipient().String()
}

// letters counts the rows of a table that a test fills.
func letters(t *testing.T, dsn string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), "select count(*) from dead_letters").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func addLetter(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "insert into dead_letters (source, reason, event) values ('test', 'r', '{}')"); err != nil {
		t.Fatal(err)
	}
}

func TestBackupOfADataDirectoryThatNoSystemUses(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := testkit.Passable(data); err != nil {
		t.Fatal(err)
	}
	key, recipient := backupKey(t)
	// works on the directory's servers as `schedgen up` would leave them.
	with := func(f func(dsn string)) {
		t.Helper()
		e, err := stack.OpenEmbedded(t.Context(), data)
		if errors.Is(err, pg.ErrNotInstalled) {
			t.Skip("needs a PostgreSQL server: run `make setup`, or apt-get install postgresql")
		}
		if err != nil {
			t.Fatal(err)
		}
		f(e.Postgres.Reveal())
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	with(func(dsn string) {
		if err := postgres.Migrate(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		addLetter(t, dsn)
	})
	made := runLine(t, nil, "backup", "now", "--data", data, "--recipient", recipient, "--identity", key)
	if made.code != exitOK || !strings.Contains(made.out, "verified") || !strings.Contains(made.err, "dumping the database") {
		t.Fatalf("now: got %+v", made)
	}
	id, _, _ := strings.Cut(made.out, " ")
	if list := runLine(t, nil, "backup", "list", "--data", data); list.code != exitOK || !strings.HasPrefix(list.out, id) {
		t.Errorf("list: got %+v, want %s", list, id)
	}
	with(func(dsn string) { addLetter(t, dsn) })
	refused := runLine(t, nil, "backup", "restore", "--data", data, "--identity", key)
	if refused.code != exitFailed || !strings.Contains(refused.err, "not empty") {
		t.Errorf("restore into what is there: got %+v, want a refusal", refused)
	}
	restored := runLine(t, nil, "backup", "restore", id, "--data", data, "--identity", key, "--replace")
	if restored.code != exitOK || !strings.Contains(restored.out, "restored "+id) || strings.Contains(restored.out, "FAIL") || strings.Count(restored.out, "\nok  ") < 3 {
		t.Errorf("restore: got %+v, want its checks", restored)
	}
	with(func(dsn string) {
		if n := letters(t, dsn); n != 1 {
			t.Errorf("the restored database has %d rows, want 1", n)
		}
		busy := runLine(t, nil, "backup", "restore", "--data", data, "--identity", key)
		if busy.code != exitFailed || !strings.Contains(busy.err, "in use") {
			t.Errorf("restore under a running system: got %+v", busy)
		}
	})
}

func TestBackupOfRealServers(t *testing.T) {
	t.Parallel()
	dsn, into, server := pgtest.New(t), pgtest.Empty(t), s3test.New(t)
	key, recipient := backupKey(t)
	addLetter(t, dsn)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Path = url.UserPassword(s3test.AccessKey, s3test.SecretKey), "/schedgen-pdfs"
	line := func(rest ...string) outcome {
		return runLine(t, nil, append([]string{"backup", "--postgres", dsn, "--s3", u.String()}, rest...)...)
	}
	if made := line("now", "--recipient", recipient); made.code != exitOK || !strings.Contains(made.out, "checked") {
		t.Fatalf("now, without an identity: got %+v", made)
	}
	if proved := line("verify", "--identity", key); proved.code != exitOK || !strings.Contains(proved.out, "verified") {
		t.Errorf("verify: got %+v", proved)
	}
	other, _ := backupKey(t)
	if wrong := line("verify", "--identity", other); wrong.code != exitFailed || !strings.Contains(wrong.err, "none of the identities") {
		t.Errorf("verify with a wrong key: got %+v", wrong)
	}
	if again := line("verify", "--identity", key); again.code != exitOK {
		t.Errorf("verify again: got %+v", again)
	}
	asJSON := line("list", "--json")
	var list backup.Listing
	if err := json.Unmarshal([]byte(asJSON.out), &list); err != nil || !list.Healthy || len(list.Backups) != 1 {
		t.Errorf("list: got %+v, %v", asJSON, err)
	}
	if early := line("restore", "--identity", key, "--to", into, "--at", "2001-01-01"); early.code != exitFailed || !strings.Contains(early.err, "no good backup") {
		t.Errorf("restore of a time before: got %+v", early)
	}
	if restored := line("restore", "--identity", key, "--to", into); restored.code != exitOK {
		t.Errorf("restore: got %+v", restored)
	}
	if n := letters(t, into); n != 1 {
		t.Errorf("the restored database has %d rows, want 1", n)
	}
}

func TestBackupOfARunningSystem(t *testing.T) {
	// Not parallel: the token is in the environment, for a command line is for all to read.
	t.Setenv("ADMIN_TOKEN", "a-token")
	key, recipient := backupKey(t)
	dsn, server := pgtest.New(t), s3test.New(t)
	f, err := backup.New(t.Context(), backup.Config{Postgres: postgres.Config{URL: secret.New(dsn)}, Blob: server.Config(), Recipients: []string{recipient},
		IdentityFile: key, AdminToken: secret.New("a-token")})
	if err != nil {
		t.Fatal(err)
	}
	running := httptest.NewServer(faas.Wrap("backup", f, nil))
	defer f.Close()
	defer running.Close()
	line := func(rest ...string) outcome {
		return runLine(t, nil, append([]string{"backup", "--server", running.URL}, rest...)...)
	}
	made := line("now")
	if made.code != exitOK || !strings.Contains(made.out, "verified") {
		t.Fatalf("now: got %+v", made)
	}
	id, _, _ := strings.Cut(made.out, " ")
	for _, rest := range [][]string{{"list"}, {"verify"}, {"verify", id}} {
		if got := line(rest...); got.code != exitOK || !strings.HasPrefix(got.out, id) {
			t.Errorf("%s: got %+v, want %s", rest, got, id)
		}
	}
	if got := line("verify", "none"); got.code != exitFailed || !strings.Contains(got.err, "There is no backup of this id. Check GET /api/admin/backups for those there are. (NOT_FOUND)") {
		t.Errorf("verify what is not there: got %+v", got)
	}
	if got := line("restore"); got.code != exitFailed || !strings.Contains(got.err, "stop it first") {
		t.Errorf("restore: got %+v", got)
	}
}

func TestBackupCommandLinesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ line, want string }{
		{"backup", "it needs one of now"},
		{"backup frob", `"frob" is none of now`},
		{"backup now x", "an argument too many"},
		{"backup restore a b", "an argument too many"},
		{"backup list --at 2026-01-01", "--at, --to, --replace, --unsigned, --ignore-deletions and --without-damaged-pdfs are for restore"},
		{"backup restore x --at 2026-01-01", "not by both"},
		{"backup restore --at soon", `"soon" is not a time`},
		{"backup list --s3 minio:9000 --postgres postgres://x/y", "not like http://KEY"},
		{"backup list --server localhost", "not an address such as"},
		{"backup list --server http://localhost:1", "$ADMIN_TOKEN is empty"},
	} {
		got := runLine(t, nil, strings.Fields(test.line)...)
		if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, test.want) {
			t.Errorf("schedgen %s: got %+v, want code 2 and %q", test.line, got, test.want)
		}
	}
}

func TestADayMeansItsEnd(t *testing.T) {
	t.Parallel()
	day, err := parseMoment("2026-02-09")
	if err != nil || day.Hour() != 23 || day.Day() != 9 {
		t.Errorf("got %v, %v; want the last moment of the day", day, err)
	}
	if at, err := parseMoment("2026-02-09T02:00:00Z"); err != nil || at.UTC().Hour() != 2 {
		t.Errorf("got %v, %v", at, err)
	}
}

package dump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// fake is a directory with a pg_dump and a pg_restore that do what the script says.
func fake(t *testing.T, version, script string) (dumpPath string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo \"pg_dump (PostgreSQL) " + version + "\"; exit 0; fi\n" + script + "\n"
	for _, name := range []string{"pg_dump", "pg_restore"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pg_dump")
}

func TestToolsAreTheServersVersionOrTheNextNewer(t *testing.T) {
	t.Parallel()
	old, same, newer := fake(t, "13.4 (Debian 13.4-1)", ""), fake(t, "15.18", ""), fake(t, "17.1", "")
	for _, test := range []struct {
		candidates []string
		server     int
		want       string
	}{
		{[]string{newer, old, same}, 15, "15.18"},
		{[]string{newer, old}, 15, "17.1"},
		{[]string{old}, 15, "error: pg_dump is of version 13, older than the server's 15: install postgresql-client-15"},
		{nil, 16, "error: pg_dump is not installed: on Debian or Ubuntu run: apt-get install postgresql-client-16"},
		{[]string{"/nowhere/pg_dump"}, 16, "error: pg_dump is not installed"},
	} {
		tools, err := closestTools(t.Context(), test.candidates, test.server)
		got := tools.Version
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.HasPrefix(got, test.want) || got == "" {
			t.Errorf("server %d: got %q, want %q", test.server, got, test.want)
		}
	}
}

// Arguments are for everybody on the machine to read: no password may be in them.
func TestPasswordsAreInTheEnvironmentAlone(t *testing.T) {
	t.Parallel()
	path := fake(t, "15.1", `echo "args: $*"; echo "password: $PGPASSWORD"`)
	tools, err := closestTools(t.Context(), []string{path}, 15)
	if err != nil {
		t.Fatal(err)
	}
	for _, dsn := range []string{
		"postgres://user:s3cr%3At@db.example:5432/schedgen?sslmode=require&pool_max_conns=4",
		"postgresql://user@db.example:5432/schedgen?sslmode=require&password=s3cr:t",
	} {
		var out bytes.Buffer
		if err := tools.Write(t.Context(), dsn, "0000-1", &out); err != nil {
			t.Fatal(err)
		}
		args, environment, _ := strings.Cut(out.String(), "\n")
		if strings.Contains(args, "s3cr") || strings.Contains(args, "pool_max_conns") || !strings.Contains(args, "sslmode=require") || !strings.Contains(args, "user@db.example:5432/schedgen") {
			t.Errorf("%s: got the arguments %q", dsn, args)
		}
		if environment != "password: s3cr:t\n" {
			t.Errorf("%s: got %q", dsn, environment)
		}
	}
	failing, err := closestTools(t.Context(), []string{fake(t, "15.1", `echo "connection to $PGHOST failed" >&2; exit 1`)}, 15)
	if err != nil {
		t.Fatal(err)
	}
	err = failing.Write(t.Context(), "postgres://user:s3cret@db.example/schedgen", "0-1", io.Discard)
	var tool *ToolError
	if !errors.As(err, &tool) || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "failed") {
		t.Errorf("got %v, want the program's words without the password", err)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"", "host=x dbname=y password=s3cret", "mysql://x/y", "postgres://u:s3cret@host", "postgres://u:s3cret@host:port/x"} {
		for name, f := range map[string]func() error{
			"parse":    func() error { _, err := parseAddress(dsn); return err },
			"with":     func() error { _, err := WithDatabase(dsn, "x"); return err },
			"open":     func() error { _, err := Open(t.Context(), dsn+"?connect_timeout=1"); return err },
			"restore":  func() error { return Tools{}.Restore(t.Context(), dsn, strings.NewReader("")) },
			"scratch":  func() error { _, _, err := CreateScratch(t.Context(), dsn); return err },
			"leftover": func() error { return DropScratch(t.Context(), dsn) },
		} {
			if name == "open" && !strings.HasPrefix(dsn, "mysql") {
				continue // pgx knows more forms of addresses than the programs' do
			}
			if err := f(); err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s %q: got %v, want an error that quotes nothing", name, dsn, err)
			}
		}
	}
}

func TestWhoStopsReadingOrWritingIsNamed(t *testing.T) {
	t.Parallel()
	tools, err := closestTools(t.Context(), []string{fake(t, "15.1", "yes archive | head -c 3000000; cat >/dev/null")}, 15)
	if err != nil {
		t.Fatal(err)
	}
	full, away := errors.New("the bucket is full"), errors.New("the bucket is away")
	const dsn = "postgres://user@127.0.0.1/x"
	if err := tools.Write(t.Context(), dsn, "1", &limited{room: 100, err: full}); !errors.Is(err, full) {
		t.Errorf("write: got %v, want %v", err, full)
	}
	if err := tools.Restore(t.Context(), dsn, iotest.ErrReader(away)); !errors.Is(err, away) {
		t.Errorf("restore: got %v, want %v", err, away)
	}
	if _, err := tools.List(t.Context(), iotest.ErrReader(away)); !errors.Is(err, away) {
		t.Errorf("list: got %v, want %v", err, away)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(away)
	if err := tools.Write(ended, dsn, "1", io.Discard); !errors.Is(err, away) {
		t.Errorf("after the end of the context: got %v, want its cause", err)
	}
}

// limited takes some bytes and then fails.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.room -= len(p); l.room < 0 {
		return 0, l.err
	}
	return len(p), nil
}

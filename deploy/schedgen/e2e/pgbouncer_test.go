package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
)

// pooled gives the address of a database through a PgBouncer of its own.
func pooled(t *testing.T, database string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("needs PgBouncer: run `make setup`, or apt-get install pgbouncer")
	}
	server, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := testkit.Passable(dir); err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	spec := process.Spec{Path: program, Args: []string{filepath.Join(dir, "pgbouncer.ini")}, Dir: dir, Log: filepath.Join(dir, "log"), Death: syscall.SIGINT, User: unprivileged(t)}
	password, _ := server.User.Password()
	for name, content := range map[string]string{
		"userlist.txt":  fmt.Sprintf("%q %q\n", server.User.Username(), password),
		"pgbouncer.ini": bouncerConfig(t, server, dir, port),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if spec.User != nil {
			if err := os.Chown(file, int(spec.User.Uid), int(spec.User.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	address := *server
	address.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	startBouncer(t, spec, address.String())
	return address.String()
}

// startBouncer runs PgBouncer until the test ends.
func startBouncer(t *testing.T, spec process.Spec, address string) {
	t.Helper()
	child, err := process.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Kill() }) // it keeps nothing
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := child.Ready(ctx, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	}); err != nil {
		t.Fatalf("start PgBouncer: %v", err)
	}
}

// bouncerConfig is the clusters' own file, with this server's addresses.
func bouncerConfig(t *testing.T, server *url.URL, dir string, port int) string {
	t.Helper()
	config := string(readFile(t, "deploy/kubernetes/base/pgbouncer.ini"))
	name := strings.TrimPrefix(server.Path, "/")
	for pattern, line := range map[string]string{
		`schedgen = host=.*`:          fmt.Sprintf("%s = host=%s port=%s dbname=%s", name, server.Hostname(), server.Port(), name),
		`listen_addr = .*`:            "listen_addr = 127.0.0.1",
		`listen_port = .*`:            fmt.Sprint("listen_port = ", port),
		`auth_file = .*`:              "auth_file = " + filepath.Join(dir, "userlist.txt"),
		`max_prepared_statements = .`: "unix_socket_dir =", // Debian's is older than that setting
	} {
		replaced := regexp.MustCompile(`(?m)^`+pattern+`$`).ReplaceAllLiteralString(config, line)
		if replaced == config {
			t.Fatalf("no line %q in PgBouncer's configuration", pattern)
		}
		config = replaced
	}
	if !strings.Contains(config, "pool_mode = transaction") {
		t.Error("PgBouncer does not pool transactions")
	}
	return config
}

// unprivileged is somebody who is not root, for PgBouncer refuses to be.
func unprivileged(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(nobody.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// TestPgBouncerSharesFewConnections holds that more clients than server connections are served, each
// transaction whole: 60 clients through a pool of 40.
func TestPgBouncerSharesFewConnections(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	address := pooled(t, dsn)
	const clients = 60 // more than max_db_connections
	errs := make(chan error, clients)
	for n := range clients {
		go func() { errs <- sum(t.Context(), address, n) }()
	}
	for range clients {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// sum runs transactions that would be wrong if two clients shared one.
func sum(ctx context.Context, address string, n int) error {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	for range 20 {
		var got string
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "select set_config('schedgen.test', $1, true)", strconv.Itoa(n)); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "select current_setting('schedgen.test')").Scan(&got)
		})
		if err != nil || got != strconv.Itoa(n) {
			return fmt.Errorf("client %d: got %q, %w", n, got, err)
		}
	}
	return nil
}

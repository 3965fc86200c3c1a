// Package pg runs a private PostgreSQL from the system's packages: its data in one directory, on
// 127.0.0.1, behind a password of its own, as a user that is not root. It ends with the process
// that started it, and starts again on the same data.
package pg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
)

// ErrNotInstalled says that the system has no PostgreSQL server.
var ErrNotInstalled = errors.New("PostgreSQL is not installed: on Debian or Ubuntu run: apt-get install postgresql")

// Database is the one that DSN names.
const Database = "schedgen"

// startTimeout includes making the data directory and a recovery after a crash.
const startTimeout = time.Minute

// Server is a running PostgreSQL.
type Server struct {
	process  *process.Process
	home     *home
	port     int
	password string
}

// options are what Option changes.
type options struct {
	port        int
	fast        bool
	connections int
}

// Option changes how the server runs.
type Option func(*options)

// Port fixes the port; without it a free one is taken.
func Port(port int) Option { return func(o *options) { o.port = port } }

// Fast gives up surviving a crash of the machine for speed: for tests only.
func Fast() Option { return func(o *options) { o.fast = true } }

// Connections is how many clients may be connected; 100 without it.
func Connections(n int) Option { return func(o *options) { o.connections = n } }

// Start runs a server with its data under dir, which is made if needed. It is running, with the
// database there, when Start returns.
func Start(ctx context.Context, dir string, opts ...Option) (*Server, error) {
	o := options{connections: 100}
	for _, option := range opts {
		option(&o)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	home, err := prepare(ctx, dir, o.fast)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	// A free port may be taken by another before the server has it.
	for try := 0; ; try++ {
		server, err := home.run(ctx, o)
		if err == nil {
			return server, nil
		}
		if o.port != 0 || try == 2 || ctx.Err() != nil {
			home.release()
			return nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
}

// run starts the server process and waits until it answers.
func (h *home) run(ctx context.Context, o options) (*Server, error) {
	if err := h.clearStale(ctx); err != nil {
		return nil, err
	}
	port := o.port
	if port == 0 {
		var err error
		if port, err = freePort(ctx); err != nil {
			return nil, err
		}
	}
	args := []string{"-D", h.data, "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=" + strconv.Itoa(o.connections), "-c", "shared_buffers=64MB",
		"-c", "log_min_messages=warning", "-c", "logging_collector=off", "-c", "log_destination=stderr",
		"-c", "password_encryption=scram-sha-256", "-c", "timezone=UTC", "-c", "log_timezone=UTC"}
	if o.fast {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "autovacuum=off")
	}
	// SIGINT is PostgreSQL's fast shutdown: it ends the connections and writes a checkpoint.
	child, err := process.Start(process.Spec{Path: h.program("postgres"), Args: args, Dir: h.data,
		Env: []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}, Log: h.log, User: h.user, Death: syscall.SIGINT})
	if err != nil {
		return nil, err
	}
	s := &Server{process: child, home: h, port: port, password: h.password}
	if err := child.Ready(ctx, s.ensureDatabase); err != nil {
		return nil, errors.Join(err, child.Stop(5*time.Second))
	}
	return s, nil
}

// DSN is the address of the database, with the password.
func (s *Server) DSN() string { return s.dsn(Database) }

func (s *Server) dsn(database string) string {
	address := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, s.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database, RawQuery: "sslmode=disable"}
	return address.String()
}

// Port is where the server listens.
func (s *Server) Port() int { return s.port }

// Pid is the server's process.
func (s *Server) Pid() int { return s.process.Pid() }

// Done is closed when the server has ended, whoever ended it.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Stop ends the server in order and waits for it.
func (s *Server) Stop() error {
	defer s.home.release()
	return s.process.Stop(20 * time.Second)
}

// Kill ends the server and all that it started at once, as a power cut would. Left to themselves, its
// backends would finish what they are at, and keep a new server from starting.
func (s *Server) Kill() error {
	defer s.home.release()
	select {
	case <-s.process.Done():
		return nil // its number may be another's by now
	default:
	}
	pid := s.process.Pid()
	_ = syscall.Kill(pid, syscall.SIGSTOP) // it starts nothing more; it may end right now
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended, too
		}
	}
	return errors.Join(err, s.process.Kill())
}

// ensureDatabase answers nil when the server does and the database exists.
func (s *Server) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", Database).Scan(&there); err != nil {
		return err
	}
	if there {
		return nil
	}
	_, err = conn.Exec(ctx, "create database "+Database)
	return err
}

// freePort is a port that nobody listens on now.
func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close() // another will listen there
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Installed says whether the system has a server, and where its programs are.
func Installed() (bin string, err error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", ErrNotInstalled
	}
	best, newest := "", -1
	for _, path := range found {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && version > newest {
			best, newest = filepath.Dir(path), version
		}
	}
	if best == "" {
		return "", ErrNotInstalled
	}
	return best, nil
}

package pg_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit"
)

// holderEnv makes the test program run a server on that directory until it is killed.
const holderEnv = "SCHEDGEN_PG_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holderEnv); dir != "" {
		hold(dir)
	}
	os.Exit(m.Run())
}

// hold starts a server, says its process, and waits for the end of its input.
func hold(dir string) {
	server, err := pg.Start(context.Background(), dir)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(server.Pid())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // whatever ends it
	os.Exit(0)
}

func start(t *testing.T, dir string, opts ...pg.Option) *pg.Server {
	t.Helper()
	if _, err := pg.Installed(); err != nil {
		t.Skip("needs a PostgreSQL server: run `make setup`, or apt-get install postgresql")
	}
	server, err := pg.Start(t.Context(), dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return server
}

func dir(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	if err := testkit.Passable(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, server *pg.Server, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) // only asked
	var got string
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func TestDataSurvivesStopAndCrash(t *testing.T) {
	t.Parallel()
	path := dir(t)
	server := start(t, path)
	run(t, server, "create table kept (a text)")
	run(t, server, "insert into kept values ('one')")
	if got := run(t, server, "show fsync"); got != "on" {
		t.Errorf("fsync is %s: data would not survive the machine's crash", got)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	server = start(t, path, pg.Port(server.Port()))
	if got := run(t, server, "select a from kept"); got != "one" {
		t.Errorf("after a stop: got %q", got)
	}
	run(t, server, "insert into kept values ('two')")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	<-server.Done()
	server = start(t, path)
	if got := run(t, server, "select string_agg(a, ',' order by a) from kept"); got != "one,two" {
		t.Errorf("after a crash: got %q", got)
	}
}

func TestOnlyThePasswordOpensIt(t *testing.T) {
	t.Parallel()
	server := start(t, dir(t), pg.Fast())
	wrong, err := pgx.ParseConfig(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	wrong.Password = "guess"
	if conn, err := pgx.ConnectConfig(t.Context(), wrong); err == nil {
		t.Error("a wrong password was let in")
		conn.Close(context.Background())
	}
	if got := run(t, server, "show listen_addresses"); got != "127.0.0.1" {
		t.Errorf("it listens on %s", got)
	}
}

func TestADirectoryInUseIsRefused(t *testing.T) {
	t.Parallel()
	path := dir(t)
	server := start(t, path, pg.Fast())
	if _, err := pg.Start(t.Context(), path, pg.Fast()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	run(t, server, "select 'still there'")
}

func TestAFailedInitLeavesNothingThatLooksWhole(t *testing.T) {
	t.Parallel()
	path := dir(t)
	if err := os.MkdirAll(filepath.Join(path, "data", "new", "half"), 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, start(t, path, pg.Fast()), "select 'fine'")
}

func TestAKilledOwnerLeavesADirectoryThatStartsAgain(t *testing.T) {
	t.Parallel()
	if _, err := pg.Installed(); err != nil {
		t.Skip("needs a PostgreSQL server: run `make setup`, or apt-get install postgresql")
	}
	path := dir(t)
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), holderEnv+"="+path)
	if _, err := owner.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the owner said %q", line)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // killed, as wanted
	run(t, start(t, path), "select 'fine'")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); syscall.Kill(pid, 0) == nil && !zombie(pid); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("the server of the killed owner (process %d) lives on", pid)
		}
	}
}

// zombie says that a process has ended and nobody has asked for its status yet.
func zombie(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(text), ") Z ")
}

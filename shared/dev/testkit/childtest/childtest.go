// Package childtest runs a function in a process of its own that a test may kill or measure: the test's own
// program, which is that function instead of the tests when it was started so.
package childtest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/settings"
)

// serveEnv tells a process that it is the child.
const serveEnv = "SCHEDGEN_TEST_SERVE"

// Main is for TestMain: in a process that Start started it serves the function that build makes of the
// environment, until SIGTERM, and ends the process. In any other it returns at once.
func Main[C any](cfg faas.Config, build func(context.Context, C) (faas.Function, error)) {
	if os.Getenv(serveEnv) == "" {
		return
	}
	if err := serve(cfg, build); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve tells its address on standard output.
func serve[C any](cfg faas.Config, build func(context.Context, C) (faas.Function, error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var own C
	if err := settings.Read(ctx, &own); err != nil {
		return err
	}
	f, err := build(ctx, own)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return faas.Serve(ctx, "child", f, listener, slog.New(slog.DiscardHandler), cfg)
}

// Start starts the function with more of an environment and gives its address. It is killed, where it is not
// dead by then, at the end of the test.
func Start(t testing.TB, env ...string) (child *exec.Cmd, url string) {
	t.Helper()
	child, address := Process(t, append([]string{serveEnv + "=1"}, env...)...)
	return child, "http://" + address
}

// Process starts the test's own program with more of an environment, which tells its TestMain what to be, and gives the
// address that it prints first. It is killed, where it is not dead by then, at the end of the test.
func Process(t testing.TB, env ...string) (child *exec.Cmd, address string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child = exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), env...)
	child.Stderr = os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it ends with the tests, however they end
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill() // it is dead already where that was the test
		_ = child.Wait()
	})
	if _, err := fmt.Fscanln(out, &address); err != nil {
		t.Fatalf("the child did not tell its address: %v", err)
	}
	return child, address
}

package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpThatCannotListenLeavesNothing has another program listen where it would.
func TestUpThatCannotListenLeavesNothing(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, taken, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for port, code := range map[string]int{taken: exitFailed, "99999": exitUsage, "-1": exitUsage} {
		data := filepath.Join(t.TempDir(), "data")
		got := runLine(t, nil, "up", "--port", port, "--data", data)
		if got.code != code || strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, "--port") {
			t.Errorf("up --port %s: got %+v, want code %d and one line that names --port", port, got, code)
		}
		if _, err := os.Stat(data); err == nil {
			t.Errorf("up --port %s left %s", port, data)
		}
	}
}

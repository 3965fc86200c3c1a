package childtest_test

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/childtest"
	"github.com/schedgen/schedgen/shared/faas"
)

type config struct {
	Word string `env:"WORD, required"`
}

// toy answers with its word and its process.
type toy struct{ config }

func (t toy) Routes() http.Handler {
	return api.Handler(func(*http.Request) (any, error) { return t.Word + strconv.Itoa(os.Getpid()), nil })
}
func (t toy) Dependencies() map[string]faas.Check { return nil }
func (t toy) Close()                              {}

func TestMain(m *testing.M) {
	childtest.Main(faas.Config{}, func(_ context.Context, c config) (faas.Function, error) { return toy{c}, nil })
	os.Exit(m.Run())
}

func TestTheChildServesUntilItIsKilled(t *testing.T) {
	t.Parallel()
	child, url := childtest.Start(t, "WORD=hello")
	response, err := http.Get(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // only read
	var said [64]byte
	n, _ := response.Body.Read(said[:])
	if got, want := string(said[:n]), `"hello`+strconv.Itoa(child.Process.Pid)+"\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Error("a killed child ended well")
	}
	if response, err := http.Get(url + "/"); err == nil {
		_ = response.Body.Close() // it should not be there
		t.Errorf("a dead child answered %s", response.Status)
	}
}

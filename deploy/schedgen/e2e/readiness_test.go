package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/readiness"
	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/secret"
)

// TestReadinessOfARunningSystem looks at a whole system that has made a backup: what only it can tell is green. Then with a
// token that is not its operators', and with nothing: what is not seen is not green.
func TestReadinessOfARunningSystem(t *testing.T) {
	t.Parallel()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(identity, []byte(key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, stack.Config{Google: stack.FakeGoogle, BackupRecipients: []string{key.Recipient().String()}, BackupIdentity: identity})
	look := func(token string) map[string]readiness.Result {
		all, err := readiness.Run(t.Context(), readiness.Options{Target: w.url, Token: secret.New(token), Launched: time.Now()}, readiness.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]readiness.Result{}
		for _, r := range all {
			by[r.ID] = r
		}
		return by
	}
	want := []string{"health-whole", "health-database", "health-redis", "health-store", "health-parser", "pre-backups", "pre-backup-there", "pre-restore", "deploy-flows",
		"queue-metrics", "logs-ids", "pool-size", "pool-leaks", "metrics-library", "day-errors", "web-settings", "web-build", "backend-google", "month-security",
		"doc-api", "app-times", "app-users", "business-storage", "backups-watched"}
	if page, err := get(t.Context(), http.DefaultClient, w.url+"/"); err != nil || page.StatusCode != http.StatusOK {
		t.Log("the page is not built (make build), so what only it shows is left out")
		want = slices.DeleteFunc(want, func(id string) bool {
			return slices.Contains([]string{"web-settings", "web-build", "month-security", "day-errors"}, id)
		})
	}
	eventually(t, func() error { // the first probe and the first backup take a while
		found := look(adminToken)
		for _, id := range want {
			if r := found[id]; r.State != readiness.OK {
				return fmt.Errorf("%s is %s: %s", id, r.State, r.Evidence)
			}
		}
		return nil
	})
	for _, r := range look("not-the-token") {
		if r.Check == "part postgres" && r.State == readiness.OK {
			t.Errorf("%s is green with a wrong token: %s", r.ID, r.Evidence)
		}
	}
}

// TestPrometheusAnswersWhatReadinessAsks looks at all items that ask Prometheus, with a real one that watches a system: it
// must take each expression, and have the measures of which the system itself is the source.
func TestPrometheusAnswersWhatReadinessAsks(t *testing.T) {
	t.Parallel()
	needsMonitoring(t)
	w := start(t, stack.Config{Monitoring: &stack.Monitoring{Faster: 60}})
	items, err := readiness.Items()
	if err != nil {
		t.Fatal(err)
	}
	var asking []string
	for _, item := range items {
		check, _, _ := strings.Cut(item.Check, " ")
		if slices.Contains([]string{"alerts", "receiver", "quiet", "expression", "scraped", "known", "metrics", "at-most", "error-rate", "pool", "hits"}, check) {
			asking = append(asking, item.ID)
		}
	}
	green := []string{"metrics-library", "app-times", "pool-leaks", "pool-size", "week-metrics", "pre-alerts"}
	eventually(t, func() error {
		// Prometheus alone is named, so all that is found is what it answers.
		all, err := readiness.Run(t.Context(), readiness.Options{Prometheus: w.system.Prometheus()}, readiness.Selection{IDs: asking})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if strings.Contains(r.Evidence, "ask Prometheus:") || strings.Contains(r.Evidence, "of Prometheus:") {
				return fmt.Errorf("%s (%s): %s", r.ID, r.Check, r.Evidence)
			}
			if slices.Contains(green, r.ID) && r.State != readiness.OK {
				return fmt.Errorf("%s is %s: %s", r.ID, r.State, r.Evidence)
			}
		}
		t.Logf("%d items were asked", len(all))
		return nil
	})
}

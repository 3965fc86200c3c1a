package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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

package settings

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// named are secrets by their name, and explained by what is said of them: an address with a password.
var (
	named     = regexp.MustCompile(`TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIAL|KEYS?$|HEADERS|WEBHOOK|_DSN$|^DATABASE_URL$|^REDIS_URL$|SCRATCH_URL$`)
	explained = regexp.MustCompile(`://\S*@`)
)

// public look like secrets and are none.
var public = map[string]string{
	"S3_ACCESS_KEY":                "the name of a user",
	"BACKUP_S3_ACCESS_KEY":         "the name of a user",
	"BACKUP_OFFSITE_S3_ACCESS_KEY": "the name of a user",
	"BACKUP_VERIFY_KEYS":           "public keys",
}

// unguarded lists the settings of all functions that are secret and print as they are.
func unguarded(t *testing.T, tree repo.Tree) (names []string) {
	t.Helper()
	for _, function := range Functions(tree) {
		all, err := Of(tree, function)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			secret := named.MatchString(s.Name) || explained.MatchString(s.Meaning)
			if secret && public[s.Name] == "" && s.Type != "secret.String" && s.Type != "[]secret.String" && !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// TestEverySecretSettingIsOfASecretType: a Config may be printed by anybody.
func TestEverySecretSettingIsOfASecretType(t *testing.T) {
	t.Parallel()
	_, tree, err := repo.Here("functions", "shared")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range unguarded(t, tree) {
		t.Errorf("%s prints as it is: make its field a secret.String, or say in this test why it is public", name)
	}
	// Each file that has one is looked at.
	for file, want := range map[string]string{
		"shared/postgres/postgres.go": "DATABASE_URL", "shared/cache/cache.go": "REDIS_URL", "shared/blob/blob.go": "S3_SECRET_KEY",
		"shared/session/session.go": "SESSION_KEY", "shared/events/publish.go": "EVENT_TOKEN", "shared/tracing/otlp/otlp.go": "OTEL_EXPORTER_OTLP_HEADERS",
		"functions/backup/function.go": "BACKUP_SIGNING_KEY", "functions/backup/alert/alert.go": "ALERT_WEBHOOK_URL",
		"functions/google-sync/account/signin.go": "GOOGLE_CLIENT_SECRET", "functions/upload-ingest/function.go": "ADMIN_TOKEN",
	} {
		plain := tree.With(file, bytes.ReplaceAll(tree[file], []byte("secret.String"), []byte("string")))
		if got := unguarded(t, plain); !slices.Contains(got, want) {
			t.Errorf("%s without secret types: got %q, want %s among them", file, got, want)
		}
	}
}

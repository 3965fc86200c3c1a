package main

import (
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/schedgen/schedgen/shared/xtest/pgtest"
	"github.com/schedgen/schedgen/shared/xtest/s3test"
)

// Not parallel: the configuration is the environment, as on a platform.
func TestOnceSaysByItsExitCodeHowItWent(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(file, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s3 := s3test.New(t)
	for name, value := range map[string]string{"DATABASE_URL": pgtest.New(t), "S3_URL": s3.URL, "S3_ACCESS_KEY": s3test.AccessKey,
		"S3_SECRET_KEY": s3test.SecretKey, "BACKUP_RECIPIENTS": identity.Recipient().String(), "BACKUP_IDENTITY_FILE": file} {
		t.Setenv(name, value)
	}
	for _, test := range []struct {
		task string
		want int
	}{{"run", 0}, {"watch", 0}, {"frobnicate", 1}} {
		if got := once(test.task); got != test.want {
			t.Errorf("backup %s: got exit code %d, want %d", test.task, got, test.want)
		}
	}
	t.Setenv("BACKUP_RECIPIENTS", "")
	if got := once("run"); got != 1 {
		t.Errorf("without a recipient: got exit code %d, want 1", got)
	}
	t.Setenv("BACKUP_KEEP_DAILY", "seven")
	if got := once("run"); got != 1 {
		t.Errorf("with a setting that is no number: got exit code %d, want 1", got)
	}
}

package stack

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/schedgen/schedgen/shared/secret"
)

func TestDataDirectoryBelongsToOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	first, err := openDataDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openDataDir(path); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: got error %v, want %v", err, ErrInUse)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	again, err := openDataDir(path)
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	again.close()
}

func TestSecretsAreMadeOnceAndKeptToOneself(t *testing.T) {
	t.Parallel()
	dir, err := openDataDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.close()
	first, err := dir.secrets()
	if err != nil {
		t.Fatal(err)
	}
	second, err := dir.secrets()
	if err != nil || first != second {
		t.Errorf("the second call gave others (error %v)", err)
	}
	for name, made := range map[string]secret.String{"session": first.SessionKey, "event": first.EventToken, "S3": first.S3Secret} {
		if len(made.Reveal()) != 64 {
			t.Errorf("the %s secret has %d characters, want 64", name, len(made.Reveal()))
		}
	}
	info, err := os.Stat(dir.join("secrets.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v (error %v), want 0600", info.Mode(), err)
	}
}

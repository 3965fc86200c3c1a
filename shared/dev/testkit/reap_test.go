package testkit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWhatIsReapedGoesWithItsOwner(t *testing.T) {
	// Not parallel: it takes the place of the process's own end.
	before := keep
	keep = nil
	defer func() { keep = before }()
	dir, err := Dir("reap")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Reap(dir, 1<<30); err != nil { // no such process
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("it is gone while its owner lives: %v", err)
	}
	for _, input := range keep {
		if err := input.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it was not removed")
		}
	}
}

func TestPassableOpensOnlyTheTestsOwn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Passable(dir); err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
			t.Errorf("%s: got %v, %v", dir, info.Mode(), err)
		}
	}
	if err := Passable("/"); err != nil {
		t.Error(err)
	}
}

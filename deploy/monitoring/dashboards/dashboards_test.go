package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTheFilesAreCurrent compares the files with what the generator writes, and wants no others.
func TestTheFilesAreCurrent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		want, err := os.ReadFile(filepath.Join(dir, p.uid+".json"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("json", p.uid+".json"))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("json/%s.json is not current (%v): run `go run .` in deploy/monitoring/dashboards", p.uid, err)
		}
	}
	files, err := os.ReadDir("json")
	if err != nil || len(files) != len(pages) {
		t.Errorf("json has %d files (%v), want one for each of %d pages", len(files), err, len(pages))
	}
}

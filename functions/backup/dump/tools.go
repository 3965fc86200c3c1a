// Package dump takes a PostgreSQL database out and in again: pg_dump and pg_restore as child
// processes whose bytes stream, and a snapshot that is held open so that what is counted and hashed
// is the very state that is dumped.
//
// It needs the server's own address, not PgBouncer's: pg_dump sets session state.
package dump

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Tools are pg_dump and pg_restore of one version.
type Tools struct {
	Version string // "15.18"
	Major   int
	dump    string
	restore string
}

// versionLine is what --version prints: "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)(\.\d+)?`)

// FindTools looks for programs of the server's major version or a newer one, which PostgreSQL asks
// for: an older pg_dump refuses the server. Of several it takes the one closest to the server.
func FindTools(ctx context.Context, serverMajor int) (Tools, error) {
	candidates, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump") // where Debian keeps every version
	if err != nil {
		return Tools{}, fmt.Errorf("look for pg_dump: %w", err)
	}
	if path, err := exec.LookPath("pg_dump"); err == nil {
		candidates = append(candidates, path)
	}
	return choose(ctx, candidates, serverMajor)
}

// choose takes the best of the candidates.
func choose(ctx context.Context, candidates []string, serverMajor int) (best Tools, err error) {
	newest := 0
	for _, path := range candidates {
		found, err := probe(ctx, path)
		if err != nil {
			continue // one that does not run is none
		}
		newest = max(newest, found.Major)
		if found.Major >= serverMajor && (best.Major == 0 || found.Major < best.Major) {
			best = found
		}
	}
	switch {
	case best.Major != 0:
		return best, nil
	case newest == 0:
		return best, fmt.Errorf("pg_dump is not installed: on Debian or Ubuntu run: apt-get install postgresql-client-%d", serverMajor)
	}
	return best, fmt.Errorf("pg_dump is of version %d, older than the server's %d: install postgresql-client-%d", newest, serverMajor, serverMajor)
}

// probe asks a program for its version, and for its pg_restore.
func probe(ctx context.Context, path string) (Tools, error) {
	text, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return Tools{}, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	found := versionLine.FindStringSubmatch(string(text))
	if found == nil {
		return Tools{}, errors.New("no version that is known here")
	}
	major, err := strconv.Atoi(found[1])
	if err != nil {
		return Tools{}, err
	}
	restore, err := exec.LookPath(filepath.Join(filepath.Dir(path), "pg_restore"))
	if err != nil {
		return Tools{}, err
	}
	return Tools{Version: found[1] + found[2], Major: major, dump: path, restore: restore}, nil
}

// Major is the major version of a version such as "15.18"; 0 of what is none.
func Major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return major
}

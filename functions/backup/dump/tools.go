// Package dump takes a PostgreSQL database out and brings it back. It runs pg_dump and pg_restore as child processes
// and streams their bytes, so memory does not grow with the database.
//
// A Snapshot is held open by a transaction. It counts and hashes every table (Tables), and pg_dump writes the very
// same state (Tools.Write with Snapshot.ID), so a restored copy can be compared with it (Compare). Tools.Restore works
// in one transaction: all of it or nothing. CreateScratch makes a database to try a restore in, and MoveAside makes
// room in one that is in use.
//
// Give it the server's own address, not PgBouncer's: pg_dump sets session state. Passwords are passed in the child's
// environment, never in its arguments, which everyone on the machine can read.
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
	return closestTools(ctx, candidates, serverMajor)
}

// closestTools returns the candidate whose version is closest to the server's.
func closestTools(ctx context.Context, candidates []string, serverMajor int) (best Tools, err error) {
	newest := 0
	for _, path := range candidates {
		found, err := inspect(ctx, path)
		if err != nil {
			continue // it does not run
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

// inspect returns the version of a pg_dump and finds the pg_restore next to it.
func inspect(ctx context.Context, path string) (Tools, error) {
	text, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return Tools{}, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	found := versionLine.FindStringSubmatch(string(text))
	if found == nil {
		return Tools{}, errors.New("unknown version")
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

// Major is the major version of a version such as "15.18"; 0 if it is not a version.
func Major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return major
}

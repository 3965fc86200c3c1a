#!/usr/bin/env bash
# What takes containers, and every mutant of the manifests: images are built by ko on an empty base, looked
# into, and run by containerd and runc with the scaling table's limits, as root. Needs root for that.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

KO_VERSION=v0.19.1
CRANE_VERSION=v0.22.1

[ "$(id -u)" = 0 ] || fail "containerd starts containers as root here: sudo make test-platform"
install_missing containerd runc pgbouncer
go_tool ko github.com/google/ko "$KO_VERSION"
go_tool crane github.com/google/go-containerregistry/cmd/crane "$CRANE_VERSION"
export PATH=$BIN:$PATH
if [ -z "${SCHEDGEN_TEST_MINIO:-}" ] && [ -x "$BIN/minio" ]; then
  export SCHEDGEN_TEST_MINIO=$BIN/minio
fi

[ -n "${SCHEDGEN_CRDS:-}" ] ||
  say "not broken line by line: set SCHEDGEN_CRDS to a folder with the definitions of Knative's and Traefik's objects for that"
say "manifests, every line broken once"
(cd deploy/platform && SCHEDGEN_TEST_ALL=1 "$GO" test -count=1 -timeout 30m ./...)

say "images and containers"
(cd deploy/schedgen && SCHEDGEN_TEST_PLATFORM=1 "$GO" test -count=1 -timeout 30m -v \
  -run 'TestImages|TestABomb|TestAContainer|TestATimetable|TestAFeed|TestThreeParsers|TestARolling' ./e2e) |
  grep -E '^ *(---|ok|FAIL|PASS|panic)|answers|at most|image [0-9]|_test.go:.*(got|want)'
say "done"

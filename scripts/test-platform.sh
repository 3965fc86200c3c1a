#!/usr/bin/env bash
# What takes containers, and every mutant of the manifests: every image is built by ko, on bases that this
# machine makes, looked into, and run by containerd and runc with the manifests' limits, on the machine's network and
# through CNI. The end-to-end suite runs against these containers. Needs root for that.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

CRANE_VERSION=v0.22.1

# asking prints the tests that take containers, by what they call for them: a new one needs no entry here, and one
# that calls none of these gets no container from containerd_test.go, and fails in `make test`.
asking() {
  awk '/^func / { name = $2; sub(/\(.*/, "", name) }
    /(needContainers|eachWorld|oneWorld)\(t[,)]/ { print name == "" ? "a method" : name }' deploy/schedgen/e2e/*_test.go | sort -u
}

[ "$(id -u)" = 0 ] || fail "containerd starts containers as root here: sudo make test-platform"
tests=$(asking)
other=$(grep -v '^Test' <<<"$tests" || true)
[ -z "$other" ] || fail "$other asks for containers; let the tests themselves do it, so that they are found here"
install_missing containerd runc pgbouncer containernetworking-plugins iproute2
go_tool ko github.com/google/ko "$KO_VERSION"
go_tool crane github.com/google/go-containerregistry/cmd/crane "$CRANE_VERSION"
export PATH=$BIN:$PATH
use_built_tools

build_page
say "manifests, every line that a check is about broken once"
(cd deploy/platform && SCHEDGEN_TEST_ALL=1 "$GO" test -count=1 -timeout 30m ./...)

say "images and containers: $(wc -w <<<"$tests") tests"
(cd deploy/schedgen && SCHEDGEN_TEST_PLATFORM=1 "$GO" test -count=1 -timeout 30m -v \
  -run "^($(paste -sd'|' <<<"$tests"))\$" ./e2e) |
  grep -E '^ *(---|ok|FAIL|PASS|panic)|answers|ended|at most|image [0-9]|_test\.go:[0-9]+:'
say "done"

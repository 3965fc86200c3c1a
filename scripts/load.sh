#!/usr/bin/env bash
# Runs a scenario of load-tests in full: against the whole system on this machine, each function a process with its limits, or
# against TARGET. The report goes to OUT (docs/performance/load).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

scenario=${1:-}
[ -f "load-tests/scenarios/$scenario.js" ] && [ "$scenario" != journey ] || {
  names=$(cd load-tests/scenarios && ls -- *.js | sed 's/\.js$//' | grep -vx journey | tr '\n' ' ')
  fail "name a scenario, for example: make load SCENARIO=baseline (one of: $names)"
}
k6_tool
if [ -n "${TARGET:-}" ]; then
  fixtures=$(mktemp -d)
  trap 'rm -rf "$fixtures"' EXIT
  "$GO" run ./load-tests --out "$fixtures"
  say "running $scenario against $TARGET"
  FULL=1 FIXTURES=$fixtures TARGET=$TARGET "$SCHEDGEN_TEST_K6" run --no-usage-report "load-tests/scenarios/$scenario.js"
  exit
fi
say "starting the system, then running $scenario"
cd deploy/schedgen
SCHEDGEN_LOAD=$scenario SCHEDGEN_LOAD_OUT=${OUT:-$ROOT/docs/performance/load} SCHEDGEN_LOAD_COMMIT=$(git describe --always --dirty) \
  "$GO" test -count=1 -timeout 4h -v -run '^TestLoad$' ./e2e

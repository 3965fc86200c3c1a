#!/usr/bin/env bash
# Runs a scenario of load-tests in full: against the whole system on this machine, each function a process with its limits,
# or against TARGET. The report goes to OUT (docs/performance/load). `load.sh short` runs all of them for some seconds.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

scenario=${1:-}
names=$(cd load-tests/scenarios && ls -- *.js | sed 's/\.js$//' | grep -vx journey | paste -sd' ')
[[ " $names short " == *" $scenario "* ]] || fail "name a scenario, for example: make load SCENARIO=baseline (one of: $names)"

if [ -n "${TARGET:-}" ]; then
  k6_tool
  use_built_tools
  fixtures=$(mktemp -d)
  trap 'rm -rf "$fixtures"' EXIT
  "$GO" run ./load-tests --out "$fixtures"
  say "running $scenario against $TARGET"
  # What users note for an audit has the addresses of feeds in it: it goes where the fixtures go.
  FULL=1 FIXTURES=$fixtures TARGET=$TARGET "$SCHEDGEN_TEST_K6" run --no-usage-report \
    --log-format raw --console-output "$fixtures/records" "load-tests/scenarios/$scenario.js"
  exit
fi
scripts/setup.sh test
use_built_tools
if [ "$scenario" != short ]; then
  mkdir -p "${OUT:=docs/performance/load}"
  SCHEDGEN_LOAD_OUT=$(cd "$OUT" && pwd) SCHEDGEN_LOAD_COMMIT=$(git describe --always --dirty)
  export SCHEDGEN_LOAD=$scenario SCHEDGEN_LOAD_OUT SCHEDGEN_LOAD_COMMIT
fi
say "starting the system, then running $scenario"
cd deploy/schedgen
"$GO" test -count=1 -timeout 4h -v -run '^TestLoad$' ./e2e

#!/usr/bin/env bash
# Runs every module's tests and holds each module to its coverage. `test.sh html` also writes pages.
# What is skipped is told with its reason; a test that lacks what setup.sh installs is a failure.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

GOTESTSUM_VERSION=v1.13.0
go_tool gotestsum gotest.tools/gotestsum "$GOTESTSUM_VERSION"

LEAST=70 # percent of statements, in every module
use_built_tools
# A change is judged by the same generated timetables as the one before it; the long runs draw others each time.
[ -n "${SCHEDGEN_TEST_ALL:-}" ] || export SCHEDGEN_TEST_SEED=${SCHEDGEN_TEST_SEED:-20261127}
timeout=40m
[ -z "${SCHEDGEN_TEST_ALL:-}" ] || timeout=60m

mkdir -p coverage
failed=()
build_page
say "testing functions/web/app"
(cd functions/web/app && npm run --silent test) || failed+=("functions/web/app: tests failed")
for module in $MODULES; do
  profile=$ROOT/coverage/$(basename "$module").out
  log=$ROOT/coverage/$(basename "$module").log
  say "testing $module"
  (cd "$module" && "$BIN/gotestsum" --format pkgname -- -timeout "$timeout" -coverpkg=./... -coverprofile "$profile" ./...) 2>&1 |
    tee "$log" || failed+=("$module: tests failed")
  ! grep -q 'make setup' "$log" || failed+=("$module: tests lack what make setup installs, see above")
done
[ -n "${SCHEDGEN_SAMPLES:-}" ] || say "real timetables were not read: set SCHEDGEN_SAMPLES to a folder of them to compare those too"

say "coverage (statements, each module by its own tests)"
for module in $MODULES; do
  profile=coverage/$(basename "$module").out
  [ -s "$profile" ] || { failed+=("$module: no coverage profile"); continue; }
  percent=$(cd "$module" && "$GO" tool cover -func "$ROOT/$profile" | awk '/^total:/ { sub("%", "", $3); print $3 }')
  printf '    %-32s %5s %%\n' "$module" "$percent"
  awk -v p="$percent" -v l="$LEAST" 'BEGIN { exit !(p < l) }' && failed+=("$module: coverage $percent % is below $LEAST %")
  [ "${1:-}" != html ] || (cd "$module" && "$GO" tool cover -html "$ROOT/$profile" -o "$ROOT/${profile%.out}.html")
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'error: %s\n' "${failed[@]}" >&2
  exit 1
fi
say "all tests passed"

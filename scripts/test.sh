#!/usr/bin/env bash
# Runs every module's tests and holds each module to its coverage. `test.sh html` also writes pages.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

LEAST=70 # percent of statements, in every module
if [ -z "${SCHEDGEN_TEST_MINIO:-}" ] && [ -x "$BIN/minio" ]; then
  export SCHEDGEN_TEST_MINIO=$BIN/minio
fi
timeout=20m
[ -z "${SCHEDGEN_TEST_ALL:-}" ] || timeout=60m

mkdir -p coverage
failed=()
for module in $MODULES; do
  profile=$ROOT/coverage/$(basename "$module").out
  say "testing $module"
  (cd "$module" && "$GO" test -timeout "$timeout" -coverpkg=./... -coverprofile "$profile" ./...) ||
    failed+=("$module: tests failed")
done

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

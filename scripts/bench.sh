#!/usr/bin/env bash
# Runs the Go benchmarks of every module that has some. COUNT (default 5) runs of each.
# BEFORE=commit also measures uploads and `schedgen parse` beside that commit's, in one table.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go
install_missing poppler-utils python3-pdfminer

say "on $(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) cores, $("$GO" version)"
if [ -n "${BEFORE:-}" ]; then
  work=$(mktemp -d)
  trap 'git worktree remove --force "$work/before" 2>/dev/null; rm -rf "$work"' EXIT
  git worktree add --quiet --detach "$work/before" "$BEFORE"
  before=$work/schedgen-before after=$work/schedgen-after
  say "building schedgen of $BEFORE, and of here"
  (cd "$work/before/deploy/schedgen" && CGO_ENABLED=0 "$GO" build -trimpath -ldflags "-s -w" -o "$before" .)
  (cd deploy/schedgen && CGO_ENABLED=0 "$GO" build -trimpath -ldflags "-s -w" -o "$after" .)
  (cd deploy/schedgen && SCHEDGEN_BEFORE=$before SCHEDGEN_AFTER=$after "$GO" test -run '^$' -bench AgainstBefore -benchtime 1x -timeout 1h ./e2e)
fi
for module in $MODULES; do
  packages=$(cd "$module" && grep -rlE '^func Benchmark' --include='*_test.go' . 2>/dev/null | xargs -r -n1 dirname | sort -u)
  [ -n "$packages" ] || continue
  say "$module"
  (cd "$module" && "$GO" test -run '^$' -bench . -benchmem -count "${COUNT:-5}" $packages)
done
say "answers where the database is empty, and where it is full"
(cd deploy/schedgen && SCHEDGEN_TEST_GROWTH=1 "$GO" test -run '^TestGrowth$' -v -count 1 -timeout 1h ./e2e)

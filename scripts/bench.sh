#!/usr/bin/env bash
# Runs the Go benchmarks of every module that has some. COUNT (default 5) runs of each.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go
install_missing poppler-utils python3-pdfminer

say "on $(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) cores, $("$GO" version)"
for module in $MODULES; do
  packages=$(cd "$module" && grep -rlE '^func Benchmark' --include='*_test.go' . 2>/dev/null | xargs -r -n1 dirname | sort -u)
  [ -n "$packages" ] || continue
  say "$module"
  (cd "$module" && "$GO" test -run '^$' -bench . -benchmem -count "${COUNT:-5}" $packages)
done

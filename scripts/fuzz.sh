#!/usr/bin/env bash
# Runs every fuzz target of every module for the given time; a crasher ends it and is kept in testdata/.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

each=${1:-30s}
for module in $MODULES; do
  cd "$ROOT/$module"
  for package in $("$GO" list ./...); do
    for target in $("$GO" test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
      say "$package $target for $each"
      "$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "$each" -fuzzminimizetime 100x "$package"
    done
  done
done

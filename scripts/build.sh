#!/usr/bin/env bash
# Builds the programs into bin/: `build.sh LDFLAGS [NAME...]`, all of them without a name.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

ldflags=$1
shift
mkdir -p bin
wanted() {
  local name
  [ $# -gt 1 ] || return 0
  for name in "${@:2}"; do
    [ "$name" != "$1" ] || return 0
  done
  return 1
}
build() {
  wanted "$1" "${names[@]}" || return 0
  [ -x "bin/$1" ] || say "building bin/$1 (the first build compiles the libraries too)"
  CGO_ENABLED=0 "$GO" build -trimpath -ldflags "$ldflags" -o "bin/$1" "$2"
}
names=("$@")
build_page
build schedgen ./deploy/schedgen
for main in functions/*/cmd/*/; do
  [ -d "$main" ] || continue
  build "$(basename "$main")" "./${main%/}"
done

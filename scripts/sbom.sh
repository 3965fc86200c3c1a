#!/usr/bin/env bash
# Writes a software bill of materials (CycloneDX, JSON) for each program and for the page into sbom/.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

CYCLONEDX_VERSION=v1.10.0
go_tool cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod "$CYCLONEDX_VERSION"
mkdir -p sbom

scripts/build.sh "-s -w"
version=$(git describe --tags --always --dirty)
# What is linked into each program. The project's own modules have no licence in the module cache: it says so, and goes on.
for program in bin/*; do
  name=$(basename "$program")
  say "sbom/$name.json"
  "$BIN/cyclonedx-gomod" bin -json -licenses -version "$version" -output "sbom/$name.json" "$program" 2>/dev/null ||
    fail "no SBOM of $program: run $BIN/cyclonedx-gomod bin $program to see why"
done
# npm names a project by its version, which ours do not have.
git ls-files '*package-lock.json' | while read -r lock; do
  name=npm-$(dirname "$lock" | tr / -)
  say "sbom/$name.json"
  work=$(mktemp -d)
  cp "$lock" "$(dirname "$lock")/package.json" "$work"
  (cd "$work" && npm pkg set version=0.0.0 && npm sbom --package-lock-only --sbom-format cyclonedx) >"sbom/$name.json"
  rm -r "$work"
done

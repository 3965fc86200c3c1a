#!/usr/bin/env bash
# Writes a software bill of materials (CycloneDX, JSON) for each program and each npm project into sbom/.
# sbom.sh LDFLAGS: the flags that the programs are linked with.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

rm -rf sbom
mkdir sbom

scripts/build.sh "$1"
version=$(git describe --tags --always --dirty)
for program in bin/*; do
  name=$(basename "$program")
  say "sbom/$name.json"
  program_sbom "$program" "sbom/$name.json" "$version"
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

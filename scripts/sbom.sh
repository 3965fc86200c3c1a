#!/usr/bin/env bash
# Writes a software bill of materials (CycloneDX, JSON) for each program and each npm project into sbom/.
# sbom.sh LDFLAGS: the flags that the programs are linked with.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

CYCLONEDX_VERSION=v1.10.0
go_tool cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod "$CYCLONEDX_VERSION"
rm -rf sbom
mkdir sbom

scripts/build.sh "$1"
version=$(git describe --tags --always --dirty)
# What is linked into each program. cyclonedx-gomod finds no licence of the project's own modules and reports each.
for program in bin/*; do
  name=$(basename "$program")
  say "sbom/$name.json"
  "$BIN/cyclonedx-gomod" bin -json -licenses -version "$version" -output "sbom/$name.json" "$program" 2>sbom/errors ||
    fail "no SBOM of $program: $(tail -n 3 sbom/errors)"
done
rm sbom/errors
# npm names a project by its version, which ours do not have.
git ls-files '*package-lock.json' | while read -r lock; do
  name=npm-$(dirname "$lock" | tr / -)
  say "sbom/$name.json"
  work=$(mktemp -d)
  cp "$lock" "$(dirname "$lock")/package.json" "$work"
  (cd "$work" && npm pkg set version=0.0.0 && npm sbom --package-lock-only --sbom-format cyclonedx) >"sbom/$name.json"
  rm -r "$work"
done

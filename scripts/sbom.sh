#!/usr/bin/env bash
# Writes a software bill of materials (CycloneDX, JSON) for each program and for the page into sbom/.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

CYCLONEDX_VERSION=v1.10.0
go_tool cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod "$CYCLONEDX_VERSION"
mkdir -p sbom

# program MODULE MAIN NAME writes what is linked into one program.
program() {
  say "sbom/$3.json"
  GOWORK=off CGO_ENABLED=0 "$BIN/cyclonedx-gomod" app -json -licenses -main "$2" -output "sbom/$3.json" "$1" >/dev/null
}
program deploy/schedgen . schedgen
for main in functions/*/cmd/*/; do
  [ -d "$main" ] || continue
  module=${main%%/cmd/*}
  program "$module" "cmd/$(basename "$main")" "$(basename "$main")"
done
git ls-files '*package-lock.json' | while read -r lock; do
  name=$(dirname "$lock" | tr / -)
  say "sbom/npm-$name.json"
  (cd "$(dirname "$lock")" && npm sbom --package-lock-only --sbom-format cyclonedx) >"sbom/npm-$name.json"
done

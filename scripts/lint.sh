#!/usr/bin/env bash
# Checks that need no test to run. Stops at the first kind of check that finds something.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

STATICCHECK_VERSION=v0.8.2
GOVULNCHECK_VERSION=v1.9.0

say "gofmt"
unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l)
[ -z "$unformatted" ] || fail "gofmt -w these files: $unformatted"

go_tool staticcheck honnef.co/go/tools/cmd/staticcheck "$STATICCHECK_VERSION"
for module in $MODULES; do
  say "$module: go vet, staticcheck, go mod tidy, build without the workspace"
  # Chained: `set -e` does not hold on the left of ||.
  (
    cd "$module" &&
      "$GO" vet ./... &&
      "$BIN/staticcheck" ./... &&
      GOWORK=off "$GO" mod tidy -diff &&
      GOWORK=off "$GO" build -o /dev/null ./...
  ) || fail "$module: see above"
done

say "licences"
scripts/licenses.sh >/dev/null

# The vulnerability database is not to be had everywhere: its absence is told and no failure.
go_tool govulncheck golang.org/x/vuln/cmd/govulncheck "$GOVULNCHECK_VERSION"
for module in $MODULES; do
  say "$module: govulncheck"
  status=0
  output=$(cd "$module" && timeout 300 "$BIN/govulncheck" ./... 2>&1) || status=$?
  case $status in
    0) ;;
    3) printf '%s\n' "$output"; fail "$module: known vulnerabilities, see above" ;;
    *)
      if grep -qE 'dial tcp|no such host|connection refused|i/o timeout|fetching vulnerabilities|HTTP GET' <<<"$output" || [ "$status" = 124 ]; then
        say "the vulnerability database cannot be reached from here: not checked"
        break
      fi
      printf '%s\n' "$output"
      fail "$module: govulncheck failed"
      ;;
  esac
done

#!/usr/bin/env bash
# Lists the licence of every dependency, Go's and npm's, and fails where the project cannot take one.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

# shellcheck disable=SC2086 # one argument for each module
"$GO" run ./deploy/platform/cmd/licenses $MODULES

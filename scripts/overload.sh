#!/usr/bin/env bash
# Sends ten times as many uploads as a whole system reads for so long, holds its refusals to their time, and looks for
# what is lost or left.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

say "sending too much for $1"
cd deploy/schedgen
SCHEDGEN_TEST_OVERLOAD=$1 "$GO" test -count=1 -timeout 30m -v -run '^TestOverload$' ./e2e

#!/usr/bin/env bash
# Sends so many hostile uploads to a whole system and looks for what they left. SCHEDGEN_TEST_SEED repeats a run.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

say "sending $1 hostile uploads"
cd deploy/schedgen
SCHEDGEN_TEST_HOSTILE=$1 "$GO" test -count=1 -timeout 300m -v -run '^TestHostileUploads$' ./e2e

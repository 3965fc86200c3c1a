#!/usr/bin/env bash
# Reads so many generated timetables, each changed in one of the ways of fixture.Changes, and shows by
# kind how they were read. SCHEDGEN_TEST_SEED repeats a run.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

say "reading $1 changed timetables"
cd functions/pdf-parse
SCHEDGEN_TEST_PERTURB=$1 "$GO" test -count=1 -timeout 120m -v -run '^TestPerturbed$' ./parse

#!/usr/bin/env bash
# Installs what is missing on a Debian machine: `setup.sh run` what serving needs, `setup.sh test`
# also what the tests compare with. Does nothing, quickly, where everything is there.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c

need_go
install_missing postgresql
command -v npm >/dev/null || install_missing nodejs npm
[ "${1:-run}" = test ] || exit 0

install_missing redis-server pgbouncer age zstd qpdf poppler-utils mupdf-tools ghostscript \
  python3-icalendar python3-pdfminer chromium

# The tests and `schedgen up --monitoring` start these themselves. Debian would also run them as services of the machine.
if ! command -v promtool >/dev/null || ! command -v amtool >/dev/null; then
  install_missing prometheus prometheus-alertmanager
  [ ! -d /run/systemd/system ] || systemctl disable --quiet --now prometheus prometheus-alertmanager || true
fi

if [ -n "${SCHEDGEN_TEST_MINIO:-}" ]; then
  [ -x "$SCHEDGEN_TEST_MINIO" ] || fail "SCHEDGEN_TEST_MINIO=$SCHEDGEN_TEST_MINIO is no program"
else
  [ -x "$BIN/minio" ] || say "the real MinIO server takes some minutes to build, this once"
  go_tool minio github.com/minio/minio "$MINIO_VERSION"
fi

k6_tool

# Test tools from npm: each folder with a lock file.
git ls-files '*package-lock.json' | while read -r lock; do
  npm_ci "$(dirname "$lock")"
done

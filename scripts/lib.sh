# Helpers of the other scripts; sourced, never run.

# The project's root, whatever directory a script was called from.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

CACHE=$ROOT/.cache
BIN=$CACHE/bin
GO=${GO:-go}
# The modules of go.work. Each also builds alone (GOWORK=off), as an image build does.
MODULES=${MODULES:-$(sed -n 's/^	\.\///p' go.work)}

# say tells what is being done, with the time since the script began.
say() { printf '==> [%3ds] %s\n' "$SECONDS" "$*"; }

# fail ends the script with one line.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# install_missing PACKAGE... installs those of the Debian packages that are missing.
install_missing() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "this machine has no apt-get; install by hand: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      fail "these packages are missing, and there is no sudo: as root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]} (apt-get)"
  local log
  log=$(mktemp)
  if ! {
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends "${missing[@]}"
  } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install ${missing[*]}"
  fi
  rm -f "$log"
}

# go_tool NAME PACKAGE VERSION builds a pinned program into .cache/bin, once.
go_tool() {
  local name=$1 package=$2 version=$3
  if [ -x "$BIN/$name" ] && "$GO" version -m "$BIN/$name" 2>/dev/null | grep -qF "$version"; then
    return 0
  fi
  say "building $name $version (once)"
  mkdir -p "$BIN"
  GOWORK=off GOFLAGS=-buildvcs=false GOBIN=$BIN "$GO" install "$package@$version"
}

CYCLONEDX_VERSION=v1.10.0

# program_sbom PROGRAM FILE VERSION writes what is linked into a program (CycloneDX, JSON). cyclonedx-gomod finds no
# licence of the project's own modules and reports each; that is shown where it fails.
program_sbom() {
  go_tool cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod "$CYCLONEDX_VERSION"
  local errors
  errors=$("$BIN/cyclonedx-gomod" bin -json -licenses -version "$3" -output "$2" "$1" 2>&1) ||
    fail "no SBOM of $1: $(tail -n 3 <<<"$errors")"
}

# ko builds the images.
KO_VERSION=v0.19.1

K6_VERSION=v1.8.1

# k6_tool builds k6, which makes the load of load tests, unless SCHEDGEN_TEST_K6 names the program.
k6_tool() {
  if [ -n "${SCHEDGEN_TEST_K6:-}" ]; then
    [ -x "$SCHEDGEN_TEST_K6" ] || fail "SCHEDGEN_TEST_K6=$SCHEDGEN_TEST_K6 is no program"
    return 0
  fi
  [ -x "$BIN/k6" ] || say "k6 takes some minutes to build, this once"
  go_tool k6 go.k6.io/k6 "$K6_VERSION"
}

# use_built_tools has tests use the programs that setup.sh built, where no others are named.
use_built_tools() {
  [ -n "${SCHEDGEN_TEST_MINIO:-}" ] || [ ! -x "$BIN/minio" ] || export SCHEDGEN_TEST_MINIO=$BIN/minio
  [ -n "${SCHEDGEN_TEST_K6:-}" ] || [ ! -x "$BIN/k6" ] || export SCHEDGEN_TEST_K6=$BIN/k6
}

# npm_ci FOLDER installs what a folder's lock file pins, where that changed. Nothing that is installed runs a script of its own.
npm_ci() {
  local done=$1/node_modules/.package-lock.json
  if [ ! -e "$done" ] || [ "$1/package-lock.json" -nt "$done" ]; then
    say "npm ci in $1"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    touch "$done"
  fi
}

# build_page builds the page that functions/web embeds, where anything of it changed.
build_page() {
  local app=functions/web/app stamp=functions/web/dist/page.sum sum
  sum=$({
    git ls-files --cached --others --exclude-standard "$app" | sort
    echo functions/upload-ingest/openapi.json
  } | xargs sha256sum 2>/dev/null | sha256sum) || true # a file that was deleted has no sum
  if [ -e functions/web/dist/page/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
    return 0
  fi
  command -v npm >/dev/null || fail "npm is missing: run \`make setup\`, or apt-get install nodejs npm"
  npm_ci "$app"
  say "building the page (functions/web/app)"
  rm -f "$stamp"
  (cd "$app" && npm run --silent build -- --logLevel warn)
  echo "$sum" >"$stamp"
}

# need_go checks the compiler before anything else complains in its own words.
need_go() {
  command -v "$GO" >/dev/null ||
    fail "Go is missing: install Go 1.26 or later, see the README"
}

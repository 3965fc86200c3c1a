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

# need_go checks the compiler before anything else complains in its own words.
need_go() {
  command -v "$GO" >/dev/null ||
    fail "Go is missing: install Go 1.26 or later, see the README"
}

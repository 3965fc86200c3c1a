#!/usr/bin/env bash
# Builds a release: `release.sh [--dry-run]`. Into release/ come the command for each platform, an SBOM of each, the notes,
# and checksums of all of them. The images are pushed to the registry. Its version is the tag of the commit.
#   REGISTRY    where images go, such as registry.example.org/schedgen
#   COSIGN_KEY  the key that signs the images and the checksums (a file, or a KMS address); without one they are not signed
#   PLATFORMS   of the command (linux/amd64 linux/arm64)
#   OUT         another folder than release/, which must not be there yet or be of an earlier release
# A dry run takes any commit, and the notes of what is not released yet. It builds the files; of images and signatures it
# only says what would be done.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_go

dry_run=
case ${1:-} in
  '') ;;
  --dry-run) dry_run=1 ;;
  *) fail "usage: release.sh [--dry-run]" ;;
esac
OUT=${OUT:-$ROOT/release}
REGISTRY=${REGISTRY:-}
COSIGN_KEY=${COSIGN_KEY:-}
PLATFORMS=${PLATFORMS:-linux/amd64 linux/arm64}
COMMIT=$(git rev-parse HEAD)

# run shows a command, and runs it unless this is a dry run.
run() {
  printf '    %s\n' "$*"
  [ -n "$dry_run" ] || "$@"
}

# version_of prints the version of the commit, whose files must be those that are built.
version_of() {
  if [ -n "$dry_run" ]; then
    git describe --tags --always --dirty
    return
  fi
  local changed version
  changed=$(git status --porcelain)
  [ -z "$changed" ] || fail "these files are not committed: $changed"
  version=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null) ||
    fail "this commit has no tag: run git tag -a v1.2.3, see docs/release.md; DRY_RUN=1 needs none"
  [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "the tag $version is not of the form v1.2.3 or v1.2.3-rc.1"
  echo "$version"
}

# notes VERSION prints what CHANGELOG.md says of a version (https://keepachangelog.com).
notes() {
  awk -v heading="## [$1]" '/^## / { inside = index($0, heading) == 1; next } /^\[[^]]*\]: / { next } inside' CHANGELOG.md
}

# write_notes FILE writes the notes of the release. A dry run of a commit without a section has those of the next.
write_notes() {
  local text section=${VERSION#v}
  text=$(notes "$section")
  if [ -n "$dry_run" ] && [ -z "$text" ]; then
    section=Unreleased
    text=$(notes "$section")
  fi
  [[ $text =~ [^[:space:]] ]] || fail "CHANGELOG.md has no section [$section], or nothing in it: say there what changed"
  sed '/./,$!d' <<<"$text" >"$1" # without the empty lines before it
}

# build_command PLATFORM makes the archive and the SBOM of the command. The same commit gives the same archive.
build_command() {
  local os=${1%/*} arch=${1#*/} name stage
  name=schedgen_${VERSION}_${os}_$arch
  stage=$WORK/$name
  say "$name"
  mkdir "$stage"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch "$GO" build -trimpath -buildvcs=false -ldflags "$LDFLAGS" -o "$stage/schedgen" ./deploy/schedgen
  program_sbom "$stage/schedgen" "$FILES/$name.sbom.json" "$VERSION"
  cp LICENSE "$stage"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u=rwX --mtime="@$(git log -1 --format=%ct)" -C "$WORK" -cf - "$name" |
    gzip -n9 >"$FILES/$name.tar.gz"
}

# push_images builds the images for amd64 and arm64 (.ko.yaml), pushes them with an SBOM each, and signs them by digest.
push_images() {
  say "images to ${REGISTRY:-\$REGISTRY}"
  export KO_DOCKER_REPO=$REGISTRY SCHEDGEN_VERSION=$VERSION SCHEDGEN_COMMIT=$COMMIT
  run ko build --image-user 65532 --base-import-paths --tags "$VERSION" --image-refs "$FILES/images.txt" ./functions/*/cmd/* ./deploy/schedgen
  [ -n "$COSIGN_KEY" ] || return 0
  if [ -n "$dry_run" ]; then
    run cosign sign --yes --key "$COSIGN_KEY" IMAGE...
    return
  fi
  local images
  mapfile -t images <"$FILES/images.txt"
  run cosign sign --yes --key "$COSIGN_KEY" "${images[@]}"
}

# seal writes the checksums of all files, and signs them.
seal() {
  (cd "$FILES" && sha256sum -- * >"$WORK/SHA256SUMS")
  mv "$WORK/SHA256SUMS" "$FILES"
  [ -z "$COSIGN_KEY" ] ||
    run cosign sign-blob --yes --key "$COSIGN_KEY" --bundle "$FILES/SHA256SUMS.bundle" "$FILES/SHA256SUMS"
}

VERSION=$(version_of)
LDFLAGS="-s -w -buildid= -X github.com/schedgen/schedgen/shared/faas.version=$VERSION -X github.com/schedgen/schedgen/shared/faas.commit=$COMMIT"
[ ! -e "$OUT" ] || [ -e "$OUT/SHA256SUMS" ] || fail "$OUT is there and holds no release; name another folder with OUT"
if [ -z "$dry_run" ]; then
  [ -n "$REGISTRY" ] || fail "set REGISTRY to where images go, such as registry.example.org/schedgen"
  go_tool ko github.com/google/ko "$KO_VERSION"
  export PATH=$BIN:$PATH
  [ -z "$COSIGN_KEY" ] || command -v cosign >/dev/null || fail "cosign is missing; docs/release.md says where it comes from"
fi
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
FILES=$WORK/files
mkdir "$FILES"

say "release $VERSION of $COMMIT"
write_notes "$FILES/NOTES.md"
build_page
for platform in $PLATFORMS; do
  build_command "$platform"
done
push_images
seal
rm -rf "$OUT"
mv "$FILES" "$OUT"
say "$OUT"
(cd "$OUT" && sha256sum --quiet --check SHA256SUMS && ls -1)

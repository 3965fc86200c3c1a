#!/usr/bin/env bash
# Brings a version to a platform: backup, migrate, roll out, wait, and back to what ran before if it does
# not come: `deploy.sh knative|openfaas [--dry-run]`. Each step says what it does; a dry run only says it.
#   OVERLAY   knative/overlays/... (production)       REGISTRY   where images go, as ko and faas-cli have it
#   VERSION   what is built (git describe)            WAIT       how long each function may take (300s)
#   SKIP_BACKUP=1   for the first rollout
set -euo pipefail
source "$(dirname "$0")/lib.sh"

platform=${1:-}
dry_run=
[ "${2:-}" != --dry-run ] || dry_run=1
NAMESPACE=schedgen
OVERLAY=${OVERLAY:-production}
REGISTRY=${REGISTRY:-}
WAIT=${WAIT:-300s}
VERSION=${VERSION:-$(git describe --tags --always --dirty)}
COMMIT=${COMMIT:-$(git rev-parse HEAD)}
export VERSION COMMIT REGISTRY
export SCHEDGEN_VERSION=$VERSION SCHEDGEN_COMMIT=$COMMIT KO_DOCKER_REPO=$REGISTRY

# run shows a command, and runs it unless this is a dry run.
run() {
  printf '    %s\n' "$*"
  [ -n "$dry_run" ] || "$@"
}

# piped does the same for a line with pipes.
piped() {
  printf '    %s\n' "$1"
  [ -n "$dry_run" ] || bash -o pipefail -c "$1"
}

functions() { sed -n 's/^  "\([a-z-]*\)":.*/\1/p' deploy/scaling.json; }

need() {
  local program
  for program in "$@"; do
    [ -n "$dry_run" ] || command -v "$program" >/dev/null || fail "$program is missing; docs/deployment.md says where it comes from"
  done
  [ -n "$REGISTRY" ] || [ -n "$dry_run" ] || fail "set REGISTRY to where images go, such as registry.example.org/schedgen"
}

# again replaces a Job of that name, for what a Job runs cannot be changed.
again() {
  run kubectl -n "$NAMESPACE" delete job "$1" --ignore-not-found --wait
  piped "$2"
  run kubectl -n "$NAMESPACE" wait "job/$1" --for=condition=complete --timeout="$WAIT"
}

migrate() {
  say "migrating the database: the code that runs now runs on with it"
  again migrate "kubectl kustomize deploy/kubernetes/migrate | ko resolve -f - | kubectl apply -f -"
}

backup() {
  if [ -n "${SKIP_BACKUP:-}" ]; then
    say "no backup, for SKIP_BACKUP is set: the first rollout has nothing to lose"
    return 0
  fi
  say "backup, before anything is changed"
  again backup "kubectl kustomize deploy/kubernetes/backup | ko resolve -f - | kubectl apply -f -"
}

# current NAME is the revision that gets a function's requests.
current() { kubectl -n "$NAMESPACE" get ksvc "$1" -o jsonpath='{.status.traffic[0].revisionName}' 2>/dev/null || true; }

on_knative() {
  need kubectl ko
  backup
  migrate
  say "remembering which revisions run now"
  local before=() name
  for name in $(functions); do
    before+=("$name=$([ -n "$dry_run" ] && echo "$name-00001" || current "$name")")
  done
  printf '    %s\n' "${before[@]}"
  say "building the images and rolling out $VERSION ($OVERLAY)"
  piped "kubectl kustomize knative/overlays/$OVERLAY | ko resolve -f - | kubectl apply -f -"
  say "waiting until every function answers, $WAIT each"
  for name in $(functions); do
    if ! run kubectl -n "$NAMESPACE" wait "ksvc/$name" --for=condition=Ready --timeout="$WAIT"; then
      back_on_knative "${before[@]}"
      fail "$name did not come; everything is as it was before"
    fi
  done
  say "$VERSION runs"
}

# back_on_knative NAME=REVISION... sends the requests to what ran before. Its images are still there, and
# the schema is one that it runs with.
back_on_knative() {
  say "rolling back"
  local pair
  for pair in "$@"; do
    [ -n "${pair#*=}" ] || continue # there was none
    run kubectl -n "$NAMESPACE" patch ksvc "${pair%%=*}" --type=merge \
      -p "{\"spec\":{\"traffic\":[{\"revisionName\":\"${pair#*=}\",\"percent\":100}]}}"
  done
  say "they stay there until the next rollout"
}

on_openfaas() {
  need kubectl ko faas-cli
  backup
  migrate
  say "building, pushing and deploying $VERSION"
  run faas-cli publish -f stack.yml
  run faas-cli deploy -f stack.yml
  say "waiting until every function answers, $WAIT each"
  local name
  for name in $(functions); do
    if ! run kubectl -n openfaas-fn rollout status "deployment/$name" --timeout="$WAIT"; then
      say "rolling back"
      for name in $(functions); do
        run kubectl -n openfaas-fn rollout undo "deployment/$name"
      done
      fail "a function did not come; everything is as it was before"
    fi
  done
  say "$VERSION runs"
}

case $platform in
  knative | openfaas) "on_$platform" ;;
  *) fail "usage: deploy.sh knative|openfaas [--dry-run]" ;;
esac

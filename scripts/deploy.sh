#!/usr/bin/env bash
# Brings a version to a platform: backup, migrate, roll out, wait, and back to what ran before if a step
# of the rollout fails: `deploy.sh knative|openfaas [--dry-run]`. Each step says what it does; a dry run
# only says it. `deploy.sh community` prints stack.yml as OpenFaaS' Community Edition takes it.
#   OVERLAY   knative/overlays/... (production)       REGISTRY   where images go, as ko and faas-cli have it
#   VERSION   what is built (git describe)            WAIT       how long each function may take (300s)
#   SKIP_BACKUP=1   for the first rollout            BACKUP_WAIT   how long the backup may take (4h)
#   EDITION=community   for OpenFaaS' Community Edition
#   COSIGN_KEY   the key that signs the images (a file, or a KMS address); without one they are not signed
set -euo pipefail
source "$(dirname "$0")/lib.sh"

platform=${1:-}
dry_run=
[ "${2:-}" != --dry-run ] || dry_run=1
NAMESPACE=schedgen
OVERLAY=${OVERLAY:-production}
REGISTRY=${REGISTRY:-}
WAIT=${WAIT:-300s}
BACKUP_WAIT=${BACKUP_WAIT:-4h}
EDITION=${EDITION:-}
COSIGN_KEY=${COSIGN_KEY:-}
case $EDITION in '' | community) ;; *) fail "EDITION is community, or not set" ;; esac
VERSION=${VERSION:-$(git describe --tags --always --dirty)}
COMMIT=${COMMIT:-$(git rev-parse HEAD)}
export VERSION COMMIT REGISTRY COSIGN_KEY
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

# functions are those of the platform: OpenFaaS has one more, which watches for backups.
functions() {
  if [ "$platform" = openfaas ]; then
    sed -n '/^functions:/,$s/^  \([a-z-]*\):$/\1/p' stack.yml
  else
    sed -n 's/^  "\([a-z-]*\)":.*/\1/p' deploy/scaling.json
  fi
}

need() {
  local program
  for program in "$@"; do
    [ -n "$dry_run" ] || command -v "$program" >/dev/null || fail "$program is missing; docs/deployment.md says where it comes from"
  done
  [ -n "$REGISTRY" ] || [ -n "$dry_run" ] || fail "set REGISTRY to where images go, such as registry.example.org/schedgen"
}

# again NAME WAIT FOLDER runs the Job NAME of a folder to its end; it replaces one of that name, for what a
# Job runs cannot be changed. A Job that fails or takes longer than WAIT fails the script.
again() {
  run kubectl -n "$NAMESPACE" delete job "$1" --ignore-not-found --wait
  piped "$(resolved "$3") | kubectl apply -f -"
  ended "$1" "$2" || fail "the job $1 failed or took longer than $2: kubectl -n $NAMESPACE logs job/$1"
}

# ended NAME WAIT waits for a Job and says whether it did its work. `kubectl wait` waits for one condition:
# for "complete" it would wait on after the Job has failed.
ended() {
  printf '    waiting for job/%s, %s\n' "$1" "$2"
  # shellcheck disable=SC2016 # the inner shell's variables
  [ -n "$dry_run" ] || timeout "$2" bash -c '
    until
      is=$(kubectl -n "$0" get "job/$1" -o "jsonpath={.status.conditions[?(@.status==\"True\")].type}")
      case $is in *Complete*) ;; *Failed*) exit 1 ;; *) false ;; esac
    do sleep 2; done' "$NAMESPACE" "$1"
}

# resolved FOLDER prints the command that gives a folder's manifests with its images built and pushed. With a
# key, each image is signed by its digest before anything is applied.
resolved() {
  if [ -z "$COSIGN_KEY" ]; then
    echo "kubectl kustomize $1 | ko resolve --image-user 65532 -f -"
    return
  fi
  # shellcheck disable=SC2016 # the inner shell's variables
  printf '%s' '{ work=$(mktemp -d) && trap "rm -rf \$work" EXIT && ' \
    "kubectl kustomize $1 | ko resolve --image-user 65532 --image-refs \$work/images -f - >\$work/manifests" \
    ' && cosign sign --yes --key "$COSIGN_KEY" $(cat $work/images) >&2 && cat $work/manifests; }'
}

migrate() {
  say "migrating the database: the code that runs now runs on with it"
  again migrate "$WAIT" deploy/kubernetes/migrate
}

backup() {
  if [ -n "${SKIP_BACKUP:-}" ]; then
    say "no backup, for SKIP_BACKUP is set: the first rollout has nothing to lose"
    return 0
  fi
  say "backup, before anything is changed"
  again backup "$BACKUP_WAIT" deploy/kubernetes/backup
}

# current NAME is what gets a function's requests: its revision, or on OpenFaaS its Deployment's number;
# nothing where there is none yet.
current() {
  if [ -n "$dry_run" ]; then
    echo 1
  elif [ "$platform" = knative ]; then
    kubectl -n "$NAMESPACE" get ksvc "$1" --ignore-not-found -o jsonpath='{.status.traffic[0].revisionName}'
  else
    kubectl -n openfaas-fn get deployment "$1" --ignore-not-found \
      -o jsonpath='{.metadata.annotations.deployment\.kubernetes\.io/revision}'
  fi
}

# roll_out does the whole of it. Nothing has changed before out_on_* begins, so what fails earlier just ends.
roll_out() {
  need kubectl ko ${COSIGN_KEY:+cosign} "$@"
  [ -n "$dry_run" ] || build_page # the image of web holds it
  backup
  migrate
  say "remembering what runs now"
  local before=() name revision
  for name in $(functions); do
    revision=$(current "$name")
    before+=("$name=$revision")
  done
  printf '    %s\n' "${before[@]}"
  say "building the images and rolling out $VERSION; $WAIT for each function to answer"
  if ! "out_on_$platform"; then
    roll_back "${before[@]}"
    fail "$VERSION did not come"
  fi
  say "$VERSION runs"
}

# out_on_knative and out_on_openfaas are called in a condition, where set -e is off: each step says || return.
out_on_knative() {
  piped "$(resolved "knative/overlays/$OVERLAY") | kubectl apply -f -" || return
  local name
  for name in $(functions); do
    run kubectl -n "$NAMESPACE" wait "ksvc/$name" --for=condition=Ready --timeout="$WAIT" || return
  done
}

out_on_openfaas() {
  local name stack=stack.yml
  if [ "$EDITION" = community ]; then
    stack=$(mktemp)
    # shellcheck disable=SC2064 # the name as it is now
    trap "rm -f '$stack'" EXIT
    community >"$stack" || return
  fi
  # faas-cli reads no platforms from stack.yml.
  run faas-cli publish -f "$stack" --platforms linux/amd64,linux/arm64 || return
  sign_openfaas "$stack" || return
  run faas-cli deploy -f "$stack" || return
  for name in $(functions); do
    run kubectl -n openfaas-fn rollout status "deployment/$name" --timeout="$WAIT" || return
    taken "$name" || return
  done
}

# sign_openfaas FILE signs the images that a stack names, where there is a key.
sign_openfaas() {
  [ -n "$COSIGN_KEY" ] || return 0
  local image
  for image in $(sed -n 's/^ *image: *//p' "$1" | sort -u); do
    piped "cosign sign --yes --key \"\$COSIGN_KEY\" \"$image\"" || return
  done
}

# community is stack.yml as the Community Edition takes it: without scale to zero and capacity targets, and
# with five instances at most. It refuses a function that asks for more.
community() {
  sed -E -e '/com\.openfaas\.scale\.(zero|zero-duration|type|target):/d' \
    -e 's/(com\.openfaas\.scale\.max:) "([6-9]|[0-9]{2,})"/\1 "5"/' stack.yml
}

# taken NAME wants a function's Deployment to be of this version. The Community Edition answers an update
# that it refuses (of an image that is not public, say) as if it had done it.
taken() {
  local image
  [ -z "$dry_run" ] || return 0
  image=$(kubectl -n openfaas-fn get deployment "$1" -o jsonpath='{.spec.template.spec.containers[0].image}') || return
  [ "${image##*:}" != "$VERSION" ] || return 0
  say "OpenFaaS did not take $1: it runs $image; its log: kubectl -n openfaas logs deployment/gateway -c faas-netes"
  return 1
}

# roll_back NAME=REVISION... sends the requests to what ran before. Its images are still there, and the
# schema is one that it runs with. One that cannot be sent back does not keep the others.
roll_back() {
  say "rolling back"
  local pair left=() new=()
  for pair in "$@"; do
    if [ -z "${pair#*=}" ]; then
      new+=("${pair%=}")
      continue
    fi
    "back_on_$platform" "${pair%%=*}" "${pair#*=}" || left+=("$pair")
  done
  [ ${#left[@]} = 0 ] || fail "could not be rolled back, do it by hand: ${left[*]}"
  [ ${#new[@]} = 0 ] || say "left as they came, for there was none before: ${new[*]}"
  say "what ran before runs again, until the next rollout"
}

back_on_knative() {
  run kubectl -n "$NAMESPACE" patch ksvc "$1" --type=merge \
    -p "{\"spec\":{\"traffic\":[{\"revisionName\":\"$2\",\"percent\":100}]}}"
}

# A number, not "the one before": a function that the failed rollout did not reach is left as it is.
back_on_openfaas() { run kubectl -n openfaas-fn rollout undo "deployment/$1" --to-revision="$2"; }

case $platform in
  knative) roll_out ;;
  openfaas) roll_out faas-cli ;;
  community) community ;;
  *) fail "usage: deploy.sh knative|openfaas [--dry-run], or deploy.sh community" ;;
esac

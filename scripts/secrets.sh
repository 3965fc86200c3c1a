#!/usr/bin/env bash
# Makes and prints what is secret. Nothing is kept anywhere but where you send it.
#   secrets.sh new >secrets.env          new random values, once; keep the file safe (mode 0600)
#   secrets.sh kubernetes secrets.env    Secrets of the namespace schedgen, for kubectl apply -f -
#   secrets.sh openfaas secrets.env      the functions' Secrets of the namespace openfaas-fn
# Docker Compose reads the file itself, as deploy/compose/.env.
set -euo pipefail

usage() {
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

random() { head -c "$1" /dev/urandom | base64 | tr -d '=+/\n'; }

new() {
  cat <<EOF
# Made by scripts/secrets.sh. Whoever has this file has the system.
POSTGRES_PASSWORD=$(random 32)
REDIS_PASSWORD=$(random 32)
MINIO_ROOT_USER=schedgen-root
MINIO_ROOT_PASSWORD=$(random 32)
UPLOAD_INGEST_S3_ACCESS_KEY=upload-ingest
UPLOAD_INGEST_S3_SECRET_KEY=$(random 32)
PDF_PARSE_S3_ACCESS_KEY=pdf-parse
PDF_PARSE_S3_SECRET_KEY=$(random 32)
BACKUP_S3_ACCESS_KEY=backup
BACKUP_S3_SECRET_KEY=$(random 32)
SESSION_KEY=$(random 48)
EVENT_TOKEN=$(random 32)
ADMIN_TOKEN=$(random 32)
GOOGLE_TOKEN_KEYS=1:$(head -c 32 /dev/urandom | base64 | tr -d '\n')
# From the Google Cloud console; empty: nobody signs in with Google.
GOOGLE_CLIENT_ID=
GOOGLE_CLIENT_SECRET=
# The age public key that backups are encrypted to; empty: no backups are made.
BACKUP_RECIPIENTS=
# Signs backups, so that whoever can only write to their bucket cannot forge one. Keep its public key, which
# \`backup key\` prints, with the secret half of the age key.
BACKUP_SIGNING_KEY=$(head -c 32 /dev/urandom | base64 | tr -d '\n')
# Public keys of former signing keys, whose backups are still to be believed; empty: none.
BACKUP_VERIFY_KEYS=
# The file with the secret half, to verify backups with; empty: they are verified by checksums alone.
BACKUP_IDENTITY=
# Another server for backups, with the same BACKUP_S3_ACCESS_KEY and -SECRET_KEY; empty: the MinIO of the PDFs.
BACKUP_S3_URL=
# BACKUP_S3_BUCKET=schedgen-backups
# BACKUP_S3_REGION=us-east-1
# A second place, far away, that gets a copy of each backup; empty: one dead disk loses everything.
BACKUP_OFFSITE_S3_URL=
BACKUP_OFFSITE_S3_ACCESS_KEY=
BACKUP_OFFSITE_S3_SECRET_KEY=
# BACKUP_OFFSITE_S3_BUCKET=schedgen-backups
# BACKUP_OFFSITE_S3_REGION=us-east-1
# How many days, weeks and months keep a backup.
# BACKUP_KEEP_DAILY=7
# BACKUP_KEEP_WEEKLY=4
# BACKUP_KEEP_MONTHLY=6
# Who is told of a failed or missed backup: a webhook, a mail by host:port, or both; empty: nobody.
ALERT_WEBHOOK_URL=
ALERT_SMTP_SERVER=
ALERT_SMTP_USER=
ALERT_SMTP_PASSWORD=
ALERT_FROM=
ALERT_TO=
# What the collector of traces wants for a sign-in: name=value,name=value; empty: nothing.
OTEL_EXPORTER_OTLP_HEADERS=
EOF
}

# secret NAMESPACE NAME [KEY VALUE]... prints one Secret. Values are encoded, so none can break the YAML.
secret() {
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {namespace: %s, name: %s}\ntype: Opaque\ndata:\n' "$1" "$2"
  shift 2
  while [ $# -gt 0 ]; do
    printf '  %s: "%s"\n' "$1" "$(printf %s "$2" | base64 | tr -d '\n')"
    shift 2
  done
}

# backups prints KEY and VALUE, a line each, of what the operator said of backups and alerts; what is empty
# or missing is left to the function's defaults.
backups() {
  local name
  for name in BACKUP_{,OFFSITE_}S3_URL BACKUP_{,OFFSITE_}S3_{BUCKET,REGION,ACCESS_KEY,SECRET_KEY} \
    BACKUP_{SIGNING_KEY,VERIFY_KEYS} BACKUP_KEEP_{DAILY,WEEKLY,MONTHLY} ALERT_SMTP_{SERVER,USER,PASSWORD} ALERT_{FROM,TO}; do
    [ -z "${!name:-}" ] || printf '%s\n' "$name" "${!name}"
  done
}

identity() { [ -z "$BACKUP_IDENTITY" ] || cat "$BACKUP_IDENTITY"; }

pooled() { echo "postgres://schedgen:$POSTGRES_PASSWORD@pgbouncer${1:-}:6432/schedgen"; }
direct() { echo "postgres://schedgen:$POSTGRES_PASSWORD@postgres${1:-}:5432/schedgen"; }

kubernetes() {
  local ns=schedgen chosen
  mapfile -t chosen < <(backups)
  secret $ns schedgen-postgres POSTGRES_PASSWORD "$POSTGRES_PASSWORD"
  secret $ns schedgen-pgbouncer userlist.txt "\"schedgen\" \"$POSTGRES_PASSWORD\""
  secret $ns schedgen-redis-server REDIS_PASSWORD "$REDIS_PASSWORD"
  secret $ns schedgen-minio MINIO_ROOT_USER "$MINIO_ROOT_USER" MINIO_ROOT_PASSWORD "$MINIO_ROOT_PASSWORD" \
    MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_SCHEDGEN "$EVENT_TOKEN"
  secret $ns schedgen-database DATABASE_URL "$(pooled)"
  secret $ns schedgen-database-direct DATABASE_URL "$(direct)"
  secret $ns schedgen-redis REDIS_URL "redis://:$REDIS_PASSWORD@redis:6379/0"
  secret $ns schedgen-s3-upload-ingest S3_ACCESS_KEY "$UPLOAD_INGEST_S3_ACCESS_KEY" S3_SECRET_KEY "$UPLOAD_INGEST_S3_SECRET_KEY"
  secret $ns schedgen-s3-pdf-parse S3_ACCESS_KEY "$PDF_PARSE_S3_ACCESS_KEY" S3_SECRET_KEY "$PDF_PARSE_S3_SECRET_KEY"
  secret $ns schedgen-s3-backup S3_ACCESS_KEY "$BACKUP_S3_ACCESS_KEY" S3_SECRET_KEY "$BACKUP_S3_SECRET_KEY"
  secret $ns schedgen-session SESSION_KEY "$SESSION_KEY"
  secret $ns schedgen-traces OTEL_EXPORTER_OTLP_HEADERS "${OTEL_EXPORTER_OTLP_HEADERS:-}"
  secret $ns schedgen-tokens EVENT_TOKEN "$EVENT_TOKEN" ADMIN_TOKEN "$ADMIN_TOKEN"
  secret $ns schedgen-google GOOGLE_CLIENT_ID "$GOOGLE_CLIENT_ID" GOOGLE_CLIENT_SECRET "$GOOGLE_CLIENT_SECRET" \
    GOOGLE_TOKEN_KEYS "$GOOGLE_TOKEN_KEYS"
  secret $ns schedgen-backup BACKUP_RECIPIENTS "$BACKUP_RECIPIENTS" ALERT_WEBHOOK_URL "${ALERT_WEBHOOK_URL:-}" "${chosen[@]}"
  secret $ns schedgen-backup-identity identity.txt "$(identity)"
}

# one NAME VALUE: OpenFaaS gives a function the file NAME, and shared/faas makes a variable of it.
one() { secret openfaas-fn "$1" "$1" "$2"; }

openfaas() {
  local servers=.schedgen.svc.cluster.local
  one schedgen-database-url "$(pooled $servers)"
  one schedgen-database-url.backup "$(direct $servers)"
  one schedgen-redis-url "redis://:$REDIS_PASSWORD@redis$servers:6379/0"
  one schedgen-s3-access-key.upload-ingest "$UPLOAD_INGEST_S3_ACCESS_KEY"
  one schedgen-s3-secret-key.upload-ingest "$UPLOAD_INGEST_S3_SECRET_KEY"
  one schedgen-s3-access-key.pdf-parse "$PDF_PARSE_S3_ACCESS_KEY"
  one schedgen-s3-secret-key.pdf-parse "$PDF_PARSE_S3_SECRET_KEY"
  one schedgen-s3-access-key.backup "$BACKUP_S3_ACCESS_KEY"
  one schedgen-s3-secret-key.backup "$BACKUP_S3_SECRET_KEY"
  one schedgen-session-key "$SESSION_KEY"
  one schedgen-otel-exporter-otlp-headers "${OTEL_EXPORTER_OTLP_HEADERS:-}"
  one schedgen-event-token "$EVENT_TOKEN"
  one schedgen-admin-token "$ADMIN_TOKEN"
  one schedgen-google-client-id "$GOOGLE_CLIENT_ID"
  one schedgen-google-client-secret "$GOOGLE_CLIENT_SECRET"
  one schedgen-google-token-keys "$GOOGLE_TOKEN_KEYS"
  one schedgen-backup-recipients "$BACKUP_RECIPIENTS"
  one schedgen-backup-signing-key "${BACKUP_SIGNING_KEY:-}"
  one schedgen-backup-verify-keys "${BACKUP_VERIFY_KEYS:-}"
  one schedgen.backup-identity "$(identity)"
  # What is not chosen is said as well: stack.yml names the files, and an empty one is an empty value, which
  # the function takes for one that was given.
  one schedgen-backup-s3-url "${BACKUP_S3_URL:-}"
  one schedgen-backup-s3-bucket "${BACKUP_S3_BUCKET:-schedgen-backups}"
  one schedgen-backup-s3-region "${BACKUP_S3_REGION:-us-east-1}"
  one schedgen-backup-s3-access-key "$BACKUP_S3_ACCESS_KEY"
  one schedgen-backup-s3-secret-key "$BACKUP_S3_SECRET_KEY"
  one schedgen-backup-offsite-s3-url "${BACKUP_OFFSITE_S3_URL:-}"
  one schedgen-backup-offsite-s3-bucket "${BACKUP_OFFSITE_S3_BUCKET:-schedgen-backups}"
  one schedgen-backup-offsite-s3-region "${BACKUP_OFFSITE_S3_REGION:-us-east-1}"
  one schedgen-backup-offsite-s3-access-key "${BACKUP_OFFSITE_S3_ACCESS_KEY:-}"
  one schedgen-backup-offsite-s3-secret-key "${BACKUP_OFFSITE_S3_SECRET_KEY:-}"
  one schedgen-backup-keep-daily "${BACKUP_KEEP_DAILY:-7}"
  one schedgen-backup-keep-weekly "${BACKUP_KEEP_WEEKLY:-4}"
  one schedgen-backup-keep-monthly "${BACKUP_KEEP_MONTHLY:-6}"
  one schedgen-alert-webhook-url.backup "${ALERT_WEBHOOK_URL:-}"
  one schedgen-alert-smtp-server.backup "${ALERT_SMTP_SERVER:-}"
  one schedgen-alert-smtp-user.backup "${ALERT_SMTP_USER:-}"
  one schedgen-alert-smtp-password.backup "${ALERT_SMTP_PASSWORD:-}"
  one schedgen-alert-from.backup "${ALERT_FROM:-}"
  one schedgen-alert-to.backup "${ALERT_TO:-}"
}

case ${1:-} in
  new) [ $# = 1 ] || usage; umask 077; new ;;
  kubernetes | openfaas)
    [ $# = 2 ] || usage
    set -a
    # shellcheck disable=SC1090 # the file is the operator's
    source "$2"
    set +a
    "$1"
    ;;
  *) usage ;;
esac

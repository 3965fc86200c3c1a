#!/bin/sh
# Buckets, one user for each function with no more rights than it uses, and notifications of uploads.
# Needs MinIO's client mc; safe to run again.
set -eu

tries=0
until mc alias set schedgen "$MINIO_URL" "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "MinIO does not answer at $MINIO_URL" >&2; exit 1; }
  sleep 2
done

mc mb --ignore-existing schedgen/schedgen-pdfs
mc mb --ignore-existing schedgen/schedgen-backups

# user NAME KEY SECRET: a user that may do what policy-NAME.json says.
user() {
  mc admin policy create schedgen "$1" "$SETUP/policy-$1.json"
  mc admin user add schedgen "$2" "$3"
  # Attaching what is attached is an error of mc alone. Its image has no grep.
  mc admin policy attach schedgen "$1" --user "$2" 2>/dev/null || case $(mc admin user info schedgen "$2") in
    *"$1"*) ;;
    *) echo "policy $1 cannot be attached to $2" >&2; exit 1 ;;
  esac
}
user upload-ingest "$UPLOAD_INGEST_KEY" "$UPLOAD_INGEST_SECRET"
user pdf-parse "$PDF_PARSE_KEY" "$PDF_PARSE_SECRET"
user backup "$BACKUP_KEY" "$BACKUP_SECRET"

mc event add --ignore-existing schedgen/schedgen-pdfs arn:minio:sqs::SCHEDGEN:webhook --event put --prefix uploads/
echo "MinIO is as the functions need it"

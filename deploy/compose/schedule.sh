#!/bin/sh
# The schedule of a server without a platform. What it calls may be called at any time, any number of
# times; a call that fails is made again a minute later.
post() {
  wget -q -T 600 -O /dev/null --header "Authorization: Bearer $EVENT_TOKEN" \
    --header 'Content-Type: application/json' --post-data "$2" "$1" || echo "$1 failed" >&2
}
while true; do
  post http://upload-ingest:8080/tasks/sweep '{}' &
  post http://google-sync:8080/tasks/google '{}' &
  case $(date +%H:%M) in
    02:00) post http://backup:8080/ '{"task":"backup"}' & ;;
    ??:30) post http://backup:8080/ '{"task":"watch"}' & ;;
  esac
  # To the next full minute.
  sleep $((60 - $(date +%s) % 60))
done

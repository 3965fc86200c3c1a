#!/bin/sh
# The schedule of a server without a platform. What it calls may be called at any time, any number of
# times. The sweeps and the watch of the backups, which also lists beside them who deleted everything, are called
# every minute, so one that fails is made up for by the next.
#
# The backup is asked for every ten minutes from 02:00 to 06:00. The function looks into the bucket, which
# alone knows: it makes none while another is being made, or within BACKUP_MIN_INTERVAL of a good one. So
# one that failed is made up for, and nothing is remembered here that a restart could forget.

# post SECONDS URL BODY waits for the answer no longer than that; what went wrong is in the log.
post() {
  wget -q -T "$1" -O /dev/null --header "Authorization: Bearer $EVENT_TOKEN" \
    --header 'Content-Type: application/json' --post-data "$3" "$2" || echo "$2 $3 failed" >&2
}

while true; do
  post 130 http://upload-ingest:8080/tasks/sweep '{}' &
  post 130 http://google-sync:8080/tasks/google '{}' &
  post 40 http://calendar-generate:8080/tasks/feeds '{}' &
  post 50 http://backup:8080/ '{"task":"watch"}' &
  now=$(date +%H%M)
  case $now in
    0[2-5]?0) post 21660 http://backup:8080/ '{"task":"backup"}' & ;;
  esac
  sleep $((60 - $(date +%s) % 60))
done

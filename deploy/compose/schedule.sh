#!/bin/sh
# The schedule of a server without a platform. What it calls may be called at any time, any number of
# times. The sweeps are called every minute, so one that fails is made up for by the next; the backup is
# asked for from 02:00, each minute until one was made that day, and no longer after 06:00.

# post URL BODY prints the answer; nothing, and a line in the log, where it fails.
post() {
  wget -q -T 660 -O - --header "Authorization: Bearer $EVENT_TOKEN" \
    --header 'Content-Type: application/json' --post-data "$2" "$1" || echo "$1 $2 failed" >&2
}

# next_minute sleeps until it is full.
next_minute() { sleep $((60 - $(date +%s) % 60)); }

# nightly is a loop of its own, for a backup takes longer than a minute. The function tells of a backup
# that it made; it says nothing (204) while another is being made or the last is fresh, which may yet be bad.
nightly() {
  made=
  while true; do
    today=$(date +%F)
    case $(date +%H) in
      02 | 03 | 04 | 05)
        if [ "$made" != "$today" ] && [ -n "$(post http://backup:8080/ '{"task":"backup"}')" ]; then
          made=$today
        fi
        ;;
    esac
    next_minute
  done
}

nightly &
while true; do
  post http://upload-ingest:8080/tasks/sweep '{}' >/dev/null &
  post http://google-sync:8080/tasks/google '{}' >/dev/null &
  case $(date +%M) in
    30) post http://backup:8080/ '{"task":"watch"}' >/dev/null & ;;
  esac
  next_minute
done

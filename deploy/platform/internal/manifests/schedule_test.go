package manifests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// standIns are stand-ins of what schedule.sh calls: a clock that stands still, a sleep that ends the script, and a wget
// that says what is asked of whom.
var standIns = map[string]string{
	"date":  `exec "$REAL_DATE" -d "@$NOW" "$@"`,
	"sleep": `echo "sleep $1" >&2; kill "$PPID"`,
	"wget": `while [ $# -gt 1 ]; do
  case $1 in -T) limit=$2 ;; --post-data) body=$2 ;; --header) token=$token$2, ;; esac
  shift
done
echo "$limit $1 $body $token" >&2`,
}

// atMinute is what schedule.sh does in the minute of a moment: what it sleeps, and each call with how long it
// waits for the answer.
func atMinute(t *testing.T, now time.Time) (slept string, calls map[string]time.Duration) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	date, err := exec.LookPath("date")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, body := range standIns {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer // read to its end, which is when the last call has ended
	script := exec.CommandContext(t.Context(), "sh", filepath.Join(root, "deploy", "compose", "schedule.sh"))
	script.Env = []string{"PATH=" + dir, "REAL_DATE=" + date, fmt.Sprint("NOW=", now.Unix()), "TZ=UTC-2", "EVENT_TOKEN=token"}
	script.Stderr = &said
	err = script.Run()
	if err == nil || script.ProcessState.Exited() {
		t.Fatalf("schedule.sh ended by itself: %v: %s", err, said.String())
	}
	calls = map[string]time.Duration{}
	for line := range strings.Lines(said.String()) {
		limit, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		if limit == "sleep" {
			slept = call
			continue
		}
		seconds, err := strconv.Atoi(limit)
		call, authorized := strings.CutSuffix(call, " Authorization: Bearer token,Content-Type: application/json,")
		if _, twice := calls[call]; err != nil || !authorized || twice {
			t.Errorf("at %s: got %q", now, line)
		}
		calls[call] = time.Duration(seconds) * time.Second
	}
	return slept, calls
}

// TestTheScheduleOfOneServer runs schedule.sh at the minutes of a day in Johannesburg at which it has something
// to decide, and those between.
func TestTheScheduleOfOneServer(t *testing.T) {
	t.Parallel()
	const sweep, google = "http://upload-ingest:8080/tasks/sweep {}", "http://google-sync:8080/tasks/google {}"
	const feeds = "http://calendar-generate:8080/tasks/feeds {}"
	const backup, watch = `http://backup:8080/ {"task":"backup"}`, `http://backup:8080/ {"task":"watch"}`
	patience, err := time.ParseDuration(unhurried["FUNCTION_TIMEOUT"])
	if err != nil {
		t.Fatal(err)
	}
	interval, err := time.ParseDuration(unhurried["BACKUP_MIN_INTERVAL"])
	if err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2026, 2, 9, 0, 0, 0, 0, time.FixedZone("SAST", 2*60*60))
	var asked []time.Duration
	for minute := time.Duration(0); minute < 24*time.Hour; minute += 5 * time.Minute {
		slept, calls := atMinute(t, midnight.Add(minute+17*time.Second))
		want := map[string]bool{sweep: true, google: true, feeds: true, watch: true, backup: calls[backup] > 0}
		for call, wanted := range want {
			if _, is := calls[call]; is != wanted {
				t.Errorf("%s after midnight: %s is called: %v, want %v", minute, call, is, wanted)
			}
		}
		if len(calls) > 5 || slept != "43" {
			t.Errorf("%s after midnight: got %v and a sleep of %s s, want no other call, and 43 s", minute, calls, slept)
		}
		if calls[backup] > 0 {
			asked = append(asked, minute)
		}
		if calls[backup] > 0 && calls[backup] <= patience || calls[watch] > time.Minute || calls[sweep] > 5*time.Minute || calls[google] > 5*time.Minute || calls[feeds] > time.Minute {
			t.Errorf("%s after midnight: it waits %v, a backup may take %s", minute, calls, patience)
		}
	}
	if len(asked) < 12 || asked[0] != 2*time.Hour {
		t.Fatalf("backups are asked for at %s, want from 2h on, again and again", asked)
	}
	first, last := asked[0], asked[len(asked)-1]
	// One that is made at any of these is the only one of its night, and keeps none of the next from being made.
	if last-first >= interval || last+interval > first+24*time.Hour {
		t.Errorf("backups are asked for from %s to %s, and one within %s of a good one is none", first, last, interval)
	}
}

package backup_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/secret"
)

// clock is a time that a test sets.
type clock struct{ now time.Time }

func (c *clock) of(f *backup.Function) *backup.Function {
	f.Now = func() time.Time { return c.now }
	return f
}

func monday() *clock { return &clock{time.Date(2026, 2, 9, 2, 0, 0, 0, time.UTC)} }

func TestAMissedBackupIsAlertedOnceAndRecovers(t *testing.T) {
	t.Parallel()
	w, who, at := newWorld(t), somebody(t), monday()
	f := at.of(w.function(who.alerts))
	watch := func(after time.Duration, healthy bool) {
		t.Helper()
		at.now = at.now.Add(after)
		s, err := f.Watch(t.Context())
		if err != nil || s.Healthy != healthy {
			t.Errorf("at %v: got %+v, %v; want healthy %t", at.now, s, err, healthy)
		}
	}
	watch(0, true) // a new system is not late
	watch(25*time.Hour, true)
	who.heard(t)
	watch(2*time.Hour, false)
	watch(time.Hour, false)
	who.heard(t, "there is no good backup")
	w.backup(f)
	who.heard(t, "there is no good backup", "recovered")
	watch(25*time.Hour, true)
	watch(2*time.Hour, false)
	watch(11*time.Hour, false)
	who.heard(t, "there is no good backup", "recovered", "27 hours old")
	watch(2*time.Hour, false)
	who.heard(t, "there is no good backup", "recovered", "27 hours old", "40 hours old") // a reminder
}

func TestAClockThatJumpsHidesNoMissedBackup(t *testing.T) {
	t.Parallel()
	w, at := newWorld(t), monday()
	f := at.of(w.function())
	first := w.backup(f)
	at.now = at.now.AddDate(30, 0, 0)
	future := w.backup(f)
	at.now = at.now.AddDate(-30, 0, 1)
	list, err := f.List(t.Context(), false)
	if err != nil || list.LastGood != first.ID || len(list.Backups) != 2 {
		t.Errorf("back in the present: got %s of %d, %v; want %s, not the one of the future", list.LastGood, len(list.Backups), err, first.ID)
	}
	at.now = at.now.AddDate(0, 0, 1)
	if s, err := f.Watch(t.Context()); err != nil || s.Healthy {
		t.Errorf("two days later: got %+v, %v; want a missed backup, whatever the future has", s, err)
	}
	next := w.backup(f)
	at.now = at.now.AddDate(-60, 0, 0) // far into the past
	past := w.backup(f)
	at.now = at.now.AddDate(60, 0, 0)
	again, err := f.List(t.Context(), false)
	if err != nil || again.LastGood != next.ID {
		t.Errorf("after a jump into the past: got %s, %v; want %s", again.LastGood, err, next.ID)
	}
	for _, id := range []string{first.ID, future.ID, next.ID, past.ID} {
		if _, err := f.Verify(t.Context(), id, false); err != nil {
			t.Errorf("backup %s: %v", id, err)
		}
	}
}

func TestRetentionDeletesBackupsAndWhatOnlyTheyNeeded(t *testing.T) {
	t.Parallel()
	w, at := newWorld(t), monday()
	w.cfg.Retention.Daily = 3
	f := at.of(w.function())
	for range 6 {
		job, err := w.addJob(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		w.backup(f)
		// Each PDF is in one backup only.
		if err := w.pdfs.Delete(t.Context(), job.ObjectKey); err != nil {
			t.Fatal(err)
		}
		if err := w.jobs.PDFDeleted(t.Context(), job.ID); err != nil {
			t.Fatal(err)
		}
		at.now = at.now.AddDate(0, 0, 1)
	}
	onlyWhole(t, f, 3)
	count := 0
	if err := w.backups().List(t.Context(), "objects/", func(blob.Info) error { count++; return nil }); err != nil || count != 3 {
		t.Errorf("%d objects are stored, %v; want those of three backups", count, err)
	}
	// Failed runs prune nothing, however many.
	broken := at.of(w.function(noDatabase))
	for range 3 {
		at.now = at.now.AddDate(0, 0, 1)
		if _, err := broken.Run(t.Context()); err == nil {
			t.Fatal("a run without a database succeeded")
		}
	}
	onlyWhole(t, f, 3)
}

func TestMetricsTellOfTheNewestBackup(t *testing.T) {
	t.Parallel()
	w, at := newWorld(t), monday()
	w.fill(2)
	f := at.of(w.function())
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.Collectors()...)
	m := w.backup(f)
	want := `
		# HELP schedgen_backup_last_success_timestamp_seconds When the newest good backup was taken; 0 without one.
		# TYPE schedgen_backup_last_success_timestamp_seconds gauge
		schedgen_backup_last_success_timestamp_seconds 1.7706024e+09
		# HELP schedgen_backup_objects PDFs in the newest good backup.
		# TYPE schedgen_backup_objects gauge
		schedgen_backup_objects 2
		# HELP schedgen_backup_verified 1 if the newest backup was proved by a restore.
		# TYPE schedgen_backup_verified gauge
		schedgen_backup_verified 1
		# HELP schedgen_backup_runs_total Runs by outcome: ok, failed, locked (another was running).
		# TYPE schedgen_backup_runs_total counter
		schedgen_backup_runs_total{outcome="failed"} 0
		schedgen_backup_runs_total{outcome="locked"} 0
		schedgen_backup_runs_total{outcome="ok"} 1
	`
	names := []string{"schedgen_backup_last_success_timestamp_seconds", "schedgen_backup_objects", "schedgen_backup_verified", "schedgen_backup_runs_total"}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	w.damage("runs/" + m.ID + "/dump.")
	if _, err := f.Verify(t.Context(), m.ID, false); err == nil {
		t.Fatal("the damage was not found")
	}
	damaged := strings.Replace(want, "verified 1\n", "verified 0\n", 1)
	damaged = strings.Replace(damaged, "objects 2\n", "objects 0\n", 1)
	damaged = strings.Replace(damaged, "1.7706024e+09", "0", 1)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(damaged), names...); err != nil {
		t.Error(err)
	}
}

func TestAnAlertThatNobodyTookIsSentAgain(t *testing.T) {
	t.Parallel()
	w, at := newWorld(t), monday()
	var deaf atomic.Bool
	var told atomic.Int32
	deaf.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		if deaf.Load() {
			out.WriteHeader(http.StatusGone)
			return
		}
		told.Add(1)
	}))
	defer server.Close()
	f := at.of(w.function(func(c *backup.Config) { c.Alert.Webhook = secret.New(server.URL) }))
	if _, err := f.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	at.now = at.now.Add(48 * time.Hour)
	for range 2 {
		if _, err := f.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
		at.now = at.now.Add(time.Hour)
	}
	deaf.Store(false)
	for range 2 {
		if _, err := f.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := told.Load(); n != 1 {
		t.Errorf("people were told %d times once they could be, want 1", n)
	}
}

func TestWatchAlertsWhenTheBucketCannotBeAsked(t *testing.T) {
	t.Parallel()
	w, who, at := newWorld(t), somebody(t), monday()
	b := w.between()
	f := at.of(w.function(through(b), who.alerts))
	w.backup(f)
	b.set(func(out http.ResponseWriter, _ *http.Request) bool {
		out.WriteHeader(http.StatusForbidden)
		return true
	})
	fails := func(after time.Duration, told ...string) {
		t.Helper()
		at.now = at.now.Add(after)
		if s, err := f.Watch(t.Context()); err == nil {
			t.Errorf("got %+v, want an error", s)
		}
		who.heard(t, told...)
	}
	fails(0)
	fails(9 * time.Minute) // a restart of the bucket's server is over by now
	fails(time.Minute, "the backups could not be checked")
	fails(time.Minute, "the backups could not be checked")
	b.set(nil)
	for range 2 {
		if s, err := f.Watch(t.Context()); err != nil || !s.Healthy {
			t.Errorf("got %+v, %v; want all well", s, err)
		}
	}
	who.heard(t, "the backups could not be checked", "recovered")
}

// TestAHangingAlertDelaysNoListOfDeletions: the request ends while the webhook hangs.
func TestAHangingAlertDelaysNoListOfDeletions(t *testing.T) {
	t.Parallel()
	w, at := newWorld(t), monday()
	w.requestDeletion()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		end()
		out.WriteHeader(http.StatusGone)
	}))
	defer server.Close()
	f := at.of(w.function(func(c *backup.Config) { c.Alert.Webhook = secret.New(server.URL) }))
	w.putObject("state/watch.json", []byte(`{"since":"2026-02-01T00:00:00Z"}`)) // so a backup is missed
	_, _ = f.Watch(ctx)
	if ctx.Err() == nil {
		t.Fatal("no alert was sent")
	}
	if list := w.object("state/deletions.json"); !strings.Contains(string(list), "ownerHash") {
		t.Errorf("the list is %s", list)
	}
}

// TestABucketThatIsAwayForAMomentAlertsNobody, however often, nor a database.
func TestABucketThatIsAwayForAMomentAlertsNobody(t *testing.T) {
	t.Parallel()
	w, who, at := newWorld(t), somebody(t), monday()
	w.requestDeletion()
	b := w.between()
	f := at.of(w.function(through(b), who.alerts))
	var away atomic.Value // what of the bucket does not answer
	away.Store("nothing")
	b.set(func(out http.ResponseWriter, r *http.Request) bool {
		is := strings.Contains(r.URL.Path, away.Load().(string))
		if is {
			out.WriteHeader(http.StatusForbidden)
		}
		return is
	})
	for _, what := range []string{"/", "nothing", "/state/deletions.json", "nothing", "/", "/state/deletions.json", "nothing"} {
		away.Store(what)
		if _, err := f.Watch(t.Context()); (err == nil) != (what == "nothing") {
			t.Errorf("without %s: got %v", what, err)
		}
		at.now = at.now.Add(9 * time.Minute)
	}
	who.heard(t)
}

// TestACommandAlertsAtOnce: the next one would not know how long the bucket has been away.
func TestACommandAlertsAtOnce(t *testing.T) {
	t.Parallel()
	w, who := newWorld(t), somebody(t)
	b := w.between()
	f := w.function(through(b), who.alerts)
	b.set(func(out http.ResponseWriter, _ *http.Request) bool {
		out.WriteHeader(http.StatusForbidden)
		return true
	})
	if err := f.Command(t.Context(), "watch", nil, io.Discard); err == nil {
		t.Error("the command succeeded without the bucket")
	}
	who.heard(t, "the backups could not be checked")
}

// TestAnEndThatNobodyHeardIsToldAgain, also of a fault that the bucket could not note.
func TestAnEndThatNobodyHeardIsToldAgain(t *testing.T) {
	t.Parallel()
	w, at := newWorld(t), monday()
	var deaf atomic.Bool
	var told []string // each request ends before the next watch
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if deaf.Load() {
			out.WriteHeader(http.StatusGone)
			return
		}
		told = append(told, string(text))
	}))
	defer server.Close()
	b := w.between()
	f := at.of(w.function(through(b), func(c *backup.Config) { c.Alert.Webhook = secret.New(server.URL) }))
	w.backup(f)
	b.set(func(out http.ResponseWriter, _ *http.Request) bool {
		out.WriteHeader(http.StatusForbidden)
		return true
	})
	for range 2 {
		_, _ = f.Watch(t.Context())
		at.now = at.now.Add(10 * time.Minute)
	}
	b.set(func(out http.ResponseWriter, r *http.Request) bool { // only what was alerted cannot be read or written
		away := strings.HasSuffix(r.URL.Path, "/state/alert.json")
		if away {
			out.WriteHeader(http.StatusForbidden)
		}
		return away
	})
	deaf.Store(true)
	_, _ = f.Watch(t.Context())
	deaf.Store(false)
	for range 2 {
		if _, err := f.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 2 || !strings.Contains(told[0], "could not be checked") || !strings.Contains(told[1], "recovered") {
		t.Errorf("people were told %q, want of the fault and its end, once each", told)
	}
}

// TestABucketThatLostItsBackupsIsAlertedAtOnce: it is as empty as that of a new system, where the first backup has a day.
func TestABucketThatLostItsBackupsIsAlertedAtOnce(t *testing.T) {
	t.Parallel()
	w, who, at := newWorld(t), somebody(t), monday()
	f := at.of(w.function(who.alerts))
	if s, err := f.Watch(t.Context()); err != nil || !s.Healthy {
		t.Errorf("a new system: got %+v, %v", s, err)
	}
	w.backup(f)
	w.dropBucket("schedgen-backups")
	if s, err := f.Watch(t.Context()); err != nil || s.Healthy {
		t.Errorf("the bucket is empty: got %+v, %v", s, err)
	}
	who.heard(t, "there is no good backup in the bucket any more")
	w.backup(f)
	who.heard(t, "no good backup", "recovered")
}

// TestABackupThatIsBeingVerifiedIsNotBad, and a system without one has none that is bad.
func TestABackupThatIsBeingVerifiedIsNotBad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	b := w.between()
	f := w.function(through(b))
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.Collectors()...)
	good := func(want string) {
		t.Helper()
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "schedgen_backup_good"); err != nil {
			t.Error(err)
		}
	}
	const one = `
# HELP schedgen_backup_good 0 if the newest backup failed its verification, by a restore or by checksums; 1 also while it is not verified yet. Absent without a backup.
# TYPE schedgen_backup_good gauge
schedgen_backup_good 1
`
	good("")
	var seen atomic.Bool
	b.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/dump.") && !seen.Swap(true) { // the verification reads it
			good(one)
		}
		return false
	})
	m := w.backup(f)
	if !seen.Load() {
		t.Error("the verification read nothing")
	}
	w.damage("runs/" + m.ID + "/dump.")
	if _, err := f.Verify(t.Context(), m.ID, false); err == nil {
		t.Fatal("the damage was not found")
	}
	good(strings.Replace(one, "good 1", "good 0", 1))
}

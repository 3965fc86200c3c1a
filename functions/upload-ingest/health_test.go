package uploadingest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/upload-ingest/checkup"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/sweeps"
)

// healthFor is the answer of /api/health to who sends these headers.
func (w *world) healthFor(headers ...string) checkup.Report {
	w.Helper()
	w.f.checkups.ttl = 0
	report := functest.Read[checkup.Report](w.do(w.client, "GET", "/api/health", nil, headers...).Want(200))
	w.f.probe.Close() // nobody waits for the upload of a probe where one before it was read
	return report
}

func (w *world) probes() []jobs.Job {
	w.Helper()
	list, err := w.f.jobs.Stored(w.Context(), jobs.ProbeOwner, 100)
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// olderProbes makes all that is known of probes older.
func (w *world) olderProbes(by time.Duration) {
	w.Helper()
	_, err := w.f.pool.Exec(w.Context(), `update jobs set created_at = created_at - $1::interval, completed_at = completed_at - $1::interval where owner = $2`, by, jobs.ProbeOwner)
	_, err2 := w.f.pool.Exec(w.Context(), `update sweeps set finished_at = finished_at - $1::interval where name = $2`, by, sweeps.Probe)
	if err := errors.Join(err, err2); err != nil {
		w.Fatal(err)
	}
}

func TestHealthOfTheSystem(t *testing.T) {
	w := newWorld(t)
	w.swept()
	report := w.healthFor("Authorization", "Bearer "+adminToken)
	want := map[string]checkup.Status{"postgres": checkup.OK, "redis": checkup.OK, "s3": checkup.OK, "queue": checkup.OK, "parser": checkup.OK, "sweep": checkup.OK,
		"calendar-generate": checkup.Unknown, "google-sync": checkup.Unknown, "backup": checkup.Unknown}
	for _, name := range slices.Sorted(maps.Keys(report.Parts)) {
		if report.Parts[name].Status != want[name] {
			t.Errorf("%s: got %+v, want %s", name, report.Parts[name], want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 || report.Status != checkup.OK || report.Services.Reading != checkup.OK {
		t.Errorf("got %+v, without %v", report, want)
	}
	for range 3 {
		if got := w.healthFor(); got.Parts != nil || got.Status != checkup.OK {
			t.Errorf("got %+v, want nothing of the parts", got)
		}
	}
	for _, wrong := range []string{"Bearer wrong", "Bearer"} {
		w.do(w.client, "GET", "/api/health", nil, "Authorization", wrong).Refused(401, api.Unauthorized)
	}
	// A site may stand behind HTTP Basic authentication: that is no token.
	if got := w.healthFor("Authorization", "Basic "+adminToken); got.Parts != nil || got.Status != checkup.OK {
		t.Errorf("got %+v, want what anybody gets", got)
	}
	if got := w.probes(); len(got) != 1 || got[0].Status != jobs.Completed {
		t.Errorf("asked four times within a minute: got the probes %+v, want one that was read", got)
	}
	for range 2 {
		w.olderProbes(61 * time.Second)
		w.healthFor()
		testkit.Eventually(w, "the probe is read", func() bool { return w.probes()[0].Done() })
	}
	if got := w.probes(); len(got) != 2 {
		t.Errorf("got %d probes after three minutes, want the newest two", len(got))
	}
}

// While nothing is read there is one probe, however long somebody asks. What is known of the last one that ended is kept.
func TestProbesDoNotPileUp(t *testing.T) {
	w := newWorld(t)
	w.reader.set(func(r *reader) { r.code = jobs.CodeTimeout })
	w.healthFor()
	idle(w)
	for range 2 {
		w.olderProbes(61 * time.Second)
		w.healthFor()
	}
	got := w.probes()
	if len(got) != 2 || got[0].Done() || got[1].Status != jobs.Failed {
		t.Errorf("got the probes %+v, want one that waits and the one before it, which failed", got)
	}
}

func TestAProbeIsUploadedToItsEnd(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	var cut error
	probe := &checkup.Probe{Pool: w.f.pool, Jobs: w.f.jobs, Upload: func(ctx context.Context, _ []byte, _ jobs.NewJob) error {
		cancel() // who asked goes away
		<-left
		cut = ctx.Err()
		return cut
	}}
	part := probe.Part(ctx)
	close(left)
	probe.Close()
	if part.Status != checkup.Unknown || cut != nil {
		t.Errorf("got %+v, and the upload was cut off: %v", part, cut)
	}
}

// What a restore replaces must not get a job.
func TestNoProbeBeginsDuringARestore(t *testing.T) {
	w := newWorld(t)
	if _, err := w.f.pool.Exec(t.Context(), "create schema "+postgres.ReplacedPrefix+"x"); err != nil {
		t.Fatal(err)
	}
	if got := w.healthFor(); got.Status != checkup.Down || len(w.probes()) != 0 {
		t.Errorf("got %+v and the probes %+v, want down and none", got, w.probes())
	}
}

func TestHealthTellsWhatIsAway(t *testing.T) {
	w := newWorld(t)
	w.reader.set(func(r *reader) { r.code = jobs.CodeTimeout })
	if got := w.healthFor(); got.Status != checkup.Down || got.Services.Reading != checkup.Down || got.Services.Uploads != checkup.OK {
		t.Errorf("nothing is read: got %+v", got)
	}
	w.store.set(func(s *storeProxy) { s.all = away })
	if got := w.healthFor("Authorization", "Bearer "+adminToken); got.Services.Uploads != checkup.Down || got.Parts["s3"].Problem != api.StorageUnavailable {
		t.Errorf("the object store is away: got %+v", got)
	}
	w.f.pool.Close()
	got := w.healthFor("Authorization", "Bearer "+adminToken)
	if got.Status != checkup.Down || got.Services.Calendars != checkup.Down || got.Parts["parser"].Status != checkup.Unknown || got.Parts["backup"].Status != checkup.Unknown {
		t.Errorf("the database is away: got %+v", got)
	}
}

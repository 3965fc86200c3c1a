package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// scale is how much a system holds.
type scale struct{ jobs, entriesEach, pdfBytes int }

const manyJobsSQL = `
insert into jobs (id, owner, status, kind, filename, size, object_key, uploaded_at, started_at, completed_at, announced_at)
select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, gen_random_uuid(), 'completed', 'lecture', 'timetable.pdf', $2::int,
	'uploads/normal/00000000-0000-7000-8000-' || lpad(n::text, 12, '0') || '.pdf', now(), now(), now(), now()
from generate_series(1, $1::int) n`

const manyEntriesSQL = `
insert into entries (job_id, position, entry)
select j.id, p, jsonb_build_object('module', 'COS ' || (100 + p), 'offered', 'S1', 'group', 'G0' || (p % 9), 'lang', 'E L', 'activity', 'L' || (p % 4),
	'day', 'Monday', 'date', '', 'startTime', '08:30', 'endTime', '09:20', 'endTimeEstimated', false, 'venues', jsonb_build_array('Centenary ' || p, 'IT 4-' || (p % 7)),
	'campus', 'HATFIELD', 'moduleCampus', '', 'studyProg', md5(j.id::text || p), 'test', '', 'paper', '', 'status', '', 'comments', '', 'page', 1 + p / 40)
from jobs j, generate_series(0, $1::int - 1) p`

// grow fills a world to that scale.
func (w *world) grow(s scale) {
	w.t.Helper()
	ctx := context.Background()
	if _, err := w.pool.Exec(ctx, manyJobsSQL, s.jobs, s.pdfBytes); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.pool.Exec(ctx, manyEntriesSQL, s.entriesEach); err != nil {
		w.t.Fatal(err)
	}
	var group sync.WaitGroup
	room := make(chan struct{}, 8)
	for n := range s.jobs {
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			random := rand.New(rand.NewPCG(uint64(n), 2))
			pdf := make([]byte, s.pdfBytes) // does not compress, as the streams of a PDF
			for i := range pdf {
				pdf[i] = byte(random.Uint32())
			}
			key := fmt.Sprintf("uploads/normal/00000000-0000-7000-8000-%012d.pdf", n+1)
			if _, err := w.pdfs.Put(ctx, key, bytes.NewReader(pdf), int64(len(pdf)), "application/pdf", nil); err != nil {
				w.t.Error(err)
			}
		})
	}
	group.Wait()
}

// newDatabase is a server of its own; without options it survives a power cut, as one that is used does.
func newDatabase(t testing.TB, opts ...pg.Option) *pg.Server {
	t.Helper()
	dir := t.TempDir()
	if err := testkit.Passable(dir); err != nil {
		t.Fatal(err)
	}
	server, err := pg.Start(t.Context(), dir, opts...)
	if errors.Is(err, pg.ErrNotInstalled) {
		t.Skip("needs a PostgreSQL server: run `make setup`, or apt-get install postgresql")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// loss is a world of that scale with a backup, and a function that restores it on new servers.
func loss(t testing.TB, s scale, server func(testing.TB, ...s3test.Webhook) *s3test.Server, opts ...pg.Option) (store.Manifest, func(testing.TB) restore.Result) {
	t.Helper()
	source := newDatabase(t, opts...)
	if err := postgres.Migrate(t.Context(), source.DSN()); err != nil {
		t.Fatal(err)
	}
	w := worldOn(t, source.DSN(), server(t))
	w.cfg.PartSize = 0
	pool, err := postgres.Open(postgres.Config{URL: secret.New(source.DSN()), StatementTimeout: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w.pool = pool
	w.grow(s)
	m := w.backup(w.function())
	return m, func(t testing.TB) restore.Result {
		fresh := server(t)
		f := w.function(pdfsIn(fresh), func(c *backup.Config) { c.Postgres.URL = secret.New(newDatabase(t, opts...).DSN()) })
		restored, err := f.Restore(t.Context(), restore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return restored
	}
}

// BenchmarkRestore restores, with SCHEDGEN_TEST_ALL=1, 1,000,000 entries and 10,000 PDFs: the scale
// that the recovery time in docs/backup-and-recovery.md is promised for. Without, a tenth of it. The
// store is MinIO where there is one.
func BenchmarkRestore(b *testing.B) {
	system := scale{jobs: 1_000, entriesEach: 100, pdfBytes: 60_000}
	if os.Getenv("SCHEDGEN_TEST_ALL") != "" {
		system.jobs = 10_000
	}
	server := s3test.New
	if os.Getenv("SCHEDGEN_TEST_MINIO") != "" {
		server = s3test.MinIO
	}
	m, restore := loss(b, system, server)
	var bytes int64
	var seconds float64
	for b.Loop() {
		restored := restore(b)
		bytes, seconds = bytes+restored.Bytes, seconds+restored.Seconds
	}
	b.ReportMetric(seconds/float64(b.N), "s/restore")
	b.ReportMetric(float64(bytes)/1e6/seconds, "MB/s")
	b.ReportMetric(m.Seconds, "s/backup")
	b.ReportMetric(m.Verification.Seconds, "s/verification")
	b.ReportMetric(float64(m.StoredBytes)/1e6, "MB-stored")
	b.ReportMetric(float64(m.Dump.Size)/1e6, "MB-sealed-dump")
	b.ReportMetric(peakMemory(b), "MB-peak-memory")
}

// peakMemory is the most that this process ever used.
func peakMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("needs /proc: run the benchmarks on Linux")
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib * 1024 / 1e6
}

// The same on a hundredth of it, to see in every run that the numbers come out and that all is there.
func TestASmallSystemIsRestoredWithItsFigures(t *testing.T) {
	t.Parallel()
	m, restore := loss(t, scale{jobs: 100, entriesEach: 100, pdfBytes: 60_000}, s3test.New, pg.Fast())
	if m.Rows < 10_100 || m.Objects != 100 || m.ObjectBytes != 6_000_000 {
		t.Errorf("the backup has %d rows and %d PDFs of %d bytes, want all", m.Rows, m.Objects, m.ObjectBytes)
	}
	restored := restore(t)
	if restored.Objects != 100 || restored.Bytes < 8_000_000 || restored.Seconds <= 0 {
		t.Errorf("got %d PDFs, %d bytes in %f s", restored.Objects, restored.Bytes, restored.Seconds)
	}
	t.Logf("restored %.1f MB in %.2f s: %.1f MB/s", float64(restored.Bytes)/1e6, restored.Seconds, float64(restored.Bytes)/1e6/restored.Seconds)
}

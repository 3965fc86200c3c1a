package audit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/load-tests/audit"
	"github.com/schedgen/schedgen/load-tests/fixtures"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/jobs"
)

// run is a load test of three uploads and a feed, in which nothing was lost.
type run struct {
	audit.System
	store   *jobs.Store
	files   map[string]fixtures.File
	records []audit.Record
}

const feedURL = "http://localhost/api/feeds/of-a-test.ics"

func newRun(t *testing.T) *run {
	t.Helper()
	files, err := fixtures.Write(t.TempDir(), 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	pool := pgtest.Pool(t)
	r := &run{files: files, store: jobs.NewStore(pool)}
	r.System = audit.System{Pool: pool, PDFs: s3test.New(t).Store(t), Retention: time.Hour, Fetch: r.calendar}
	for _, name := range []string{"0000.pdf", "0001.pdf", "0002.pdf"} {
		job := functest.Completed(t, r.store, uuid.NewString(), files[name].Truth)
		r.put(t, job.ObjectKey)
		r.records = append(r.records, audit.Record{Kind: audit.Accepted, Job: job.ID, Fixture: name, Status: 201})
	}
	r.records = append(r.records, audit.Record{Kind: audit.Feed, Fixture: "0001.pdf", URL: feedURL})
	return r
}

// calendar folds a line in the middle of a module, as feeds may.
func (r *run) calendar(context.Context, string) ([]byte, error) {
	text := "BEGIN:VCALENDAR\r\n"
	for _, entry := range r.files["0001.pdf"].Truth.Entries {
		text += "SUMMARY:" + entry.Module[:2] + "\r\n " + entry.Module[2:] + "\r\n"
	}
	return []byte(text), nil
}

func (r *run) put(t *testing.T, key string) {
	t.Helper()
	if _, err := r.PDFs.Put(t.Context(), key, strings.NewReader("%PDF-"), 5, "application/pdf", nil); err != nil {
		t.Fatal(err)
	}
}

func (r *run) sql(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := r.Pool.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// TestAudit plants one fault in a run without any and wants it found, and nothing else.
func TestAudit(t *testing.T) {
	t.Parallel()
	for name, planted := range map[string]struct {
		fault func(*testing.T, *run)
		want  string // "" is none
	}{
		"nothing": {fault: func(*testing.T, *run) {}},
		"a job is gone": {func(t *testing.T, r *run) {
			r.sql(t, "delete from jobs where id = $1::uuid", r.records[0].Job)
			if err := r.PDFs.Delete(t.Context(), "uploads/normal/"+r.records[0].Job+".pdf"); err != nil {
				t.Fatal(err)
			}
		}, "is lost"},
		"a row is gone": {func(t *testing.T, r *run) {
			r.sql(t, "delete from entries where job_id = $1::uuid and position = 0", r.records[1].Job)
		}, "rows: got"},
		"a row was changed": {func(t *testing.T, r *run) {
			r.sql(t, `update entries set entry = jsonb_set(entry, '{module}', '"ZZZ 999"') where job_id = $1::uuid and position = 0`, r.records[1].Job)
		}, "Module"},
		"a job has failed": {func(t *testing.T, r *run) {
			r.sql(t, "update jobs set status = 'failed', error_code = 'PDF_DAMAGED', error_message = 'x' where id = $1::uuid", r.records[2].Job)
		}, "is failed PDF_DAMAGED"},
		"two uploads were given one job": {func(_ *testing.T, r *run) { r.records = append(r.records, r.records[0]) }, "to two uploads"},
		"a job of which nobody was told": {func(_ *testing.T, r *run) { r.records = slices.Delete(r.records, 0, 1) }, "no user was told"},
		"an upload without an answer": {fault: func(_ *testing.T, r *run) {
			r.records[0] = audit.Record{Kind: audit.Unanswered, Status: 502}
		}},
		"a refusal that names its job excuses no other": {func(_ *testing.T, r *run) {
			r.records[0] = audit.Record{Kind: audit.Unanswered, Status: 503, Job: r.records[0].Job}
			r.records = slices.Delete(r.records, 1, 2)
		}, "no user was told"},
		"a job has not ended": {func(t *testing.T, r *run) {
			job := functest.Uploaded(t, r.store, uuid.NewString())
			r.records = append(r.records, audit.Record{Kind: audit.Unanswered})
			r.put(t, job.ObjectKey)
		}, "has not ended"},
		"an object without a job": {func(t *testing.T, r *run) { r.put(t, "uploads/normal/"+uuid.NewString()+".pdf") }, "belongs to no job"},
		"an object that is too old": {func(t *testing.T, r *run) {
			r.sql(t, "update jobs set completed_at = now() - interval '1 day' where id = $1::uuid", r.records[0].Job)
		}, "is older than"},
		"a feed of another timetable": {func(_ *testing.T, r *run) {
			r.Fetch = func(context.Context, string) ([]byte, error) { return []byte("BEGIN:VCALENDAR\r\n"), nil }
		}, "lacks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRun(t)
			planted.fault(t, r)
			got, err := audit.Run(t.Context(), r.System, time.Now().Add(-time.Hour), r.records, r.files)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case planted.want == "" && len(got.Faults) > 0:
				t.Errorf("found where nothing is: %s", got)
			case planted.want != "" && (len(got.Faults) == 0 || !strings.Contains(got.Faults[0], planted.want)):
				t.Errorf("got %s, want %q", got, planted.want)
			}
		})
	}
}

// TestAnAuditThatCannotLookFails holds that what could not be asked is no good report.
func TestAnAuditThatCannotLookFails(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.Fetch = func(context.Context, string) ([]byte, error) { return nil, errors.New("no answer") }
	if _, err := audit.Run(t.Context(), r.System, time.Now().Add(-time.Hour), r.records, r.files); err == nil {
		t.Error("a feed that does not answer is right")
	}
	r.Pool.Close()
	if _, err := audit.Run(t.Context(), r.System, time.Now().Add(-time.Hour), r.records, r.files); err == nil {
		t.Error("a database that does not answer has lost nothing")
	}
}

// TestReadRecords finds the records between other lines.
func TestReadRecords(t *testing.T) {
	t.Parallel()
	text := "a warning of k6\n{\"other\":1}\n{\"kind\":\"accepted\",\"job\":\"j\",\"fixture\":\"0001.pdf\",\"status\":202}\n"
	got, err := audit.ReadRecords(strings.NewReader(text))
	want := []audit.Record{{Kind: audit.Accepted, Job: "j", Fixture: "0001.pdf", Status: 202}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := audit.ReadRecords(strings.NewReader(strings.Repeat("x", 2<<20))); err == nil {
		t.Error("a line without an end was read")
	}
}

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/timetable"
)

// grown is a site whose database can be filled, and a student who uses it.
type grown struct {
	*site
	admin     *pgx.Conn
	who       *student
	job, feed string
}

func newGrown(t *testing.T, modules int) *grown {
	t.Helper()
	f := processes(t)
	s := newSite(f, pgtest.New(t), s3test.New, f.run)
	admin, err := pgx.Connect(t.Context(), s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) }) // of a database that is dropped next
	g := &grown{site: s, admin: admin, who: s.world.student(t)}
	g.job = g.who.upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: modules}).pdf).JobID
	var feed struct{ URL string }
	g.who.call(http.StatusCreated, "POST", "/api/feeds", map[string]any{"terms": terms2026}).into(t, &feed)
	g.feed = feed.URL
	g.who.call(http.StatusOK, "GET", g.feed, nil)
	return g
}

// fill gives so many others, who came in the last 300 days, what the student has: a timetable of their own, and a feed.
func (g *grown) fill(t *testing.T, owners int) {
	t.Helper()
	for _, statement := range []string{
		// Ids of jobs are UUIDv7, which begin with the time (RFC 9562, section 5.7).
		fmt.Sprintf(`create temp table other as select at, gen_random_uuid() as owner, gen_random_uuid() as feed,
			(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid as job
			from generate_series(1, %d) n cross join lateral (select now() - n * interval '300 days' / %[1]d as at) as times`, owners),
		`insert into jobs select (jsonb_populate_record(one, jsonb_build_object('id', job, 'owner', other.owner, 'object_key', 'uploads/normal/' || job,
			'created_at', at, 'uploaded_at', at, 'started_at', at, 'completed_at', at, 'announced_at', at, 'pdf_deleted_at', at))).*
			from jobs one, other where one.id = '` + g.job + `'`,
		`insert into entries select job, position, entry from entries, other where job_id = '` + g.job + `'`,
		`insert into feeds select (jsonb_populate_record(one, jsonb_build_object('id', feed, 'owner', other.owner, 'token_hash', '\x' || encode(sha256(feed::text::bytea), 'hex'),
			'sources', job, 'created_at', at, 'updated_at', at))).* from feeds one, other`,
		`insert into feed_events select feed, uid, sequence, fingerprint, last_modified from feed_events, other`,
		`vacuum analyze`,
	} {
		if _, err := g.admin.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v: %.200s", err, statement)
		}
	}
}

// visits are what students, calendars, schedules and monitoring ask for.
func (g *grown) visits() map[string]func() {
	event := []string{"Authorization", "Bearer " + eventToken}
	operator := []string{"Authorization", "Bearer " + adminToken}
	task := func(i *instance, path string) func() {
		return func() { g.at(i).call(http.StatusOK, "POST", path, nil, event...) }
	}
	ask := func(path string, headers ...string) func() {
		return func() { g.who.call(http.StatusOK, "GET", path, nil, headers...) }
	}
	return map[string]func(){
		"GET /api/jobs/{id}":        ask("/api/jobs/" + g.job),
		"GET /api/jobs/{id}/result": ask("/api/jobs/" + g.job + "/result"),
		"GET /api/jobs/metrics":     ask("/api/jobs/metrics"),
		"GET /api/storage/usage":    ask("/api/storage/usage"),
		"GET /api/me":               ask("/api/me"),
		"GET /api/health":           ask("/api/health", operator...),
		"GET /api/feeds":            ask("/api/feeds"),
		"GET /feeds/{token}":        ask(g.feed),
		"POST /api/generate/ics": func() {
			g.who.call(http.StatusOK, "POST", "/api/generate/ics", map[string]any{"jobId": g.job, "terms": terms2026})
		},
		"POST /api/upload, DELETE /api/me": func() {
			other := g.world.student(g.t)
			other.upload(generated(g.t, fixture.Options{Kind: timetable.Exam, Seed: 8}).pdf)
			other.call(http.StatusOK, "DELETE", "/api/me", nil)
		},
		"POST /tasks/sweep":  task(g.ingest, "/tasks/sweep"),
		"POST /tasks/feeds":  task(g.calendar, "/tasks/feeds"),
		"POST /tasks/google": task(g.google, "/tasks/google"),
		"GET /metrics":       func() { g.at(g.ingest).call(http.StatusOK, "GET", "/metrics", nil) },
	}
}

// at is the student at a function's own address.
func (g *grown) at(i *instance) *student {
	return &student{t: g.t, world: &world{url: i.url, api: g.world.api}, client: http.DefaultClient}
}

// reads are how many rows of each table were read, by whole tables or by indexes. What a session read counts when it ends
// (pg_stat_user_tables), so all but ours are ended.
func (g *grown) reads(t *testing.T) map[string]int {
	t.Helper()
	const others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
	eventually(t, func() error {
		var left int
		if _, err := g.admin.Exec(t.Context(), "select pg_terminate_backend(pid) "+others); err != nil {
			return err
		}
		if err := g.admin.QueryRow(t.Context(), "select count(*) "+others).Scan(&left); err != nil {
			return err
		}
		if left > 0 {
			return errors.New("sessions have not ended")
		}
		return nil
	})
	rows, err := g.admin.Query(t.Context(), `select pg_stat_clear_snapshot(), relname, (seq_tup_read + coalesce((select sum(idx_tup_read)
		from pg_stat_user_indexes i where i.relid = t.relid), 0))::int from pg_stat_user_tables t where n_live_tup > 100`)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]int{}
	var table string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{nil, &table, &n}, func() error { read[table] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestNothingReadsAWholeTable fills the database and holds that what anybody asks for reads only what concerns it: an
// answer and a sweep cost the same however many others there are.
func TestNothingReadsAWholeTable(t *testing.T) {
	t.Parallel()
	const owners, few = 12_000, 1_500 // 280 of them came in the last week, who are counted
	g := newGrown(t, 2)
	g.fill(t, owners)
	before := g.reads(t)
	if len(before) < 4 {
		t.Fatalf("the database was not filled: %v", before)
	}
	for name, visit := range g.visits() {
		visit()
		after := g.reads(t)
		for table, n := range after {
			limit := few
			if name == "GET /metrics" && table == "feeds" {
				limit = owners + 10 // they are counted, at most once a minute
			}
			if read := n - before[table]; read > limit {
				t.Errorf("%s read %d rows of %s, where %d others are", name, read, table, owners)
			}
		}
		before = after
	}
}

// TestGrowth measures, where it is asked to (make bench), the time of each answer where there are 30,000 owners, each with
// a feed and 36 entries, beside its time where there is one owner.
func TestGrowth(t *testing.T) {
	if os.Getenv("SCHEDGEN_TEST_GROWTH") == "" {
		t.Skip("takes minutes, and measures: run `make bench`, or set SCHEDGEN_TEST_GROWTH=1")
	}
	const owners, asked = 30_000, 30
	g := newGrown(t, 9)
	visits := g.visits()
	empty := map[string]time.Duration{}
	for name, visit := range visits {
		empty[name] = median(asked, visit)
	}
	g.fill(t, owners)
	for _, name := range slices.Sorted(maps.Keys(visits)) {
		filled := median(asked, visits[name])
		t.Logf("%-34s %8.1f ms empty %8.1f ms filled, %.2f times", name, milliseconds(empty[name]), milliseconds(filled), filled.Seconds()/empty[name].Seconds())
	}
}

// median is how long a visit takes that is made so many times.
func median(times int, visit func()) time.Duration {
	took := make([]time.Duration, times)
	for i := range took {
		began := time.Now()
		visit()
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[times/2]
}

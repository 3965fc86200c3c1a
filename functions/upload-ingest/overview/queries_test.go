package overview

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// A database that is away is not asked again by each scrape, and what it answered holds as long as it may.
func TestWhatAQueryReturnedHoldsForAWhile(t *testing.T) {
	t.Parallel()
	var c cached[int]
	asked, away := 0, errors.New("away")
	ask := func(value int, err error) (int, error) {
		return c.read(time.Hour, func() (int, error) { asked++; return value, err })
	}
	for range 3 {
		if _, err := ask(0, away); !errors.Is(err, away) || asked != 1 {
			t.Fatalf("got %v, after %d queries; want the error of the first", err, asked)
		}
	}
	if c.until.After(time.Now().Add(queueTTL)) {
		t.Errorf("an error holds until %v, want at most %v", c.until, queueTTL)
	}
	c.until = time.Time{}
	for range 3 {
		if got, err := ask(7, nil); got != 7 || err != nil || asked != 2 {
			t.Fatalf("got %d, %v, after %d queries; want 7 of the second", got, err, asked)
		}
	}
}

// fillSQL makes the jobs of so many owners of a service that has run for a month: nearly all of them are over.
const fillSQL = `
insert into jobs (id, owner, status, priority, object_key, created_at, uploaded_at, started_at, completed_at, run_after, attempts,
	lease_until, lease_token, error_code, pdf_deleted_at)
select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
	('00000000-0000-7000-8000-' || lpad((n %% %d)::text, 12, '0'))::uuid,
	case when n %% 200 = 0 then 'pending' when n %% 200 = 1 then 'processing' when n %% 20 = 2 then 'failed' else 'completed' end,
	(array['high', 'normal', 'low'])[1 + n %% 3], 'uploads/normal/' || n || '.pdf', at, at, case when n %% 200 > 0 then at end,
	case when n %% 200 > 1 then at end, at, case when n %% 200 = 0 then 0 else 1 end,
	case when n %% 200 = 1 then at + interval '30 seconds' end, case when n %% 200 = 1 then gen_random_uuid() end,
	case when n %% 20 = 2 then 'NO_TIMETABLE' end, case when at < now() - interval '24 hours' then at end
from generate_series(1, 60000) n cross join lateral (select now() - n * interval '45 seconds' as at) as t`

// seqScan finds a plan that reads all jobs.
var seqScan = regexp.MustCompile(`Seq Scan on jobs`)

// TestNoQueryReadsAllJobs holds where owners have many jobs, and where each has one.
func TestNoQueryReadsAllJobs(t *testing.T) {
	t.Parallel()
	for _, owners := range []int{3000, 60000} {
		t.Run(fmt.Sprint(owners, " owners"), func(t *testing.T) {
			t.Parallel()
			for name, plan := range plans(t, owners) {
				if seqScan.MatchString(plan) {
					t.Errorf("%s reads all jobs:\n%s", name, plan)
				}
			}
		})
	}
}

// plans are how PostgreSQL would run the queries where so many owners have jobs.
func plans(t *testing.T, owners int) map[string]string {
	t.Helper()
	pool, err := postgres.Open(postgres.Config{URL: secret.New(pgtest.New(t)), StatementTimeout: time.Minute}) // to fill takes its time
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	for _, sql := range []string{fmt.Sprintf(fillSQL, owners), "analyze"} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatalf("fill the table: %v", err)
		}
	}
	found := map[string]string{}
	for name, query := range map[string]struct {
		sql  string
		args []any
	}{"queue": {queueSQL, []any{jobs.ProbeOwner}}, "system": {systemSQL, []any{systemFaults, jobs.ProbeOwner}}} {
		lines, err := postgres.Query(t.Context(), pool, pgx.RowTo[string], "explain "+query.sql, query.args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found[name] = strings.Join(lines, "\n")
	}
	return found
}

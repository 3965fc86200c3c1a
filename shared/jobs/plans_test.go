package jobs

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// fillSQL makes the table of a service that has run for a month: nearly all jobs are over, some
// hundred wait, are held, are being uploaded or were not announced.
var fillSQL = []string{`
insert into jobs (id, owner, status, priority, kind, object_key, created_at, uploaded_at, started_at, completed_at,
	run_after, attempts, lease_until, lease_token, error_code, pdf_deleted_at, announced_at, share, turn)
select gen_random_uuid(), owners.id,
	case when n % 200 = 0 then 'pending' when n % 200 = 1 then 'processing' when n % 20 = 2 then 'failed' else 'completed' end,
	(array['high', 'normal', 'low'])[1 + n % 3], case when n % 200 > 1 and n % 20 <> 2 then (array['lecture', 'test', 'exam'])[1 + n % 3] end,
	'uploads/normal/' || n || '.pdf', at, case when n % 400 > 0 then at end, case when n % 200 > 0 then at end,
	case when n % 200 > 1 then at end, at, case when n % 200 = 0 then 0 else 1 end,
	case when n % 200 = 1 then at + interval '30 seconds' end, case when n % 200 = 1 then gen_random_uuid() end,
	case when n % 20 = 2 then 'NO_TIMETABLE' end,
	case when at < now() - interval '24 hours' and n % 500 > 0 then at end, case when n % 500 > 0 then at end,
	case when n % 200 = 0 then owners.id end, n
from generate_series(1, 60000) n
	cross join lateral (select now() - n * interval '45 seconds' as at) as t
	join lateral (select ('00000000-0000-7000-8000-' || lpad((n % 3000)::text, 12, '0'))::uuid as id) as owners on true`,
	`insert into turns (priority, share, owner, given, begun, used_at)
select 'normal', owner, owner, 1, 1, now() - n * interval '1 minute' from (select owner, row_number() over () as n from (select distinct owner from jobs) as known) as numbered`,
	`insert into entries (job_id, position, entry) select id, p, '{"module": "COS 212"}' from jobs, generate_series(0, 2) p where status = 'completed'`,
	`insert into dead_letters (source, reason, job_id, event, received_at)
select 'broker', 'x', case when n % 2 = 0 then gen_random_uuid() end, jsonb_build_object('key', repeat(md5(n::text), 40)),
	now() - n * interval '2 minutes' from generate_series(1, 15000) n`,
	`analyze`,
}

// seqScan finds a plan that reads a whole table.
var seqScan = regexp.MustCompile(`Seq Scan on (jobs|entries|dead_letters|turns)`)

func TestNoQueryReadsAWholeTable(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(postgres.Config{URL: secret.New(pgtest.New(t)), StatementTimeout: time.Minute}) // to fill takes its time
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	for _, sql := range fillSQL {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatalf("fill the tables: %v", err)
		}
	}
	id, owner := uuid.NewString(), "00000000-0000-7000-8000-000000000007"
	limits := DefaultLimits()
	for name, query := range map[string]struct {
		sql  string
		args []any
	}{
		"uploaded":     {uploadedSQL, []any{id}},
		"abandon":      {abandonSQL, []any{id, "X", "x"}},
		"get":          {getSQL, []any{id, owner}},
		"find":         {findSQL, []any{id}},
		"completed":    {completedSQL, []any{owner, 100}},
		"create":       {createSQL, []any{id, owner, "normal", "", 1, "", "key", "", owner, ""}},
		"next":         {nextSQL, []any{[]string{"high", "normal", "low"}, id, 30.0, 3, 300.0}},
		"any due":      {anyDueSQL, []any{[]string{"high", "normal", "low"}, 3, 300.0}},
		"forget turns": {deleteOldTurnsSQL, []any{1900 * 60.0, 200}},
		"claim":        {claimSQL, []any{id, id, 30.0, 3, 300.0}},
		"refusal":      {refusalSQL, []any{id, 3, 300.0}},
		"renew":        {renewSQL, []any{id, id, 30.0, 300.0}},
		"complete":     {completeSQL, []any{id, id, "lecture", "[]"}},
		"fail":         {failSQL, []any{id, id, "X", "x"}},
		"retry":        {retrySQL, []any{id, id, "X", "x", 3, 2.0}},
		"entries":      {entriesSQL, []any{id, owner}},
		"all entries":  {allEntriesSQL, []any{[]string{id}, owner}},
		"stored":       {storedSQL, []any{owner, 100}},
		"delete":       {deleteSQL, []any{id, owner}},
		"due":          {dueSQL, []any{45.0, 200, 3, 300.0}},
		"expire":       {expireSQL, []any{3, 300.0, 200, "A", "B", "a", "b"}},
		"unfinished":   {unfinishedSQL, []any{120.0, 200}},
		"announced":    {announcedSQL, []any{id}},
		"unannounced":  {unannouncedSQL, []any{45.0, 200}},
		"expired PDFs": {expiredPDFsSQL, []any{86400.0, 200}},
		"orphans":      {orphansSQL, []any{[]string{"key"}, postgres.ReplacedPrefix}},
		"PDF deleted":  {pdfDeletedSQL, []any{[]string{id}}},
		"forget":       {deleteOldSQL, []any{29 * 86400.0, 200}},
		"letter":       {deadLetterSQL, []any{1}},
		"discard":      {deleteDeadLetterSQL, []any{1}},
		"discard old":  {deleteOldDeadLettersSQL, []any{19 * 86400.0, 200}},
		"letters":      {deadLettersSQL, []any{int64(math.MaxInt64), 100, maxListBytes}},
		"usage":        {usageSQL, []any{owner}},
		"backlog":      {backlogSQL, []any{601}},
		"counts":       {countsSQL, []any{limits.MetricsWindow.Seconds(), limits.MetricsWindowFailed.Seconds(), ProbeOwner}},
		"times":        {timesSQL, []any{limits.MetricsWindow.Seconds(), ProbeOwner}},
	} {
		lines, err := postgres.Query(t.Context(), pool, pgx.RowTo[string], "explain "+query.sql, query.args...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if plan := strings.Join(lines, "\n"); seqScan.MatchString(plan) {
			t.Errorf("%s reads a whole table:\n%s", name, plan)
		}
	}
}

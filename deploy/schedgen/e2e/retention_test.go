package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/secret"
)

// retained is how long rows of a table are kept, by default.
type retained struct {
	table  string // with what is kept of it, where that is not the row
	limit  time.Duration
	insert string // a row of owner $1 with the id $2 (both of which no other has) that is so many seconds old: $3
	gone   string // tells whether the row with the id $1 is gone
}

const (
	day  = 24 * time.Hour
	year = 366 * day
)

// retention are all tables that end by themselves.
var retention = []retained{
	{"jobs", year, jobSQL("now()"), `select not exists (select from jobs where id = $1)`},
	{"entries", year, `with job as (` + jobSQL("now()") + ` returning id)
		insert into entries (job_id, position, entry) select id, 0, '{}' from job`, `select not exists (select from entries where job_id = $1)`},
	{"jobs: PDF", day, jobSQL("null"), `select pdf_deleted_at is not null from jobs where id = $1`},
	{"dead_letters", 30 * day, agedSQL("dead_letters (source, reason, job_id, event, received_at)", "'s', 'r', id, '{}', at"),
		`select not exists (select from dead_letters where job_id = $1)`},
	{"turns", time.Hour, agedSQL("turns (priority, share, owner, used_at)", "'low', owner, id, at"),
		`select not exists (select from turns where owner = $1)`},
	{"feeds", 400 * day, feedSQL, `select not exists (select from feeds where id = $1)`},
	{"feed_events", 400 * day, `with feed as (` + feedSQL + ` returning id)
		insert into feed_events (feed_id, uid, fingerprint, last_modified) select id, 'u', 'f', now() from feed`,
		`select not exists (select from feed_events where feed_id = $1)`},
	// By whole years: this year's and the last one's are kept.
	{"typed_terms", 2 * year, agedSQL("typed_terms (owner, year, terms)", "id, extract(year from now())::int - case when at < now() - interval '732 days' then 2 else 1 end, '{}'"),
		`select not exists (select from typed_terms where owner = $1)`},
	{"ended_sessions", year, agedSQL("ended_sessions (id, expires_at)", "id::text, at + interval '366 days'"),
		`select not exists (select from ended_sessions where id = $1::uuid::text)`},
	{"google_syncs", 30 * day, `with ` + accountSQL + `
		insert into google_syncs (id, account_id, calendar_id, status, finished_at) select given.id, account.id, 'c', 'done', at from account, given`,
		`select not exists (select from google_syncs where id = $1)`},
	{"google_recipes", year, recipeSQL, `select not exists (select from google_recipes where id = $1)`},
	{"google_recipe_parts", year, recipeSQL, `select not exists (select from google_recipe_parts where recipe_id = $1)`},
	{"former_owners", 365 * day, agedSQL("former_owners (owner, former, moved_at)", "owner, id, at"),
		`select not exists (select from former_owners where former = $1)`},
	{"deletions", 365 * day, agedSQL("deletions (owner_hash, requested_at, erased_at)", "sha256(convert_to(id::text, 'UTF8')), at, at"),
		`select not exists (select from deletions where owner_hash = sha256(convert_to($1::uuid::text, 'UTF8')))`},
}

// givenSQL is what each row is made of.
const givenSQL = `(select $1::uuid as owner, $2::uuid as id, now() - make_interval(secs => $3::float8) as at) as given`

func agedSQL(into, values string) string {
	return "insert into " + into + " select " + values + " from " + givenSQL
}

func jobSQL(pdfDeleted string) string {
	return agedSQL("jobs (id, owner, status, kind, object_key, completed_at, announced_at, pdf_deleted_at)",
		"id, owner, 'completed', 'lecture', 'uploads/normal/' || id || '.pdf', at, at, "+pdfDeleted+"::timestamptz")
}

var feedSQL = agedSQL("feeds (id, token_hash, owner, options, fetched_at)", "id, sha256(convert_to(id::text, 'UTF8')), owner, '{}', at")

const accountSQL = `given as (select * from ` + givenSQL + `),
	account as (insert into google_accounts (id, subject, email) select owner, owner::text, '' from given returning id)`

const recipeSQL = `with ` + accountSQL + `,
	calendar as (insert into google_calendars (account_id, calendar_id) select id, 'c' from account returning account_id),
	recipe as (insert into google_recipes (id, account_id, calendar_id, options, scopes, years, created_at)
		select given.id, account_id, 'c', '{}', '{}', 'none', at from calendar, given returning id)
insert into google_recipe_parts (recipe_id, position, written, scopes) select id, 0, '{}', '{}' from recipe`

// untilDeleted are tables that a person's own deletion empties, or that have their clock tested elsewhere, and those
// that hold nothing of a person.
var untilDeleted = []string{
	"google_accounts", "google_calendars", "google_events", "session_generations",
	"google_revocations", // functions/google-sync: TestAccessThatGoogleNeverEndsIsForgotten
	"academic_years", "schema_version", "sweeps",
}

// TestRetention: what is older than its time is deleted by the sweeps, and what is younger is not.
func TestRetention(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) }) // nothing is left to send
	// Its stand-in of Google forgets all calendars when it starts, so rows come after that.
	start(t, stack.Config{Postgres: secret.New(dsn), Google: stack.FakeGoogle, SweepEvery: time.Second})
	old, young := map[string]string{}, map[string]string{}
	for _, r := range retention {
		const margin = time.Hour - time.Second
		for ids, age := range map[*map[string]string]time.Duration{&old: r.limit + margin, &young: r.limit - margin} {
			owner, id := uuid.NewString(), uuid.NewString()
			if _, err := db.Exec(t.Context(), r.insert, owner, id, age.Seconds()); err != nil {
				t.Fatalf("%s: %v", r.table, err)
			}
			(*ids)[r.table] = id
		}
	}
	gone := func(r retained, id string) bool {
		t.Helper()
		var answer bool
		if err := db.QueryRow(t.Context(), r.gone, id).Scan(&answer); err != nil {
			t.Fatalf("%s: %v", r.table, err)
		}
		return answer
	}
	eventually(t, func() error {
		for _, r := range retention {
			if !gone(r, old[r.table]) {
				return fmt.Errorf("%s: what is older than %s is kept", r.table, r.limit)
			}
		}
		return nil
	})
	for _, r := range retention {
		if gone(r, young[r.table]) {
			t.Errorf("%s: what is younger than %s is deleted", r.table, r.limit)
		}
	}
}

// TestEachTableHasItsRetention: a new table needs an answer to how long its rows are kept, here and in docs/privacy.md.
func TestEachTableHasItsRetention(t *testing.T) {
	t.Parallel()
	db, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) }) // nothing is left to send
	rows, err := db.Query(t.Context(), `select table_name::text from information_schema.tables where table_schema = 'public' order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, table := range untilDeleted {
		known[table] = true
	}
	for _, r := range retention {
		name, _, _ := strings.Cut(r.table, ":")
		known[name] = true
	}
	if got := slices.Sorted(maps.Keys(known)); !slices.Equal(got, there) {
		t.Errorf("the database has the tables\n%q\nwith a retention\n%q", there, got)
	}
	page, err := os.ReadFile("../../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range there {
		if !strings.Contains(string(page), "`"+table+"`") {
			t.Errorf("docs/privacy.md does not say how long %s is kept", table)
		}
	}
}

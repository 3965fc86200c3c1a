package personal

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
)

// TestEveryTableIsListed: a new table needs an answer to what it holds of a person.
func TestEveryTableIsListed(t *testing.T) {
	t.Parallel()
	there, err := postgres.Query(t.Context(), pgtest.Pool(t), pgx.RowTo[string],
		`select table_name::text from information_schema.tables where table_schema = 'public' order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, table := range tables {
		listed = append(listed, table.name)
		if (table.rows == "") != (table.why != "") {
			t.Errorf("%s needs rows to export, or a reason why not", table.name)
		}
		ways := 0
		for _, way := range []bool{len(table.owners) > 0, table.deletedWith != "", table.keptBecause != ""} {
			if way {
				ways++
			}
		}
		if ways != 1 {
			t.Errorf("%s needs one way in which its rows are deleted, or a reason why not", table.name)
		}
	}
	if slices.Sort(listed); !slices.Equal(there, listed) {
		t.Errorf("the database has the tables\n%q\nlisted are\n%q", there, listed)
	}
}

// person has a row in every table that can have one.
func person(t *testing.T, pool *postgres.Pool) (owner string) {
	t.Helper()
	owner = uuid.NewString()
	for _, sql := range []string{
		`insert into jobs (id, owner, object_key) select $1::uuid, $1::uuid, 'uploads/normal/' || $1::uuid`,
		`insert into entries (job_id, position, entry) select $1::uuid, 0, '{}'`,
	} {
		if _, err := pool.Exec(t.Context(), sql, owner); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.FillPerson(t, pool, owner, []byte("BEGIN:VCALENDAR"))
	return owner
}

// full are the tables that have rows, of those that a deletion empties or all.
func full(t *testing.T, pool *postgres.Pool) (names []string) {
	t.Helper()
	for _, table := range tables {
		if table.keptBecause != "" {
			continue
		}
		rows, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[bool], "select exists (select from "+table.name+")")
		if err != nil {
			t.Fatal(err)
		}
		if rows {
			names = append(names, table.name)
		}
	}
	return names
}

// TestNoTableIsForgotten: a restored database is emptied of a person, whatever tables there are.
func TestNoTableIsForgotten(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	people := NewStore(pool)
	owner := person(t, pool)
	hash := sha256.Sum256([]byte(owner))
	all := full(t, pool)
	for _, table := range tables {
		if table.keptBecause == "" && !slices.Contains(all, table.name) {
			t.Errorf("the test has no row in %s: add one to pgtest.FillPerson", table.name)
		}
	}
	before := time.Now().Add(-time.Hour)
	older := []Entry{{OwnerHash: hash[:], MadeBefore: &before, Requested: time.Now()}}
	if keys, err := people.Reapply(t.Context(), older); err != nil || len(keys) != 0 {
		t.Errorf("what is newer than a deletion: deleted %v, %v", keys, err)
	}
	if left := full(t, pool); !slices.Equal(left, all) {
		t.Errorf("what is newer than a deletion: left are only %v", left)
	}
	for range 2 { // it may be repeated
		if _, err := people.Reapply(t.Context(), []Entry{{OwnerHash: hash[:], Requested: time.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	if left := full(t, pool); len(left) != 0 {
		t.Errorf("rows are left in %v", left)
	}
	n, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[int], "select count(*)::int from google_revocations where account_id = $1::uuid and subject_hash is not null", owner)
	if err != nil || n != 1 {
		t.Errorf("%d tokens are left for google-sync to end the access with, %v; want 1", n, err)
	}
}

// TestAnEndedSessionStaysEndedInAnOlderDeletion: one that deletes only what is older leaves how often sessions ended.
func TestAnEndedSessionStaysEndedInAnOlderDeletion(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	owner := person(t, pool)
	hash, later := sha256.Sum256([]byte(owner)), time.Now().Add(time.Hour)
	if _, err := NewStore(pool).Reapply(t.Context(), []Entry{{OwnerHash: hash[:], MadeBefore: &later, Requested: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	if left := full(t, pool); !slices.Equal(left, []string{"session_generations"}) {
		t.Errorf("rows are left in %v", left)
	}
}

// TestATokenIsForgottenWhereGoogleIsSwitchedOff: nobody asks Google then.
func TestATokenIsForgottenWhereGoogleIsSwitchedOff(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	people, owner := NewStore(pool), person(t, pool)
	if err := people.Erase(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		age  time.Duration
		left int
	}{{RevocationTime - time.Hour, 1}, {2 * time.Hour, 0}} {
		if _, err := pool.Exec(t.Context(), "update google_revocations set requested_at = requested_at - make_interval(secs => $1::float8)", want.age.Seconds()); err != nil {
			t.Fatal(err)
		}
		_, err := people.Expire(t.Context(), time.Hour, 10)
		left, countErr := postgres.QueryOne(t.Context(), pool, pgx.RowTo[int], "select count(*)::int from google_revocations")
		if err := errors.Join(err, countErr); err != nil || left != want.left {
			t.Errorf("%v later: %d tokens are left, %v; want %d", want.age, left, err, want.left)
		}
	}
}

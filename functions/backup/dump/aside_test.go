package dump

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
)

// killedRestore begins a restore and lets go of the database, as if it were killed.
func killedRestore(t *testing.T, dsn string, replace bool) *Aside {
	t.Helper()
	a, err := MoveAside(t.Context(), dsn, replace)
	if err != nil {
		t.Fatal(err)
	}
	a.Close(t.Context())
	return a
}

// TestUndoBringsBackWhatTheFirstRestoreReplaced: restores were killed before the one that fails.
func TestUndoBringsBackWhatTheFirstRestoreReplaced(t *testing.T) {
	t.Parallel()
	names := func(dsn string) (names []string) {
		t.Helper()
		for _, table := range scan(t, dsn) {
			names = append(names, table.Name)
		}
		return names
	}
	t.Run("tables", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.Empty(t)
		do(t, dsn, "create table original (x int)")
		for range 2 {
			killedRestore(t, dsn, true)
			do(t, dsn, "create table half (x int)")
		}
		if _, err := killedRestore(t, dsn, true).Undo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := names(dsn); !slices.Equal(got, []string{"public.original"}) {
			t.Errorf("got %q, want the tables from before the first restore", got)
		}
		if err := checkRestored(t.Context(), dsn); err != nil {
			t.Errorf("everything is as it was: %v", err)
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.Empty(t)
		killedRestore(t, dsn, true)
		do(t, dsn, "create table half (x int)")
		if _, err := killedRestore(t, dsn, true).Undo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := names(dsn); !slices.Equal(got, []string{"public.half"}) {
			t.Errorf("got %q, want what the first restore left", got)
		}
		if err := checkRestored(t.Context(), dsn); !errors.Is(err, postgres.ErrRestoring) {
			t.Errorf("got %v, want that the first restore has not ended", err)
		}
	})
}

// TestADropThatIsKilledDropsNothing: the replaced tables of two killed restores are dropped together. Else the half-restored
// tables of the first would be what the next restore that fails brings back.
func TestADropThatIsKilledDropsNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	do(t, dsn, "create table original (x int)")
	var last *Aside
	for range 3 {
		last = killedRestore(t, dsn, true)
		do(t, dsn, "create table half (x int)")
	}
	all := asidesOf(t, dsn)
	if len(all) != 3 {
		t.Fatalf("%d schemas are aside, want 3", len(all))
	}
	reader, err := connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(context.Background())
	for _, sql := range []string{"begin", "lock table " + all[1].Schema + ".half in access share mode"} {
		if _, err := reader.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	dropped := make(chan error, 1)
	go func() {
		_, err := last.Drop(t.Context())
		dropped <- err
	}()
	const killSQL = `select count(pg_terminate_backend(pid)) from pg_stat_activity
		where datname = current_database() and wait_event_type = 'Lock' and query like 'drop schema%'`
	killer, err := connect(t.Context(), dsn) // in a transaction, as reader is, pg_stat_activity does not change
	if err != nil {
		t.Fatal(err)
	}
	defer killer.Close(context.Background())
	for killed := 0; killed == 0; {
		if err := killer.QueryRow(t.Context(), killSQL).Scan(&killed); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-dropped:
			if killed > 0 {
				dropped <- err
				break
			}
			t.Fatalf("the drop ended before it could be killed: %v", err)
		default:
		}
	}
	if err := <-dropped; err == nil {
		t.Error("a drop that was killed succeeded")
	}
	if left := asidesOf(t, dsn); !slices.Equal(left, all) {
		t.Errorf("aside are %+v, want all of %+v", left, all)
	}
}

// asidesOf are the schemas of all restores that have not ended.
func asidesOf(t *testing.T, dsn string) (all []aside) {
	t.Helper()
	conn, err := connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := inSchema(t.Context(), conn, func(_ pgx.Tx, found []aside) error { all = found; return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTwoRestoresOfADatabase: the second does not begin; and one whose session is lost touches nothing of the second.
func TestTwoRestoresOfADatabase(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	do(t, dsn, "create table original (x int)")
	first, err := MoveAside(t.Context(), dsn, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := MoveAside(t.Context(), dsn, true); !errors.Is(err, ErrRestoreRuns) {
		t.Errorf("the second began: %v", err)
	}
	first.Close(t.Context()) // as if the network lost it
	second, err := MoveAside(t.Context(), dsn, true)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close(t.Context())
	want := asidesOf(t, dsn)
	for name, end := range map[string]func(context.Context) ([]string, error){"undo": first.Undo, "drop": first.Drop} {
		if _, err := end(t.Context()); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%s by the first: %v, want ErrNotOurs", name, err)
		}
	}
	if got := asidesOf(t, dsn); !slices.Equal(got, want) {
		t.Errorf("aside are %+v, want %+v", got, want)
	}
	if _, err := second.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := scan(t, dsn); len(got) != 1 || got[0].Name != "public.original" {
		t.Errorf("got %+v, want the tables from before the first restore", got)
	}
}

// TestAnEmptyDatabaseIsReadyAgain, although a restore before the one that fails was killed: neither wrote anything.
func TestAnEmptyDatabaseIsReadyAgain(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	var last *Aside
	for range 2 {
		last = killedRestore(t, dsn, false)
	}
	if _, err := last.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := checkRestored(t.Context(), dsn); err != nil {
		t.Errorf("everything is as it was: %v", err)
	}
}

// TestAsidesSortByTheirNumber, and after those that were named by a clock.
func TestAsidesSortByTheirNumber(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	do(t, dsn, "create table original (x int)", "create schema "+postgres.ReplacedPrefix+"20261128t041550_799055852_ggkyvgnr")
	for range 11 {
		a := killedRestore(t, dsn, true)
		if all := asidesOf(t, dsn); all[len(all)-1].Schema != a.schema {
			t.Fatalf("%s is not the last of %+v", a.schema, all)
		}
	}
}

// TestARestoreWaitsForAMigration, which then goes no further.
func TestARestoreWaitsForAMigration(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	do(t, dsn, "create table original (x int)")
	conn, err := connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	migration, err := conn.Begin(t.Context())
	if err == nil {
		err = postgres.LockSchema(t.Context(), migration)
	}
	if err != nil {
		t.Fatal(err)
	}
	moved := make(chan error, 1)
	go func() {
		a, err := MoveAside(t.Context(), dsn, true)
		if err == nil {
			a.Close(t.Context())
		}
		moved <- err
	}()
	const waitingSQL = "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())"
	for waiting := 0; waiting == 0; {
		if err := conn.QueryRow(t.Context(), waitingSQL).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-moved:
			t.Fatalf("the restore did not wait: %v", err)
		default:
		}
	}
	if _, err := migration.Exec(t.Context(), "create table added (x int)"); err != nil {
		t.Fatal(err)
	}
	if err := migration.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-moved; err != nil {
		t.Fatal(err)
	}
	if got := scan(t, dsn); len(got) != 0 {
		t.Errorf("got %+v, want all tables aside", got)
	}
	if err := postgres.Migrate(t.Context(), dsn); !errors.Is(err, postgres.ErrRestoring) {
		t.Errorf("the next migration: %v, want ErrRestoring", err)
	}
}

// checkRestored is [postgres.CheckRestored] of a database.
func checkRestored(ctx context.Context, dsn string) error {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	return postgres.CheckRestored(ctx, conn)
}

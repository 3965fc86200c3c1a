package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
)

// fake is a directory with a pg_dump and a pg_restore that do what the script says.
func fake(t *testing.T, version, script string) (dumpPath string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo \"pg_dump (PostgreSQL) " + version + "\"; exit 0; fi\n" + script + "\n"
	for _, name := range []string{"pg_dump", "pg_restore"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pg_dump")
}

func TestToolsAreTheServersVersionOrTheNextNewer(t *testing.T) {
	t.Parallel()
	old, same, newer := fake(t, "13.4 (Debian 13.4-1)", ""), fake(t, "15.18", ""), fake(t, "17.1", "")
	for _, test := range []struct {
		candidates []string
		server     int
		want       string
	}{
		{[]string{newer, old, same}, 15, "15.18"},
		{[]string{newer, old}, 15, "17.1"},
		{[]string{old}, 15, "error: pg_dump is of version 13, older than the server's 15: install postgresql-client-15"},
		{nil, 16, "error: pg_dump is not installed: on Debian or Ubuntu run: apt-get install postgresql-client-16"},
		{[]string{"/nowhere/pg_dump"}, 16, "error: pg_dump is not installed"},
	} {
		tools, err := closestTools(t.Context(), test.candidates, test.server)
		got := tools.Version
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.HasPrefix(got, test.want) || got == "" {
			t.Errorf("server %d: got %q, want %q", test.server, got, test.want)
		}
	}
}

// Arguments are for everybody on the machine to read: no password may be in them.
func TestPasswordsAreInTheEnvironmentAlone(t *testing.T) {
	t.Parallel()
	path := fake(t, "15.1", `echo "args: $*"; echo "password: $PGPASSWORD"`)
	tools, err := closestTools(t.Context(), []string{path}, 15)
	if err != nil {
		t.Fatal(err)
	}
	for _, dsn := range []string{
		"postgres://user:s3cr%3At@db.example:5432/schedgen?sslmode=require&pool_max_conns=4",
		"postgresql://user@db.example:5432/schedgen?sslmode=require&password=s3cr:t",
	} {
		var out bytes.Buffer
		if err := tools.Write(t.Context(), dsn, "0000-1", &out); err != nil {
			t.Fatal(err)
		}
		args, environment, _ := strings.Cut(out.String(), "\n")
		if strings.Contains(args, "s3cr") || strings.Contains(args, "pool_max_conns") || !strings.Contains(args, "sslmode=require") || !strings.Contains(args, "user@db.example:5432/schedgen") {
			t.Errorf("%s: got the arguments %q", dsn, args)
		}
		if environment != "password: s3cr:t\n" {
			t.Errorf("%s: got %q", dsn, environment)
		}
	}
	failing, err := closestTools(t.Context(), []string{fake(t, "15.1", `echo "connection to $PGHOST failed" >&2; exit 1`)}, 15)
	if err != nil {
		t.Fatal(err)
	}
	err = failing.Write(t.Context(), "postgres://user:s3cret@db.example/schedgen", "0-1", io.Discard)
	var tool *ToolError
	if !errors.As(err, &tool) || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "failed") {
		t.Errorf("got %v, want the program's words without the password", err)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"", "host=x dbname=y password=s3cret", "mysql://x/y", "postgres://u:s3cret@host", "postgres://u:s3cret@host:port/x"} {
		for name, f := range map[string]func() error{
			"parse":    func() error { _, err := parseAddress(dsn); return err },
			"with":     func() error { _, err := WithDatabase(dsn, "x"); return err },
			"open":     func() error { _, err := Open(t.Context(), dsn+"?connect_timeout=1"); return err },
			"restore":  func() error { return Tools{}.Restore(t.Context(), dsn, strings.NewReader("")) },
			"scratch":  func() error { _, _, err := CreateScratch(t.Context(), dsn); return err },
			"leftover": func() error { return DropScratch(t.Context(), dsn) },
		} {
			if name == "open" && !strings.HasPrefix(dsn, "mysql") {
				continue // pgx knows more forms of addresses than the programs' do
			}
			if err := f(); err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s %q: got %v, want an error that quotes nothing", name, dsn, err)
			}
		}
	}
}

func TestWhoStopsReadingOrWritingIsNamed(t *testing.T) {
	t.Parallel()
	tools, err := closestTools(t.Context(), []string{fake(t, "15.1", "yes archive | head -c 3000000; cat >/dev/null")}, 15)
	if err != nil {
		t.Fatal(err)
	}
	full, away := errors.New("the bucket is full"), errors.New("the bucket is away")
	const dsn = "postgres://user@127.0.0.1/x"
	if err := tools.Write(t.Context(), dsn, "1", &limited{room: 100, err: full}); !errors.Is(err, full) {
		t.Errorf("write: got %v, want %v", err, full)
	}
	if err := tools.Restore(t.Context(), dsn, iotest.ErrReader(away)); !errors.Is(err, away) {
		t.Errorf("restore: got %v, want %v", err, away)
	}
	if _, err := tools.List(t.Context(), iotest.ErrReader(away)); !errors.Is(err, away) {
		t.Errorf("list: got %v, want %v", err, away)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(away)
	if err := tools.Write(ended, dsn, "1", io.Discard); !errors.Is(err, away) {
		t.Errorf("after the end of the context: got %v, want its cause", err)
	}
}

// limited takes some bytes and then fails.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.room -= len(p); l.room < 0 {
		return 0, l.err
	}
	return len(p), nil
}

func do(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	if err := execute(t.Context(), dsn, statements...); err != nil {
		t.Fatal(err)
	}
}

func scan(t *testing.T, dsn string) []Table {
	t.Helper()
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tables, err := s.Tables(t.Context(), func(Table) {})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// Each change of one value, anywhere, is seen by Compare; the order of rows is not one.
func TestEveryChangeIsSeen(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	fill := func(order string) {
		do(t, dsn, `drop table if exists "odd name", empty, one_more`, `create table empty (id int)`,
			`create table "odd name" (id int, "a;b" text, at timestamptz, raw bytea, n numeric, doc jsonb)`,
			`insert into "odd name" select i, 'text ' || i, '2026-02-09 08:00+02', '\xff00', i + 0.5, '{"a":1}' from generate_series(1, 50) i order by i `+order)
	}
	fill("asc")
	want := scan(t, dsn)
	if len(want) != 2 || want[1].Rows != 50 {
		t.Fatalf("got %+v", want)
	}
	for _, change := range []string{
		`update "odd name" set "a;b" = 'text 8' where id = 7`,
		`update "odd name" set at = at + interval '1 microsecond' where id = 7`,
		`update "odd name" set raw = '\xff01' where id = 7`,
		`update "odd name" set n = 7.50 where id = 7`,
		`update "odd name" set doc = null where id = 7`,
		`delete from "odd name" where id = 7`,
		`insert into empty values (null)`,
		`create table one_more (id int)`,
		`drop table empty`,
	} {
		fill("desc")
		if err := Compare(scan(t, dsn), want); err != nil {
			t.Fatalf("the same rows in another order differ: %v", err)
		}
		do(t, dsn, change)
		if Compare(scan(t, dsn), want) == nil {
			t.Errorf("not seen: %s", change)
		}
	}
}

func TestTheDumpIsTheSnapshotWhateverHappensMeanwhile(t *testing.T) {
	t.Parallel()
	dsn, into := pgtest.New(t), pgtest.Empty(t)
	do(t, dsn, `insert into dead_letters (source, reason, event) select 'a', i::text, '{}' from generate_series(1, 500) i`)
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	do(t, dsn, `delete from dead_letters where id % 2 = 0`, `update dead_letters set reason = 'changed'`, `insert into dead_letters (source, reason, event) values ('b', 'later', '{}')`)
	tools, err := FindTools(t.Context(), s.Major)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := tools.Write(t.Context(), dsn, s.ID, &archive); err != nil {
		t.Fatal(err)
	}
	want, err := s.Tables(t.Context(), func(Table) {})
	if err != nil {
		t.Fatal(err)
	}
	items, err := tools.List(t.Context(), bytes.NewReader(archive.Bytes()))
	if err != nil || !strings.Contains(strings.Join(items, "\n"), "TABLE DATA public dead_letters") {
		t.Errorf("got the items %q, %v", items, err)
	}
	if err := tools.Restore(t.Context(), into, &archive); err != nil {
		t.Fatal(err)
	}
	if err := Compare(scan(t, into), want); err != nil {
		t.Errorf("the restored database is not the snapshot: %v", err)
	}
	if err := Compare(scan(t, dsn), want); err == nil {
		t.Error("the changes since are not seen")
	}
}

func TestADamagedArchiveRestoresNothing(t *testing.T) {
	t.Parallel()
	dsn, into := pgtest.New(t), pgtest.Empty(t)
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tools, err := FindTools(t.Context(), s.Major)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := tools.Write(t.Context(), dsn, s.ID, &archive); err != nil {
		t.Fatal(err)
	}
	if err := tools.Restore(t.Context(), into, bytes.NewReader(archive.Bytes()[:archive.Len()-archive.Len()/4])); err == nil {
		t.Error("three quarters of an archive were restored without an error")
	}
	if err := CheckEmpty(t.Context(), into); err != nil {
		t.Errorf("something of it is there: %v", err)
	}
	if _, err := tools.List(t.Context(), strings.NewReader("no archive")); err == nil {
		t.Error("what is no archive was listed")
	}
}

func TestScratchDatabasesOfTheDeadAreDropped(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	left, _, err := CreateScratch(t.Context(), dsn) // its verification is killed
	if err != nil {
		t.Fatal(err)
	}
	name, err := DatabaseName(dsn)
	if err != nil {
		t.Fatal(err)
	}
	theirs := name + "_verify_me" // somebody's own, that only looks alike
	do(t, dsn, "create database "+theirs)
	t.Cleanup(func() {
		if err := execute(context.Background(), dsn, "drop database "+theirs); err != nil {
			t.Errorf("the database %s, which is no scratch database: %v", theirs, err)
		}
	})
	if err := DropScratch(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	if _, err := ServerMajor(t.Context(), left); err == nil {
		t.Error("it is still there")
	}
	if err := CheckEmpty(t.Context(), dsn); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("the database itself: got %v, want it untouched", err)
	}
}

// TestUndoBringsBackWhatTheFirstRestoreReplaced: restores were killed before the one that fails.
func TestUndoBringsBackWhatTheFirstRestoreReplaced(t *testing.T) {
	t.Parallel()
	moveAside := func(dsn string) *Aside {
		t.Helper()
		a, err := MoveAside(t.Context(), dsn, true)
		if err != nil {
			t.Fatal(err)
		}
		a.Close(t.Context()) // as if it were killed
		return a
	}
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
			moveAside(dsn)
			do(t, dsn, "create table half (x int)")
		}
		if _, err := moveAside(dsn).Undo(t.Context()); err != nil {
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
		moveAside(dsn)
		do(t, dsn, "create table half (x int)")
		if _, err := moveAside(dsn).Undo(t.Context()); err != nil {
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
		a, err := MoveAside(t.Context(), dsn, true)
		if err != nil {
			t.Fatal(err)
		}
		last = a
		a.Close(t.Context()) // as if it were killed
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
		a, err := MoveAside(t.Context(), dsn, false)
		if err != nil {
			t.Fatal(err)
		}
		a.Close(t.Context())
		last = a
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
		a, err := MoveAside(t.Context(), dsn, true)
		if err != nil {
			t.Fatal(err)
		}
		a.Close(t.Context())
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

func ExampleCompare() {
	fmt.Println(Compare([]Table{{"public.jobs", 2, "17"}}, []Table{{"public.jobs", 3, "21"}}))
	// Output: table public.jobs has 2 rows instead of 3
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

package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
)

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

// TestTheSessionOfALostMachineEnds after a minute, by the server's own measure: half a minute of silence, three questions.
func TestTheSessionOfALostMachineEnds(t *testing.T) {
	t.Parallel()
	conn, err := connect(t.Context(), pgtest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	const sql = `select string_agg(setting, ' ' order by name) from pg_settings where name like 'tcp_keepalives%'`
	var got string
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if want := "3 30 10"; got != want { // count, idle, interval
		t.Errorf("the keepalives are %q, want %q", got, want)
	}
}

func ExampleCompare() {
	fmt.Println(Compare([]Table{{"public.jobs", 2, "17"}}, []Table{{"public.jobs", 3, "21"}}))
	// Output: table public.jobs has 2 rows instead of 3
}

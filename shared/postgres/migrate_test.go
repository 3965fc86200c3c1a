package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// schema is each column of each table, and the version.
func schema(t *testing.T, dsn string) []string {
	t.Helper()
	rows, err := postgres.Query(t.Context(), open(t, postgres.Config{URL: secret.New(dsn)}), pgx.RowTo[string], `
		select format('%s.%s %s %s', table_name, column_name, data_type, column_default)
		from information_schema.columns where table_schema = 'public'
		union all select indexdef from pg_indexes where schemaname = 'public'
		union all select 'version ' || version from public.schema_version
		order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// execute runs sql, which may be several statements.
func execute(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateIsSafeInAnyNumberAtOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := postgres.Migrate(context.Background(), dsn); err != nil {
				t.Errorf("migrate: %v", err)
			}
		})
	}
	all.Wait()
	if got, want := schema(t, dsn), schema(t, pgtest.New(t)); !slices.Equal(got, want) {
		t.Errorf("four at once: got %q, want %q", got, want)
	}
}

// Each database is made as tern made it: the files up to a version, and that version in the table.
func TestMigrateContinuesFromEveryOlderVersion(t *testing.T) {
	t.Parallel()
	files, err := postgres.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	want := schema(t, pgtest.New(t))
	for version := range len(names) + 1 {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Empty(t)
			execute(t, dsn, fmt.Sprintf("create table public.schema_version (version int4 not null); insert into public.schema_version values (%d)", version))
			for _, name := range names[:version] {
				sql, err := fs.ReadFile(files, name)
				if err != nil {
					t.Fatal(err)
				}
				execute(t, dsn, string(sql))
			}
			if err := postgres.Migrate(t.Context(), dsn); err != nil {
				t.Fatal(err)
			}
			if got := schema(t, dsn); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	file := func(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(sql)} }
	files := fstest.MapFS{
		"001_a.sql": file("create table a (x int)"),
		"002_b.sql": file("create table b (x int); select nonsense"),
	}
	if err := postgres.MigrateFrom(t.Context(), dsn, files); err == nil || !strings.Contains(err.Error(), "002_b.sql") {
		t.Errorf("a mistake in the second: got %v", err)
	}
	if got, want := schema(t, dsn), []string{"a.x integer ", "schema_version.version integer ", "version 1"}; !slices.Equal(got, want) {
		t.Errorf("after it: got %q, want %q", got, want)
	}
	files["002_b.sql"] = file("create table b (x int)")
	if err := postgres.MigrateFrom(t.Context(), dsn, files); err != nil {
		t.Errorf("mended: got %v", err)
	}
	delete(files, "002_b.sql")
	if err := postgres.MigrateFrom(t.Context(), dsn, files); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("a program older than the database: got %v", err)
	}
	files["003_c.sql"] = file("create table c (x int)")
	if err := postgres.MigrateFrom(t.Context(), dsn, files); err == nil || !strings.Contains(err.Error(), "003_c.sql") {
		t.Errorf("a number is missing: got %v", err)
	}
}

// TestNoMigrationDuringARestore: its tables are aside, and new ones would look like a whole database.
func TestNoMigrationDuringARestore(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	execute(t, dsn, "create schema "+postgres.ReplacedPrefix+"x")
	if err := postgres.Migrate(t.Context(), dsn); !errors.Is(err, postgres.ErrRestoring) {
		t.Errorf("got %v, want ErrRestoring", err)
	}
	made, err := postgres.QueryOne(t.Context(), open(t, postgres.Config{URL: secret.New(dsn)}), pgx.RowTo[int], "select count(*)::int from pg_tables where schemaname = 'public'")
	if err != nil || made != 0 {
		t.Errorf("the migration made %d tables, %v", made, err)
	}
	if err := postgres.MigrateRestored(t.Context(), dsn); err != nil {
		t.Errorf("the restore itself: %v", err)
	}
}

// TestNoMigrationAfterARestoreThatBeganMeanwhile: it began while the migration waited for the lock.
func TestNoMigrationAfterARestoreThatBeganMeanwhile(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	pool := open(t, postgres.Config{URL: secret.New(dsn)})
	migrated := make(chan error, 1)
	err := pool.Tx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		if err := postgres.LockSchema(ctx, tx); err != nil {
			return err
		}
		go func() { migrated <- postgres.Migrate(context.WithoutCancel(ctx), dsn) }()
		const sql = `select count(*) from pg_locks where locktype = 'advisory' and not granted
			and database = (select oid from pg_database where datname = current_database())`
		for waiting := 0; waiting == 0; {
			if err := tx.QueryRow(ctx, sql).Scan(&waiting); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "create schema "+postgres.ReplacedPrefix+"x")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; !errors.Is(err, postgres.ErrRestoring) {
		t.Errorf("got %v, want ErrRestoring", err)
	}
}

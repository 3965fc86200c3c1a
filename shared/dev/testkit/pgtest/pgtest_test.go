package pgtest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	t.Parallel()
	first, second := pgtest.Pool(t), pgtest.Pool(t)
	ctx := context.Background()
	if _, err := first.Exec(ctx, "insert into dead_letters (source, reason, event) values ('a', 'b', '{}')"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pool *postgres.Pool
		want int64
	}{"first": {first, 1}, "second": {second, 0}} {
		got, err := postgres.QueryOne(ctx, c.pool, pgx.RowTo[int64], "select count(*) from dead_letters")
		if err != nil || got != c.want {
			t.Errorf("%s database: got %d rows, %v; want %d", name, got, err, c.want)
		}
	}
}

func TestAnOwnServerIsMigratedAndAnEmptyDatabaseIsNot(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]bool{pgtest.Own(t, t.TempDir()).DSN(): true, pgtest.Empty(t): false} {
		pool, err := postgres.Open(postgres.Config{URL: secret.New(dsn)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[bool], "select to_regclass('jobs') is not null")
		pool.Close()
		if err != nil || got != want {
			t.Errorf("has a table of jobs: got %v, %v; want %v", got, err, want)
		}
	}
}

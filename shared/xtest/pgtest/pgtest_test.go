package pgtest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/xtest/pgtest"
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

package postgres_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// lines is a log that is safe for concurrent use; each line is also sent on written.
type lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.written <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// measured is a pool, its metrics, and a context whose log is kept.
func measured(t *testing.T, slow time.Duration) (*postgres.Pool, *prometheus.Registry, context.Context, *lines) {
	t.Helper()
	pool, err := postgres.Open(postgres.Config{URL: secret.New(pgtest.New(t)), SlowQuery: slow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	registry := prometheus.NewRegistry()
	registry.MustRegister(pool.Collectors()...)
	log := &lines{written: make(chan struct{}, 1)}
	return pool, registry, api.WithLogger(t.Context(), slog.New(slog.NewTextHandler(log, nil))), log
}

func TestStatementsAreMeasured(t *testing.T) {
	t.Parallel()
	pool, registry, ctx, log := measured(t, time.Nanosecond)
	if _, err := pool.Exec(ctx, "select $1::text as a_secret\n\t from generate_series(1, 3)", "the secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(ctx, "-- $1: what nobody\n\n  --reads\nselect $1::text as commented", "the secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(ctx, "select 1/0"); err == nil {
		t.Fatal("a division by zero is no error")
	}
	if text := log.String(); !strings.Contains(text, "slow query") || !strings.Contains(text, "select $1::text as a_secret from generate_series(1, 3)") || strings.Contains(text, "the secret") {
		t.Errorf("got the log %s, want the statement on one line and no value", text)
	} else if !strings.Contains(text, `sql="select $1::text as commented"`) {
		t.Errorf("got the log %s, want a statement without the comment before it", text)
	}
	want := `
# HELP schedgen_db_connections Open database connections by state: idle, in_use.
# TYPE schedgen_db_connections gauge
schedgen_db_connections{state="idle"} 1
schedgen_db_connections{state="in_use"} 0
# HELP schedgen_db_connections_max The most database connections that the instance opens (DATABASE_MAX_CONNS).
# TYPE schedgen_db_connections_max gauge
schedgen_db_connections_max 4
# HELP schedgen_db_query_errors_total Statements that ended with an error, those that ran out of time included.
# TYPE schedgen_db_query_errors_total counter
schedgen_db_query_errors_total 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "schedgen_db_connections", "schedgen_db_connections_max", "schedgen_db_query_errors_total"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
}

// A batch goes around the tracer of single statements.
func TestBatchesAreMeasured(t *testing.T) {
	t.Parallel()
	pool, registry, ctx, log := measured(t, time.Nanosecond)
	send := func(sql string) error {
		return pool.Conn(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			var batch pgx.Batch
			batch.Queue("select 1 as first")
			batch.Queue(sql, "0")
			return c.SendBatch(ctx, &batch).Close()
		})
	}
	if err := send("select 2/$1::text::int"); err == nil {
		t.Fatal("a division by zero is no error")
	}
	if err := send("select 2+$1::text::int"); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "select 1 as first; select 2+$1::text::int") {
		t.Errorf("got the log %s, want the slow batch", text)
	}
	want := `
# HELP schedgen_db_query_errors_total Statements that ended with an error, those that ran out of time included.
# TYPE schedgen_db_query_errors_total counter
schedgen_db_query_errors_total 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "schedgen_db_query_errors_total"); err != nil {
		t.Error(err)
	}
}

func TestAHeldConnectionIsReportedWithItsHolder(t *testing.T) {
	t.Parallel()
	pool, registry, ctx, log := measured(t, time.Hour)
	postgres.SetHold(pool, time.Millisecond)
	err := pool.Conn(ctx, func(context.Context, *pgxpool.Conn) error {
		<-log.written // the report, while the connection is held
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "database connection held too long") || !strings.Contains(text, "TestAHeldConnectionIsReportedWithItsHolder") {
		t.Errorf("got the log %q, want it to name the function that holds the connection", text)
	}
	want := `
# HELP schedgen_db_connections_held_total Connections that one piece of work held for more than a minute; the log names the code.
# TYPE schedgen_db_connections_held_total counter
schedgen_db_connections_held_total 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "schedgen_db_connections_held_total"); err != nil {
		t.Error(err)
	}
	postgres.SetHold(pool, time.Hour)
	if _, err := pool.Exec(ctx, "select 1"); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "held too long"); n != 1 {
		t.Errorf("%d reports, want 1", n)
	}
}

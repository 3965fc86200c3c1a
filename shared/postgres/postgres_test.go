package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

func open(t *testing.T, cfg postgres.Config) *postgres.Pool {
	t.Helper()
	pool, err := postgres.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestMigrateSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"junk://:secret@h", "postgres://u:secret@127.0.0.1:1/x"} {
		if err := postgres.Migrate(t.Context(), dsn); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", dsn, err)
		}
	}
}

func TestParametersOfEveryKindTravel(t *testing.T) {
	t.Parallel()
	type row struct {
		ID, JSON string
		Bytes    []byte
		List     []string
		When     time.Time
		None     *time.Time
	}
	when := time.Now().UTC().Truncate(time.Microsecond)
	for name, pooled := range map[string]bool{"direct": false, "behind PgBouncer": true} {
		pool := open(t, postgres.Config{URL: secret.New(pgtest.New(t)), Pooled: pooled})
		got, err := postgres.QueryOne(t.Context(), pool, pgx.RowToStructByPos[row],
			"select $1::uuid::text, $2::jsonb::text, $3::bytea, $4::text[], $5::timestamptz, $6::timestamptz",
			"0192a0b0-0000-7000-8000-000000000000", `{"a": "é"}`, []byte{0, 255}, []string{"a,b", `"`}, when, nil)
		if err != nil || got.JSON != `{"a": "é"}` || string(got.Bytes) != "\x00\xff" || len(got.List) != 2 || !got.When.Equal(when) || got.None != nil {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		statements, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[int], "select count(*)::int from pg_prepared_statements")
		if err != nil || statements != 0 {
			t.Errorf("%s: %d prepared statements are left, %v", name, statements, err)
		}
	}
}

func TestATransactionIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	stop := errors.New("stop")
	insert := func(result error) error {
		return pool.Tx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "insert into dead_letters (source, reason, event) values ('a', 'b', '{}')"); err != nil {
				return err
			}
			return result
		})
	}
	if err := insert(stop); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if err := insert(nil); err != nil {
		t.Errorf("got %v", err)
	}
	rows, err := postgres.Query(t.Context(), pool, pgx.RowTo[string], "select source from dead_letters")
	if err != nil || len(rows) != 1 {
		t.Errorf("got %d rows, %v; want 1", len(rows), err)
	}
}

func TestEverythingHasADeadline(t *testing.T) {
	t.Parallel()
	pool := open(t, postgres.Config{URL: secret.New(pgtest.New(t)), MaxConns: 1, AcquireTimeout: 50 * time.Millisecond, StatementTimeout: 100 * time.Millisecond})
	var down *postgres.DownError
	if _, err := pool.Exec(t.Context(), "select pg_sleep(60)"); !errors.As(err, &down) {
		t.Errorf("a slow statement: got %v", err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		// A new connection can take longer than the pool waits for one, where the machine is busy.
		for taken := false; !taken && t.Context().Err() == nil; {
			_ = pool.Conn(context.Background(), func(context.Context, *pgxpool.Conn) error {
				taken = true
				close(held)
				<-release
				return nil
			})
		}
	})
	<-held
	err := pool.Ping(contextWithin(t, 50*time.Millisecond))
	if err == nil {
		t.Error("a ping without a free connection: got no error")
	}
	if _, err := pool.Exec(t.Context(), "select 1"); !errors.As(err, &down) {
		t.Errorf("no free connection: got %v", err)
	}
	close(release)
	holder.Wait()
	if err := pool.Ping(t.Context()); err != nil {
		t.Errorf("afterwards: got %v", err)
	}
}

func contextWithin(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAnOutageIsToldFromAMistake(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var down *postgres.DownError
	var server *pgconn.PgError
	if _, err := pool.Exec(t.Context(), "select nonsense"); errors.As(err, &down) || !errors.As(err, &server) {
		t.Errorf("a mistake: got %v", err)
	}
	if _, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[int], "select 1 where false"); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("no rows: got %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pool.Exec(canceled, "select 1"); errors.As(err, &down) || !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who went away: got %v", err)
	}
	away := open(t, postgres.Config{URL: secret.New("postgres://u:secret@127.0.0.1:1/x")})
	_, err := away.Exec(t.Context(), "select 1")
	if !errors.As(err, &down) || api.From(err).Code != api.DatabaseUnavailable {
		t.Errorf("nobody there: got %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "secret") {
		t.Errorf("the error shows the password: %v", err)
	}
	if _, err := postgres.Open(postgres.Config{URL: secret.New("postgres://u:secret@h:port/x")}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong address: got %v", err)
	}
}

func TestTheServerMayStopAndComeBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := pgtest.Own(t, dir)
	pool := open(t, postgres.Config{URL: secret.New(server.DSN()), AcquireTimeout: 5 * time.Second})
	if _, err := pool.Exec(t.Context(), "insert into dead_letters (source, reason, event) values ('a', 'b', '{}')"); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	var down *postgres.DownError
	if _, err := pool.Exec(t.Context(), "select 1"); !errors.As(err, &down) {
		t.Errorf("stopped: got %v, want an outage", err)
	}
	pgtest.Own(t, dir, pg.Port(server.Port()))
	rows, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[int], "select count(*)::int from dead_letters")
	if err != nil || rows != 1 {
		t.Errorf("back: got %d rows, %v; want 1", rows, err)
	}
}

// TestADatabaseThatLetsNobodyInIsDown checks what PostgreSQL itself answers to who connects: it is no fault of a statement.
func TestADatabaseThatLetsNobodyInIsDown(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	missing, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	missing.Path = "/no_such_database"
	pool := open(t, postgres.Config{URL: secret.New(missing.String())})
	_, err = pool.Exec(t.Context(), "select 1")
	var down *postgres.DownError
	if !errors.As(err, &down) {
		t.Errorf("got %v, want a DownError", err)
	}
}

// A restore that goes on is an outage to callers, not a fault inside.
func TestARestoreThatGoesOnIsAnOutage(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), "create schema "+postgres.ReplacedPrefix+"x"); err != nil {
		t.Fatal(err)
	}
	err := pool.Ping(t.Context())
	if !errors.Is(err, postgres.ErrRestoring) || api.From(err).Code != api.DatabaseUnavailable {
		t.Errorf("got %v, which callers see as %s", err, api.From(err).Code)
	}
}

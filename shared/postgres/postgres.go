// Package postgres is the way to PostgreSQL: a small pool that connects with the first query, a
// deadline on everything, and the embedded migrations.
//
// It is safe behind PgBouncer in transaction mode: no prepared statement outlives its query, and
// nothing relies on the state of a session. Parameters travel as text, so SQL casts what is not
// obvious: $1::uuid, $2::jsonb.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

// Config says which database and how patiently.
type Config struct {
	URL              secret.String `env:"DATABASE_URL, required"`                  // postgres://user:password@host:5432/schedgen
	MaxConns         int32         `env:"DATABASE_MAX_CONNS, default=4"`           // of one instance
	AcquireTimeout   time.Duration `env:"DATABASE_ACQUIRE_TIMEOUT, default=30s"`   // wait for a free connection
	ConnectTimeout   time.Duration `env:"DATABASE_CONNECT_TIMEOUT, default=5s"`    // one dial
	StatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT, default=10s"` // one statement or transaction
	SlowQuery        time.Duration `env:"DATABASE_SLOW_QUERY, default=1s"`         // a statement that takes longer is logged
	// Pooled says that PgBouncer is in front, which refuses the startup parameter that makes the
	// server itself end a statement that takes too long. The deadline here holds either way.
	Pooled bool `env:"DATABASE_POOLED, default=false"`
}

// Pool is a small set of connections, opened when they are first needed. It is safe for concurrent use.
type Pool struct {
	cfg     Config
	pool    *pgxpool.Pool
	metrics *metrics
}

// Open checks cfg and connects nothing.
func Open(cfg Config) (*Pool, error) {
	cfg = settings.WithDefaults(cfg)
	parsed, err := pgxpool.ParseConfig(cfg.URL.Reveal())
	if err != nil {
		// The parser's error quotes the address, which may carry a password.
		return nil, errors.New("DATABASE_URL is not a PostgreSQL address such as postgres://user@host:5432/schedgen")
	}
	parsed.MaxConns = cfg.MaxConns
	parsed.MinConns = 0
	parsed.MaxConnLifetime = 30 * time.Minute
	parsed.MaxConnIdleTime = 5 * time.Minute
	parsed.ConnConfig.ConnectTimeout = cfg.ConnectTimeout
	parsed.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	parsed.ConnConfig.StatementCacheCapacity = 0
	parsed.ConnConfig.DescriptionCacheCapacity = 0
	metrics := newMetrics(cfg.SlowQuery)
	parsed.ConnConfig.Tracer = metrics
	if !cfg.Pooled {
		parsed.ConnConfig.RuntimeParams["statement_timeout"] = strconv.FormatInt(cfg.StatementTimeout.Milliseconds(), 10)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), parsed)
	if err != nil {
		return nil, fmt.Errorf("prepare the database pool: %w", err)
	}
	metrics.pool = pool
	return &Pool{cfg: cfg, pool: pool, metrics: metrics}, nil
}

// Conn runs f with a connection of its own, within the statement timeout.
func (p *Pool) Conn(ctx context.Context, f func(context.Context, *pgxpool.Conn) error) error {
	began := time.Now()
	waiting, cancel := context.WithTimeout(ctx, p.cfg.AcquireTimeout)
	conn, err := p.pool.Acquire(waiting)
	cancel()
	if err != nil {
		return outage(ctx, fmt.Errorf("acquire a database connection: %w", err))
	}
	p.metrics.acquired(ctx, began)
	defer conn.Release()
	defer p.metrics.watchHeld(ctx)()
	working, cancel := context.WithTimeout(ctx, p.cfg.StatementTimeout)
	defer cancel()
	return outage(ctx, f(working, conn))
}

// Tx runs f in one transaction: committed when f returns nil, rolled back otherwise.
func (p *Pool) Tx(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	return p.Conn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return f(ctx, tx) })
	})
}

// Exec runs one statement and says how many rows it touched.
func (p *Pool) Exec(ctx context.Context, sql string, args ...any) (touched int64, err error) {
	err = p.Conn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		tag, err := conn.Exec(ctx, sql, args...)
		touched = tag.RowsAffected()
		return err
	})
	return touched, err
}

// Query collects the rows of one statement, each by scan.
func Query[T any](ctx context.Context, p *Pool, scan pgx.RowToFunc[T], sql string, args ...any) (all []T, err error) {
	err = p.Conn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, scan)
		return err
	})
	return all, err
}

// QueryOne is the first row of one statement; pgx.ErrNoRows when there is none.
func QueryOne[T any](ctx context.Context, p *Pool, scan pgx.RowToFunc[T], sql string, args ...any) (one T, err error) {
	err = p.Conn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		one, err = pgx.CollectOneRow(rows, scan)
		return err
	})
	return one, err
}

// ReplacedPrefix begins the name of the schema that holds what a restore replaces, until the restore has ended.
const ReplacedPrefix = "replaced_by_restore_"

// ErrRestoring means that a restore of a backup is going on, or was killed. Until it has ended, people who deleted
// everything may be back, so nothing may run on the database.
var ErrRestoring error = restoring{}

type restoring struct{}

func (restoring) Error() string {
	return "a restore of this database has not ended: wait for it, or if it was killed run it again with --replace, see docs/backup-and-recovery.md"
}

// Unavailable is the CODE that package api answers.
func (restoring) Unavailable() string { return api.DatabaseUnavailable }

const restoringSQL = `select exists (select from pg_namespace where starts_with(nspname, $1::text))`

// CheckRestored is ErrRestoring while a restore of the database has not ended. It asks through a connection or a
// transaction.
func CheckRestored(ctx context.Context, through interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) error {
	var restoring bool
	err := through.QueryRow(ctx, restoringSQL, ReplacedPrefix).Scan(&restoring)
	if err == nil && restoring {
		err = ErrRestoring
	}
	return err
}

// Ping asks whether the database can be used; for health checks, whose context has a short deadline.
func (p *Pool) Ping(ctx context.Context) error {
	return p.Conn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error { return CheckRestored(ctx, conn) })
}

// Close ends all connections after their queries.
func (p *Pool) Close() { p.pool.Close() }

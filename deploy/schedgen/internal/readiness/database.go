package readiness

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// databaseChecks ask PostgreSQL itself.
func databaseChecks() map[string]check {
	return map[string]check{
		"db-indexes": {run: dbIndexes, says: "PostgreSQL has no index that is broken, and no foreign key without an index",
			fix: "Build the index that is named anew.", command: "psql \"$SCHEDGEN_POSTGRES\" -c 'reindex index concurrently NAME'"},
		"db-connections": {run: dbConnections, says: "at most 80 % of PostgreSQL's `max_connections` are in use, and no transaction has been idle for a minute",
			fix: "Find who holds connections (docs/runbooks/DatabaseConnectionsHigh.md).", command: "psql \"$SCHEDGEN_POSTGRES\" -c 'select application_name, state, count(*) from pg_stat_activity group by 1, 2'"},
		"db-password": {run: dbPassword, says: "the password of --postgres is long and random, and PostgreSQL keeps a SCRAM hash of it",
			fix: "Give the database's user another password, and PgBouncer and the functions the same.", command: "docker compose exec postgres psql -U schedgen -c '\\password'"},
	}
}

// db is a connection to the database.
func (s *system) db(ctx context.Context) (*pgx.Conn, error) {
	return s.database.get(func() (*pgx.Conn, error) {
		if s.Postgres == "" {
			return nil, notLooked{"no database was named", "SCHEDGEN_POSTGRES=postgres://... schedgen readiness, where the database can be reached"}
		}
		config, err := pgx.ParseConfig(s.Postgres)
		if err != nil {
			return nil, fmt.Errorf("--postgres is not an address such as postgres://schedgen:PASSWORD@host:5432/schedgen") // it may hold a password
		}
		config.ConnectTimeout = callTime
		config.DefaultQueryExecMode = pgx.QueryExecModeExec // no session state: PgBouncer may stand between
		ctx, cancel := context.WithTimeout(ctx, callTime)   // ConnectTimeout is of each of its addresses
		defer cancel()
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return nil, fmt.Errorf("the database does not answer: %w", err)
		}
		return conn, nil
	})
}

// value asks the database for one value.
func value[T any](ctx context.Context, s *system, query string) (v T, err error) {
	conn, err := s.db(ctx)
	if err != nil {
		return v, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := conn.QueryRow(ctx, query).Scan(&v); err != nil {
		return v, fmt.Errorf("ask the database: %w", err)
	}
	return v, nil
}

const brokenIndexesSQL = `select coalesce(string_agg(indexrelid::regclass::text, ', '), '') from pg_index where not indisvalid`

const uncoveredSQL = `select coalesce(string_agg(conrelid::regclass || '.' || conname, ', '), '') from pg_constraint c
where contype = 'f' and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])`

const indexesSQL = `select count(*) from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = current_schema()`

func dbIndexes(ctx context.Context, s *system, _ []string) Finding {
	broken, err := value[string](ctx, s, brokenIndexesSQL)
	if err != nil {
		return from(err)
	}
	if broken != "" {
		return failed("these indexes are broken: %s", broken)
	}
	uncovered, err := value[string](ctx, s, uncoveredSQL)
	if err != nil {
		return from(err)
	}
	if uncovered != "" {
		f := failed("these foreign keys have no index: %s", uncovered)
		f.Fix, f.Command = "Bring the schema up to date, which has an index for each.", "schedgen migrate --postgres \"$SCHEDGEN_POSTGRES\""
		return f
	}
	n, err := value[int64](ctx, s, indexesSQL)
	if err != nil {
		return from(err)
	}
	return ok("%d indexes, none broken; each foreign key has one", n)
}

const idleSQL = `select coalesce(string_agg(coalesce(nullif(application_name, ''), 'process ' || pid), ', '), '') from pg_stat_activity
where state = 'idle in transaction' and now() - state_change > interval '1 minute'`

func dbConnections(ctx context.Context, s *system, _ []string) Finding {
	used, err := value[int64](ctx, s, `select count(*) from pg_stat_activity where backend_type = 'client backend'`)
	if err != nil {
		return from(err)
	}
	most, err := value[int64](ctx, s, `select setting::bigint from pg_settings where name = 'max_connections'`)
	if err != nil {
		return from(err)
	}
	if used*10 > most*8 {
		return failed("%d of %d connections are in use", used, most)
	}
	held, err := value[string](ctx, s, idleSQL)
	if err != nil {
		return from(err)
	}
	if held != "" {
		f := failed("these hold a transaction and do nothing: %s", held)
		f.Fix, f.Command = "Find the code that holds the connection: its log line says `held`.", "docker compose logs | grep held"
		return f
	}
	return ok("%d of %d connections are in use, none idle in a transaction", used, most)
}

func dbPassword(ctx context.Context, s *system, _ []string) Finding {
	kept, err := value[string](ctx, s, `select setting from pg_settings where name = 'password_encryption'`)
	if err != nil {
		return from(err)
	}
	if kept != "scram-sha-256" {
		return failed("PostgreSQL keeps passwords as %s", kept)
	}
	u, err := url.Parse(s.Postgres)
	if err != nil {
		return from(notLooked{"the database's address has another form than a URL", "give --postgres as postgres://user:password@host:5432/schedgen"})
	}
	password, _ := u.User.Password()
	if why := weak(password); why != "" {
		return failed("the password of %s %s", u.User.Username(), why)
	}
	return ok("the password of %s is long and random, kept as %s", u.User.Username(), kept)
}

package readiness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// databaseChecks ask PostgreSQL itself.
func databaseChecks() map[string]check {
	return map[string]check{
		"db-indexes": {run: dbIndexes, says: "PostgreSQL has indexes, none of them broken, and no foreign key without a whole one",
			fix: "Build the index that is named anew.", command: "psql \"$SCHEDGEN_POSTGRES\" -c 'reindex index concurrently NAME'"},
		"db-connections": {run: dbConnections, says: "at most 80 % of PostgreSQL's `max_connections` are in use, and no transaction has been idle for a minute",
			fix: "Find who holds connections (docs/runbooks/DatabaseConnectionsHigh.md).", command: "psql \"$SCHEDGEN_POSTGRES\" -c 'select application_name, state, count(*) from pg_stat_activity group by 1, 2'"},
		"db-password": {run: dbPassword, says: "the password of --postgres is long and random, PostgreSQL takes no other, and, where a superuser asks, keeps SCRAM hashes alone",
			fix: "Give the database's user another password, and PgBouncer and the functions the same.", command: "docker compose exec postgres psql -U schedgen -c '\\password'"},
	}
}

// db is a connection to the database.
func (s *system) db(ctx context.Context) (*pgx.Conn, error) {
	return s.database.get(func() (*pgx.Conn, error) {
		config, err := s.dbConfig()
		if err != nil {
			return nil, err
		}
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

// dbConfig is how the database is reached, read from an address or from words such as host=... password=...
func (s *system) dbConfig() (*pgx.ConnConfig, error) {
	if s.Postgres.IsZero() {
		return nil, notLooked{"no database was named", "SCHEDGEN_POSTGRES=postgres://... schedgen readiness, where the database can be reached"}
	}
	config, err := pgx.ParseConfig(s.Postgres.Reveal())
	if err != nil {
		return nil, errors.New("--postgres is not an address such as postgres://schedgen:PASSWORD@host:5432/schedgen") // it may hold a password
	}
	config.ConnectTimeout = callTime
	return config, nil
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

const brokenIndexesSQL = `select coalesce(string_agg(indexrelid::regclass::text, ', ' order by indexrelid::regclass::text), '') from pg_index where not indisvalid`

const uncoveredSQL = `select coalesce(string_agg(conrelid::regclass || '.' || conname, ', ' order by conrelid::regclass::text, conname), '') from pg_constraint c
where contype = 'f' and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1]
  and i.indisvalid)`

const indexesSQL = `select count(*) from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = current_schema()`

func dbIndexes(ctx context.Context, s *system, _ []string) Finding {
	n, err := value[int64](ctx, s, indexesSQL)
	if err != nil {
		return from(err)
	}
	if n == 0 {
		f := failed("the database has no index: nothing of schedgen is in it")
		f.Fix, f.Command = "Bring the schema up to date.", "schedgen migrate --postgres \"$SCHEDGEN_POSTGRES\""
		return f
	}
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
	return ok("%d indexes, none broken; each foreign key has one", n)
}

const idleSQL = `select coalesce(string_agg(coalesce(nullif(application_name, ''), 'process ' || pid), ', ' order by pid), '') from pg_stat_activity
where state = 'idle in transaction' and now() - state_change > interval '1 minute'`

// hiddenSQL counts the sessions of which PostgreSQL tells this user nothing.
const hiddenSQL = `select count(*) from pg_stat_activity where datname = current_database() and query = '<insufficient privilege>'`

func dbConnections(ctx context.Context, s *system, _ []string) Finding {
	used, err := value[int64](ctx, s, `select coalesce(sum(numbackends), 0)::bigint from pg_stat_database`)
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
	hidden, err := value[int64](ctx, s, hiddenSQL)
	switch {
	case err != nil:
		return from(err)
	case hidden > 0:
		return from(notLooked{fmt.Sprintf("%d of %d connections are in use; %d are of other users, whose transactions are hidden", used, most, hidden),
			"psql -c 'grant pg_monitor to USER', the user of --postgres"})
	}
	return ok("%d of %d connections are in use, none idle in a transaction", used, most)
}

// otherHashesSQL names the users whose passwords are kept in another form than SCRAM's; superusers alone may see it.
const (
	otherHashesSQL = `select coalesce(string_agg(rolname, ', ' order by rolname), '') from pg_authid
where rolcanlogin and rolpassword is not null and rolpassword not like 'SCRAM-SHA-256$%'`
	seesHashesSQL = `select has_table_privilege('pg_authid', 'select')`
)

func dbPassword(ctx context.Context, s *system, _ []string) Finding {
	config, err := s.dbConfig()
	if err != nil {
		return from(err)
	}
	if why := weak(config.Password); why != "" {
		return failed("the password of %s %s", config.User, why)
	}
	if f := refusesOthers(ctx, config.Copy()); f.State != OK {
		return f
	}
	sees, err := value[bool](ctx, s, seesHashesSQL)
	if err != nil {
		return from(err)
	}
	if !sees {
		return ok("the password of %s is long and random, and no other is taken", config.User)
	}
	others, err := value[string](ctx, s, otherHashesSQL)
	switch {
	case err != nil:
		return from(err)
	case others != "":
		return failed("PostgreSQL keeps no SCRAM hash of the passwords of %s", others)
	}
	return ok("the password of %s is long and random, no other is taken, and PostgreSQL keeps SCRAM hashes", config.User)
}

// refusesOthers signs in with a wrong password: a server that trusts its callers takes any.
func refusesOthers(ctx context.Context, config *pgx.ConnConfig) Finding {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	config.Password = "not " + config.Password
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		_ = conn.Close(ctx) // nothing was asked
		f := failed("PostgreSQL lets %s in with any password", config.User)
		f.Fix, f.Command = "Ask for scram-sha-256 in pg_hba.conf, where it says trust.", "docker compose exec postgres psql -U schedgen -c 'table pg_hba_file_rules'"
		return f
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || !strings.HasPrefix(refused.Code, "28") && refused.Code != "08P01" { // PgBouncer's
		return from(fmt.Errorf("the database does not answer: %w", err))
	}
	return ok("refused")
}

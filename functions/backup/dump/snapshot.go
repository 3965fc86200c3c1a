package dump

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Table is what a table holds, in a form that two databases can be compared by.
type Table struct {
	Name string `json:"name"` // schema.name
	Rows int64  `json:"rows"`
	// Sum adds up a 64-bit hash of each row's text, in any order: another value anywhere, one row more
	// or less, gives another sum.
	Sum string `json:"sum"`
}

// Snapshot is one state of a database, held open by a transaction until Close.
type Snapshot struct {
	ID      string    // for pg_dump
	At      time.Time // the server's
	Version string    // the server's
	Major   int
	Schema  int // migrations that were applied; 0 of a database without ours

	conn *pgx.Conn
	tx   pgx.Tx
}

// connect is a session whose texts do not depend on the server's settings, and which no timeout of the server ends: the
// snapshot lives as long as the dump runs. The keepalives end, after a minute, that of a machine that is lost, with the
// locks that it holds.
func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errAddress
	}
	for name, value := range map[string]string{"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "timezone": "UTC",
		"datestyle": "ISO, MDY", "intervalstyle": "postgres", "extra_float_digits": "3", "bytea_output": "hex",
		"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
		"application_name": "schedgen-backup"} {
		config.RuntimeParams[name] = value
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return conn, nil
}

const aboutSQL = `select pg_export_snapshot(), now(), current_setting('server_version'),
	current_setting('server_version_num')::int / 10000, to_regclass('public.schema_version') is not null`

// Open begins a snapshot.
func Open(ctx context.Context, dsn string) (*Snapshot, error) {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return open(ctx, conn)
}

// OpenForBackup is Open, and keeps restores of the database from beginning until Close: pg_dump finds tables by their
// names, and those would be of others than the snapshot's. [postgres.ErrRestoring] if a restore has not ended.
func OpenForBackup(ctx context.Context, dsn string) (*Snapshot, error) {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if err := keepOutRestores(ctx, conn); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx)) // it only asked
		return nil, err
	}
	return open(ctx, conn)
}

func keepOutRestores(ctx context.Context, conn *pgx.Conn) error {
	var kept bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock_shared($1)", restoreLock).Scan(&kept); err != nil {
		return fmt.Errorf("keep out restores: %w", err)
	}
	if !kept {
		return postgres.ErrRestoring
	}
	return postgres.CheckRestored(ctx, conn) // one that was killed holds no lock
}

func open(ctx context.Context, conn *pgx.Conn) (_ *Snapshot, err error) {
	s := &Snapshot{conn: conn}
	s.tx, err = conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err == nil {
		err = s.describe(ctx)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("take a snapshot: %w", err)
	}
	return s, nil
}

func (s *Snapshot) describe(ctx context.Context) error {
	var versioned bool
	if err := s.tx.QueryRow(ctx, aboutSQL).Scan(&s.ID, &s.At, &s.Version, &s.Major, &versioned); err != nil {
		return err
	}
	s.Version, _, _ = strings.Cut(s.Version, " ")
	if !versioned {
		return nil
	}
	return s.tx.QueryRow(ctx, "select version from public.schema_version").Scan(&s.Schema)
}

// Close ends the snapshot and its connection, whatever became of ctx.
func (s *Snapshot) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.conn.Close(ctx) // it only read
}

// tablesSQL lists the tables of all schemas that are not the system's or put aside by a restore.
const tablesSQL = `
select format('%I.%I', n.nspname, c.relname), n.nspname || '.' || c.relname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname <> 'information_schema'
	and n.nspname !~ '^pg_' and n.nspname !~ '^` + postgres.ReplacedPrefix + `'
order by 2`

// Tables counts and hashes every table, in the order of their names; each is told to progress.
func (s *Snapshot) Tables(ctx context.Context, progress func(Table)) ([]Table, error) {
	rows, err := s.tx.Query(ctx, tablesSQL)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	type name struct{ Quoted, Plain string }
	names, err := pgx.CollectRows(rows, pgx.RowToStructByPos[name])
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	tables := make([]Table, 0, len(names))
	for _, n := range names {
		t := Table{Name: n.Plain}
		// The name was quoted by the server. A row's text holds every column.
		query := "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text from only " + n.Quoted + " t"
		if err := s.tx.QueryRow(ctx, query).Scan(&t.Rows, &t.Sum); err != nil {
			return nil, fmt.Errorf("count table %s: %w", n.Plain, err)
		}
		progress(t)
		tables = append(tables, t)
	}
	return tables, nil
}

// PDFs are the objects that the database knows of: the key of each PDF that was not deleted. Known
// is false of a database without jobs.
func (s *Snapshot) PDFs(ctx context.Context) (keys map[string]bool, known bool, err error) {
	return pdfsOf(ctx, s.tx, "public")
}

// PDFs are those of Snapshot.PDFs at this moment.
func PDFs(ctx context.Context, dsn string) (map[string]bool, error) {
	s, err := Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	keys, _, err := s.PDFs(ctx)
	return keys, err
}

// pdfsOf is Snapshot.PDFs of a schema, whose name is quoted.
func pdfsOf(ctx context.Context, tx pgx.Tx, schema string) (keys map[string]bool, known bool, err error) {
	jobs := schema + ".jobs"
	if err := tx.QueryRow(ctx, "select to_regclass($1) is not null", jobs).Scan(&known); err != nil || !known {
		return nil, false, err
	}
	rows, err := tx.Query(ctx, "select object_key, uploaded_at is not null from "+jobs+" where pdf_deleted_at is null")
	if err != nil {
		return nil, false, fmt.Errorf("list the PDFs of jobs: %w", err)
	}
	keys = map[string]bool{}
	var key string
	var stored bool
	_, err = pgx.ForEachRow(rows, []any{&key, &stored}, func() error {
		keys[key] = stored
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("list the PDFs of jobs: %w", err)
	}
	return keys, true, nil
}

// Compare says how the tables got differ from those wanted; nil if they do not.
func Compare(got, want []Table) error {
	have := map[string]Table{}
	for _, t := range got {
		have[t.Name] = t
	}
	var wrong []error
	for _, w := range want {
		g, ok := have[w.Name]
		delete(have, w.Name)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("table %s is missing", w.Name))
		case g.Rows != w.Rows:
			wrong = append(wrong, fmt.Errorf("table %s has %d rows instead of %d", w.Name, g.Rows, w.Rows))
		case g.Sum != w.Sum:
			wrong = append(wrong, fmt.Errorf("table %s has other values in its %d rows", w.Name, w.Rows))
		}
	}
	for name := range have {
		wrong = append(wrong, fmt.Errorf("table %s was not in the snapshot", name))
	}
	return errors.Join(wrong...)
}

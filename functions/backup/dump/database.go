package dump

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// ErrNotEmpty says that a database holds something that a restore would destroy.
var ErrNotEmpty = errors.New("the database is not empty")

// scratchMark is in the name of every scratch database, after the name of the one it is for.
const scratchMark = "_verify_"

// scratchEnd is what follows the mark: nobody gives a database of theirs such a name.
var scratchEnd = regexp.MustCompile(`^[a-z2-7]{16}$`)

// scratchName begins the names of dsn's scratch databases. PostgreSQL cuts names after 63 bytes.
func scratchName(dsn string) (string, error) {
	base, err := DatabaseName(dsn)
	if err != nil {
		return "", err
	}
	return base[:min(len(base), 38)] + scratchMark, nil
}

// CreateScratch makes an empty database beside dsn's, for a moment: drop removes it. The user needs the
// right to create databases.
func CreateScratch(ctx context.Context, dsn string) (scratch string, drop func() error, err error) {
	prefix, err := scratchName(dsn)
	if err != nil {
		return "", nil, err
	}
	name := prefix + strings.ToLower(rand.Text()[:16])
	if err := execute(ctx, dsn, "create database "+pgx.Identifier{name}.Sanitize()+" template template0"); err != nil {
		return "", nil, fmt.Errorf("make a scratch database: %w", err)
	}
	drop = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := dropDatabase(ctx, dsn, name); err != nil {
			return fmt.Errorf("drop the scratch database: %w", err)
		}
		return nil
	}
	if scratch, err = WithDatabase(dsn, name); err != nil {
		return "", nil, errors.Join(err, drop())
	}
	return scratch, drop, nil
}

func dropDatabase(ctx context.Context, dsn, name string) error {
	return execute(ctx, dsn, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
}

// DropScratch removes the scratch databases that crashed verifications left. Only the holder of the
// lock may call it: a living verification's looks the same.
func DropScratch(ctx context.Context, dsn string) error {
	prefix, err := scratchName(dsn)
	if err != nil {
		return err
	}
	conn, err := connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	rows, err := conn.Query(ctx, "select datname from pg_database where starts_with(datname, $1)", prefix)
	if err != nil {
		return fmt.Errorf("look for scratch databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for scratch databases: %w", err)
	}
	for _, name := range names {
		if !scratchEnd.MatchString(strings.TrimPrefix(name, prefix)) {
			continue
		}
		if err := dropDatabase(ctx, dsn, name); err != nil {
			return fmt.Errorf("drop a scratch database: %w", err)
		}
	}
	return nil
}

func execute(ctx context.Context, dsn string, statements ...string) error {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // every statement has answered
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Server asks for the major version of dsn's server.
func ServerMajor(ctx context.Context, dsn string) (major int, err error) {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	err = conn.QueryRow(ctx, "select current_setting('server_version_num')::int / 10000").Scan(&major)
	return major, err
}

const contentSQL = `
select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`

// Empty is nil of a database without tables, ErrNotEmpty of one with some.
func CheckEmpty(ctx context.Context, dsn string) error {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	var n int
	if err := conn.QueryRow(ctx, contentSQL).Scan(&n); err != nil {
		return fmt.Errorf("look into the database: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("%w: it has %d tables, views and sequences", ErrNotEmpty, n)
	}
	return nil
}

// Aside is what a database held before a restore, in a schema of its own. While it is there the restore is not
// finished, and every function says so ([postgres.Pool.Ping]), also if the restore was killed.
type Aside struct {
	dsn, schema string
	moved       bool
}

// MoveAside moves what the database holds out of the way of a restore. Of an empty database it only notes that a
// restore began.
func MoveAside(ctx context.Context, dsn string) (*Aside, error) {
	a := &Aside{dsn: dsn, schema: pgx.Identifier{postgres.ReplacedPrefix + strings.ToLower(rand.Text()[:12])}.Sanitize()}
	err := CheckEmpty(ctx, dsn)
	switch {
	case err == nil:
		err = execute(ctx, dsn, "create schema "+a.schema)
	case errors.Is(err, ErrNotEmpty):
		a.moved = true
		err = execute(ctx, dsn, "begin", "alter schema public rename to "+a.schema, "create schema public",
			"grant usage on schema public to public", "commit") // as every new database has it
	}
	if err != nil {
		return nil, fmt.Errorf("put the present tables aside: %w", err)
	}
	return a, nil
}

// undoTime is how long the end of a restore may take, whatever became of its context.
const undoTime = 5 * time.Minute

// Undo brings back what was moved. A database that was empty stays marked as unfinished if the restore wrote to it.
func (a *Aside) Undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	if a.moved {
		return execute(ctx, a.dsn, "begin", "drop schema public cascade", "alter schema "+a.schema+" rename to public", "commit")
	}
	if err := CheckEmpty(ctx, a.dsn); err != nil {
		return fmt.Errorf("the restore is not finished, run it again with --replace: %w", err)
	}
	return execute(ctx, a.dsn, "drop schema "+a.schema)
}

const asidesSQL = `select format('%I', nspname) from pg_namespace where starts_with(nspname, $1)`

// Drop ends a restore that succeeded: it deletes what was moved aside, also what killed restores left.
func (a *Aside) Drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	conn, err := connect(ctx, a.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) // every statement has answered
	rows, err := conn.Query(ctx, asidesSQL, postgres.ReplacedPrefix)
	if err != nil {
		return fmt.Errorf("find the replaced tables: %w", err)
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find the replaced tables: %w", err)
	}
	for _, schema := range schemas {
		if _, err := conn.Exec(ctx, "drop schema "+schema+" cascade"); err != nil { // the name was quoted by the server
			return fmt.Errorf("delete the replaced tables: %w", err)
		}
	}
	return nil
}

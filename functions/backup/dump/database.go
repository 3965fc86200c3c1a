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

// ServerMajor asks for the major version of dsn's server.
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

// CheckEmpty is nil of a database without tables, ErrNotEmpty of one with some.
func CheckEmpty(ctx context.Context, dsn string) error {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return checkEmpty(ctx, tx) })
}

func checkEmpty(ctx context.Context, tx pgx.Tx) error {
	var n int
	if err := tx.QueryRow(ctx, contentSQL).Scan(&n); err != nil {
		return fmt.Errorf("look into the database: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("%w: it has %d tables, views and sequences", ErrNotEmpty, n)
	}
	return nil
}

package dump

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// Aside is what a database held before a restore, in a schema of its own. While it is there the restore is not
// finished, and every function says so ([postgres.CheckRestored]), also if the restore was killed. From MoveAside to
// Close no other restore of the database can begin.
type Aside struct {
	Moved bool // the database was not empty

	dsn    secret.String
	schema string
	lock   *pgx.Conn // its session has restoreLock
}

// ErrRestoreRuns means that another process restores the same database now, or backs it up.
var ErrRestoreRuns = errors.New("another restore of this database is running, or a backup: wait until it has ended")

// ErrNotOurs means that another restore began although this one had not ended: its session with the database was lost.
var ErrNotOurs = errors.New("another restore of this database began meanwhile: wait until it has ended, then run this one again with --replace")

// restoreLock is held from the beginning of a restore to its end, and shared by backups. The server gives it back when the session ends.
const restoreLock = int64(7741902630158817)

// MoveAside makes room for a restore. A database that holds something is refused with ErrNotEmpty unless replace is set:
// then what it holds is moved out of the way. Of an empty database MoveAside only notes that a restore began.
func MoveAside(ctx context.Context, dsn string, replace bool) (*Aside, error) {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	a := &Aside{dsn: secret.New(dsn), lock: conn}
	if err := a.begin(ctx, replace); err != nil {
		a.Close(ctx)
		return nil, err
	}
	return a, nil
}

func (a *Aside) begin(ctx context.Context, replace bool) error {
	if err := a.takeLock(ctx); err != nil {
		return err
	}
	return inSchema(ctx, a.lock, func(tx pgx.Tx, _ []aside) error {
		err := checkEmpty(ctx, tx)
		if a.Moved = errors.Is(err, ErrNotEmpty); err != nil && !(a.Moved && replace) {
			return err
		}
		if a.schema, err = nextAside(ctx, tx); err != nil {
			return err
		}
		statements := []string{"create schema " + a.schema}
		if a.Moved {
			statements = []string{"alter schema public rename to " + a.schema, "create schema public",
				"grant usage on schema public to public"} // as every new database has it
		}
		return each(ctx, tx, statements...)
	})
}

// takeLock waits a moment: the server notices soon, but not at once, that a restore was killed.
func (a *Aside) takeLock(ctx context.Context) error {
	if _, err := a.lock.Exec(ctx, "set lock_timeout = '10s'"); err != nil {
		return fmt.Errorf("prepare the lock of restores: %w", err)
	}
	_, err := a.lock.Exec(ctx, "select pg_advisory_lock($1)", restoreLock)
	if server := new(pgconn.PgError); errors.As(err, &server) && server.Code == "55P03" { // lock_not_available
		return ErrRestoreRuns
	}
	if err != nil {
		return fmt.Errorf("take the lock of restores: %w", err)
	}
	if _, err := a.lock.Exec(ctx, "set lock_timeout = 0"); err != nil {
		return fmt.Errorf("prepare the lock of restores: %w", err)
	}
	return nil
}

// nextAside is the name of a schema, which needs no quotes. Names sort by a number and not by a time: clocks may be set back.
func nextAside(ctx context.Context, tx pgx.Tx) (name string, err error) {
	const sql = `select coalesce(max(substring(nspname from length($1::text) + 1 for 8)::bigint), 0) + 1 from pg_namespace
		where starts_with(nspname, $1::text) and substring(nspname from length($1::text) + 1 for 8) ~ '^[0-9]{8}$'`
	var number int64
	if err := tx.QueryRow(ctx, sql, postgres.ReplacedPrefix).Scan(&number); err != nil {
		return "", fmt.Errorf("find the replaced tables: %w", err)
	}
	return fmt.Sprintf("%s%08d", postgres.ReplacedPrefix, number), nil
}

// Undo brings back what was moved. If restores before this one were killed, it brings back what the first of them
// moved: what this one moved is what they left. A database that was empty stays marked as unfinished if the restore
// wrote to it. Orphans are the PDFs that no table lists any more, whoever of these restores added them.
func (a *Aside) Undo(ctx context.Context) (orphans []string, err error) {
	err = a.end(ctx, func(tx pgx.Tx, all []aside) error {
		if !a.Moved {
			if err := checkEmpty(ctx, tx); err != nil {
				return fmt.Errorf("the restore is not finished, run it again with --replace: %w", err)
			}
			return each(ctx, tx, dropAll(all)) // those of killed restores are empty, too
		}
		back, dropped, kept := a.schema, []aside{inPublic}, all // the first restore was into an empty database, and is still unfinished
		if all[0].HasTables {
			back, dropped, kept = all[0].Schema, append([]aside{inPublic}, all[1:]...), all[:1]
		}
		if orphans, err = orphansOf(ctx, tx, dropped, kept); err != nil {
			return err
		}
		return each(ctx, tx, dropAll(dropped), "alter schema "+back+" rename to public")
	})
	if err != nil {
		return nil, err // the tables may still be there
	}
	return orphans, nil
}

// Drop ends a restore that succeeded: it deletes what was moved aside, also what killed restores left. Orphans are the
// PDFs that no table lists any more.
func (a *Aside) Drop(ctx context.Context) (orphans []string, err error) {
	err = a.end(ctx, func(tx pgx.Tx, all []aside) (err error) {
		if orphans, err = orphansOf(ctx, tx, all, []aside{inPublic}); err != nil {
			return err
		}
		if err := each(ctx, tx, dropAll(all)); err != nil {
			return fmt.Errorf("delete the replaced tables: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err // the tables may still be there
	}
	return orphans, nil
}

// orphansOf are the keys of the PDFs that only the tables list which are to be dropped, sorted.
func orphansOf(ctx context.Context, tx pgx.Tx, dropped, kept []aside) ([]string, error) {
	orphans := map[string]bool{}
	for _, one := range dropped {
		keys, _, err := pdfsOf(ctx, tx, one.Schema)
		if err != nil {
			return nil, err
		}
		maps.Copy(orphans, keys)
	}
	for _, one := range kept {
		keys, _, err := pdfsOf(ctx, tx, one.Schema)
		if err != nil {
			return nil, err
		}
		for key := range keys {
			delete(orphans, key)
		}
	}
	return slices.Sorted(maps.Keys(orphans)), nil
}

// Close lets other restores of the database begin.
func (a *Aside) Close(ctx context.Context) {
	_ = a.lock.Close(context.WithoutCancel(ctx)) // the server ends a session that it loses
}

// end calls f in one transaction, on a connection of its own: that of the lock may be lost, after hours. It does not if
// this restore is not the last that began, for then the tables are another's.
func (a *Aside) end(ctx context.Context, f func(pgx.Tx, []aside) error) error {
	conn, err := connect(ctx, a.dsn.Reveal())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // the transaction has ended
	return inSchema(ctx, conn, func(tx pgx.Tx, all []aside) error {
		if len(all) == 0 || all[len(all)-1].Schema != a.schema {
			return ErrNotOurs
		}
		return f(tx, all)
	})
}

// dropAll is one statement for all.
func dropAll(all []aside) string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.Schema
	}
	return "drop schema " + strings.Join(names, ", ") + " cascade"
}

// aside is the schema of a restore that has not ended.
type aside struct {
	Schema    string // as the server quotes it
	HasTables bool
}

// inPublic is the schema that a restore writes to, and that functions use.
var inPublic = aside{"public", true}

const asidesSQL = `
select format('%I', nspname), exists (select from pg_class where relnamespace = n.oid)
from pg_namespace n where starts_with(nspname, $1) order by nspname`

// inSchema calls f in one transaction, between two migrations, with the schemas of all restores that have not ended, the
// first one first.
func inSchema(ctx context.Context, conn *pgx.Conn, f func(pgx.Tx, []aside) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := postgres.LockSchema(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, asidesSQL, postgres.ReplacedPrefix)
		if err != nil {
			return fmt.Errorf("find the replaced tables: %w", err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[aside])
		if err != nil {
			return fmt.Errorf("find the replaced tables: %w", err)
		}
		return f(tx, all)
	})
}

func each(ctx context.Context, tx pgx.Tx, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

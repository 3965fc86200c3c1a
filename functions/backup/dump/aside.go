package dump

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Aside is what a database held before a restore, in a schema of its own. While it is there the restore is not
// finished, and every function says so ([postgres.Pool.Ping]), also if the restore was killed.
type Aside struct {
	Moved bool // the database was not empty

	dsn, schema string
}

// MoveAside makes room for a restore. A database that holds something is refused with ErrNotEmpty unless replace is set:
// then what it holds is moved out of the way. Of an empty database MoveAside only notes that a restore began.
func MoveAside(ctx context.Context, dsn string, replace bool) (*Aside, error) {
	a := &Aside{dsn: dsn, schema: newAsideName(time.Now())}
	err := CheckEmpty(ctx, dsn)
	switch {
	case err == nil:
		err = execute(ctx, dsn, "create schema "+a.schema)
	case replace && errors.Is(err, ErrNotEmpty):
		a.Moved = true
		err = execute(ctx, dsn, "begin", "alter schema public rename to "+a.schema, "create schema public",
			"grant usage on schema public to public", "commit") // as every new database has it
	default:
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("put the present tables aside: %w", err)
	}
	return a, nil
}

// newAsideName is the name of a schema, quoted. Names sort by their time.
func newAsideName(now time.Time) string {
	at := strings.ReplaceAll(now.UTC().Format("20060102t150405.000000000"), ".", "_")
	return pgx.Identifier{postgres.ReplacedPrefix + at + "_" + strings.ToLower(rand.Text()[:8])}.Sanitize()
}

// undoTime is how long the end of a restore may take, whatever became of its context.
const undoTime = 5 * time.Minute

// Undo brings back what was moved. If restores before this one were killed, it brings back what the first of them
// moved: what this one moved is what they left. A database that was empty stays marked as unfinished if the restore
// wrote to it.
func (a *Aside) Undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	if !a.Moved {
		if err := CheckEmpty(ctx, a.dsn); err != nil {
			return fmt.Errorf("the restore is not finished, run it again with --replace: %w", err)
		}
		return execute(ctx, a.dsn, "drop schema "+a.schema)
	}
	all, err := asides(ctx, a.dsn)
	if err != nil {
		return err
	}
	back, later := a.schema, []aside(nil)
	if len(all) > 0 && all[0].HasTables { // else the first restore was into an empty database, and is still unfinished
		back, later = all[0].Schema, all[1:]
	}
	statements := []string{"begin", "drop schema public cascade", "alter schema " + back + " rename to public"}
	for _, l := range later {
		statements = append(statements, "drop schema "+l.Schema+" cascade")
	}
	return execute(ctx, a.dsn, append(statements, "commit")...)
}

// Drop ends a restore that succeeded: it deletes what was moved aside, also what killed restores left.
func (a *Aside) Drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	all, err := asides(ctx, a.dsn)
	if err != nil {
		return err
	}
	if err := execute(ctx, a.dsn, dropAll(all)); err != nil {
		return fmt.Errorf("delete the replaced tables: %w", err)
	}
	return nil
}

// dropAll is one statement: if it were killed between two, the oldest schema left would no longer be the original, and
// a restore that fails later would bring it back.
func dropAll(all []aside) string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.Schema
	}
	return "drop schema " + strings.Join(names, ", ") + " cascade"
}

// CheckRestored is [postgres.ErrRestoring] while a restore of the database goes on, or after one that was killed.
func CheckRestored(ctx context.Context, dsn string) error {
	all, err := asides(ctx, dsn)
	if err == nil && len(all) > 0 {
		err = postgres.ErrRestoring
	}
	return err
}

// aside is the schema of a restore that has not ended.
type aside struct {
	Schema    string // as the server quotes it
	HasTables bool
}

const asidesSQL = `
select format('%I', nspname), exists (select from pg_class where relnamespace = n.oid)
from pg_namespace n where starts_with(nspname, $1) order by nspname`

// asides are those of all restores that have not ended, the first one first.
func asides(ctx context.Context, dsn string) ([]aside, error) {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	rows, err := conn.Query(ctx, asidesSQL, postgres.ReplacedPrefix)
	if err != nil {
		return nil, fmt.Errorf("find the replaced tables: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[aside])
	if err != nil {
		return nil, fmt.Errorf("find the replaced tables: %w", err)
	}
	return all, nil
}

package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateTimeout is long because building an index on a big table takes time.
const migrateTimeout = 10 * time.Minute

// migrateLock and the table schema_version are those of the library tern, which older versions of
// schedgen used. An old program and a new one therefore exclude each other, and continue each
// other's work.
const migrateLock = int64(9628173550095224)

// Migrate brings the database to the newest schema. It is safe to run at any time, while older
// code runs, and by several programs at once: each migration runs in one transaction, which holds
// an advisory lock and writes the new version. A migration that fails changes nothing. ErrRestoring
// means that a restore of the database has not ended: new tables would look like a whole database.
func Migrate(ctx context.Context, dsn string) error { return migrateEmbedded(ctx, dsn, false) }

// MigrateRestored is Migrate for the restore itself.
func MigrateRestored(ctx context.Context, dsn string) error { return migrateEmbedded(ctx, dsn, true) }

func migrateEmbedded(ctx context.Context, dsn string, restoring bool) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: read the embedded files: %w", err)
	}
	return migrateFrom(ctx, dsn, files, restoring)
}

func migrateFrom(ctx context.Context, dsn string, files fs.FS, restoring bool) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	names, err := migrationNames(files)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return errors.New("migrate: not a PostgreSQL address such as postgres://user@host:5432/schedgen")
	}
	config.ConnectTimeout = 10 * time.Second
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("migrate: connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // its error matters no more: every transaction has ended
	for done := false; !done; {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
			if err := LockSchema(ctx, tx); err != nil {
				return err
			}
			if !restoring { // asked under the lock: a restore may have begun since the last migration
				if err := CheckRestored(ctx, tx); err != nil {
					return err
				}
			}
			done, err = migrateStep(ctx, tx, files, names)
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	return nil
}

// LockSchema takes the lock of migrations until the end of tx. A restore takes it too where it renames schemas, so
// that it does so between two migrations.
func LockSchema(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", migrateLock); err != nil {
		return fmt.Errorf("take the lock of migrations: %w", err)
	}
	return nil
}

// migrationNames lists the files in order. Their numbers must be 001, 002 and so on without a gap:
// the version of a database is the number of its last migration.
func migrationNames(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if want := fmt.Sprintf("%03d_", i+1); !strings.HasPrefix(name, want) {
			return nil, fmt.Errorf("migration %s stands where number %s is expected", name, want)
		}
	}
	return names, nil
}

// migrateStep applies the first migration that the database does not have; done where it has all. The caller holds the
// lock.
func migrateStep(ctx context.Context, tx pgx.Tx, files fs.FS, names []string) (done bool, err error) {
	version, err := schemaVersion(ctx, tx)
	if err != nil {
		return false, fmt.Errorf("read the version of the schema: %w", err)
	}
	if version < 0 || version > len(names) {
		return false, fmt.Errorf("the database has version %d of the schema and this program knows %d: use a newer program", version, len(names))
	}
	if version == len(names) {
		return true, nil
	}
	name := names[version]
	sql, err := fs.ReadFile(files, name)
	if err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, string(sql)); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := tx.Exec(ctx, "update public.schema_version set version = $1", version+1); err != nil {
		return false, fmt.Errorf("%s: write the version of the schema: %w", name, err)
	}
	return false, nil
}

// schemaVersion returns the number of the last migration. The caller holds the lock.
func schemaVersion(ctx context.Context, tx pgx.Tx) (version int, err error) {
	// Looked up first, so that a role that may not create tables can see that there is nothing to do.
	var exists bool
	if err := tx.QueryRow(ctx, "select to_regclass('public.schema_version') is not null").Scan(&exists); err != nil {
		return 0, err
	}
	if !exists {
		if _, err := tx.Exec(ctx, `create table public.schema_version (version int4 not null);
			insert into public.schema_version values (0)`); err != nil {
			return 0, err
		}
	}
	err = tx.QueryRow(ctx, "select version from public.schema_version").Scan(&version)
	return version, err
}

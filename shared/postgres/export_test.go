package postgres

import (
	"context"
	"io/fs"
)

// Migrations are the embedded files.
func Migrations() (fs.FS, error) { return fs.Sub(migrations, "migrations") }

// MigrateFrom migrates by other files than the embedded ones.
func MigrateFrom(ctx context.Context, dsn string, files fs.FS) error {
	return migrateFrom(ctx, dsn, files)
}

package postgres

import (
	"context"
	"io/fs"
	"time"
)

// Migrations are the embedded files.
func Migrations() (fs.FS, error) { return fs.Sub(migrations, "migrations") }

// MigrateFrom migrates by other files than the embedded ones.
func MigrateFrom(ctx context.Context, dsn string, files fs.FS) error {
	return migrateFrom(ctx, dsn, files, false)
}

// SetHold makes p report connections that are held for longer than d.
func SetHold(p *Pool, d time.Duration) { p.metrics.hold = d }

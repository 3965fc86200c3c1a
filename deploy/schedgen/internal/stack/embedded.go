package stack

import (
	"context"
	"errors"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/stack/s3"
	"github.com/schedgen/schedgen/shared/secret"
)

// Embedded are the database and the object store of a data directory, for a command that works on
// them while no system runs there. Nobody is told of objects, so nothing is processed.
type Embedded struct {
	Postgres secret.String // its address, with the password
	S3       blob.Config   // with the keys

	stops []func() error
}

// OpenEmbedded starts them. ErrInUse says that a system, or another command, runs there.
func OpenEmbedded(ctx context.Context, path string) (*Embedded, error) {
	data, err := openDataDir(path)
	if err != nil {
		return nil, err
	}
	e := &Embedded{stops: []func() error{data.close}}
	if err := e.start(ctx, data); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Embedded) start(ctx context.Context, data *dataDir) error {
	known, err := data.secrets()
	if err != nil {
		return err
	}
	database, err := pg.Start(ctx, data.join("postgres"))
	if err != nil {
		return err
	}
	e.stops = append(e.stops, database.Stop)
	objects, err := s3.Start(data.join("s3"), s3.Config{AccessKey: known.S3Key, SecretKey: known.S3Secret})
	if err != nil {
		return err
	}
	e.stops = append(e.stops, objects.Stop)
	e.Postgres = secret.New(database.DSN())
	e.S3 = blob.Config{URL: objects.URL(), AccessKey: known.S3Key, SecretKey: known.S3Secret, Bucket: "schedgen-pdfs"}
	return nil
}

// Close stops them, the newest first, and gives the directory back.
func (e *Embedded) Close() error {
	var all []error
	for i := len(e.stops) - 1; i >= 0; i-- {
		all = append(all, e.stops[i]())
	}
	e.stops = nil
	return errors.Join(all...)
}

package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/stack/redis"
	"github.com/schedgen/schedgen/shared/dev/stack/s3"
	"github.com/schedgen/schedgen/shared/diskspace"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

// anyPort is an address of this machine alone.
const anyPort = "127.0.0.1:0"

// addresses are where the functions find their servers and each other.
type addresses struct {
	database secret.String
	redis    secret.String
	s3       blob.Config
	// What no caller from outside needs: where functions take events.
	parse, calendar, google net.Listener
	disk                    diskspace.Config // of what is kept here
}

// servers starts those that are not given, and brings the schema up to date.
func (s *System) servers(ctx context.Context, data *dataDir, known secrets) (addresses, error) {
	var at addresses
	var err error
	if at.disk, err = s.disk(ctx, data); err != nil {
		return at, err
	}
	if at.database, err = s.database(ctx, data); err != nil {
		return at, err
	}
	if err := postgres.Migrate(ctx, at.database.Reveal()); err != nil {
		return at, err
	}
	if at.redis, err = s.redis(); err != nil {
		return at, err
	}
	if at.parse, err = s.listen(ctx, anyPort); err != nil {
		return at, err
	}
	if at.calendar, err = s.listen(ctx, anyPort); err != nil {
		return at, err
	}
	if at.google, err = s.listen(ctx, anyPort); err != nil {
		return at, err
	}
	at.s3, err = s.objects(data, known, "http://"+at.parse.Addr().String(), diskspace.New(at.disk))
	return at, err
}

// disk is what must stay free where a server of our own keeps its data.
func (s *System) disk(ctx context.Context, data *dataDir) (cfg diskspace.Config, err error) {
	if err := settings.ReadFrom(ctx, &cfg, s.cfg.Settings); err != nil {
		return cfg, err
	}
	if s.cfg.Postgres.IsZero() || s.cfg.S3.IsZero() {
		cfg.Dir = data.path
	}
	return cfg, nil
}

// database gives the address of the given server, or of our own.
func (s *System) database(ctx context.Context, data *dataDir) (secret.String, error) {
	if !s.cfg.Postgres.IsZero() {
		return s.cfg.Postgres, nil
	}
	s.logf("starting PostgreSQL in %s", data.join("postgres"))
	server, err := pg.Start(ctx, data.join("postgres"))
	if err != nil {
		return secret.String{}, err
	}
	s.keepRunning(server, data.join("postgres"))
	return secret.New(server.DSN()), nil
}

// keepRunning starts PostgreSQL again, where it was, should it end by itself.
func (s *System) keepRunning(server *pg.Server, dir string) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				ended <- server.Stop()
				return
			case <-server.Done():
			}
			s.cfg.Logger.Error("PostgreSQL ended by itself; starting it again", "log", dir)
			port := server.Port()
			err := server.Stop() // it has ended: this gives its directory back
			if err == nil {
				server, err = pg.Start(ctx, dir, pg.Port(port))
			}
			if err != nil {
				if ctx.Err() == nil {
					s.fail(err)
				}
				ended <- nil
				return
			}
		}
	}()
	s.onStop(func() error {
		cancel()
		return <-ended
	})
}

// redis gives the address of the given Redis, or of our own.
func (s *System) redis() (secret.String, error) {
	if !s.cfg.Redis.IsZero() {
		return s.cfg.Redis, nil
	}
	server, err := redis.Start(anyPort)
	if err != nil {
		return secret.String{}, err
	}
	s.onStop(func() error {
		server.Stop()
		return nil
	})
	return secret.New(server.URL()), nil
}

// objects gives the address of the given S3 server, or of our own, which tells webhook of uploads.
func (s *System) objects(data *dataDir, known secrets, webhook string, room *diskspace.Room) (blob.Config, error) {
	if !s.cfg.S3.IsZero() {
		return s.givenS3()
	}
	server, err := s3.Start(data.join("s3"), s3.Config{AccessKey: known.S3Key, SecretKey: known.S3Secret,
		Webhook: webhook, Token: known.EventToken, Room: room, Logger: s.cfg.Logger})
	if err != nil {
		return blob.Config{}, err
	}
	s.onStop(server.Stop)
	return blob.Config{URL: server.URL(), AccessKey: known.S3Key, SecretKey: known.S3Secret}, nil
}

// errS3 does not quote the address, which may carry a secret.
var errS3 = errors.New("the address of S3 is not like http://KEY:SECRET@host:9000/bucket")

// givenS3 reads an address with its keys and, if it names one, its bucket.
func (s *System) givenS3() (blob.Config, error) {
	address, err := url.Parse(s.cfg.S3.Reveal())
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return blob.Config{}, errS3
	}
	cfg := blob.Config{URL: address.Scheme + "://" + address.Host, Bucket: strings.Trim(address.Path, "/")}
	cfg.AccessKey = address.User.Username()
	password, _ := address.User.Password()
	cfg.SecretKey = secret.New(password)
	if cfg.AccessKey == "" {
		cfg.AccessKey, _ = s.cfg.Settings.Lookup("S3_ACCESS_KEY")
		given, _ := s.cfg.Settings.Lookup("S3_SECRET_KEY")
		cfg.SecretKey = secret.New(given)
	}
	if cfg.AccessKey == "" || cfg.SecretKey.IsZero() {
		return blob.Config{}, fmt.Errorf("%w, and neither are there S3_ACCESS_KEY and S3_SECRET_KEY", errS3)
	}
	return cfg, nil
}

// webhookARN is the name under which MinIO knows our webhook, see the hint below.
const webhookARN = "arn:minio:sqs::SCHEDGEN:webhook"

// subscribe has a real S3 server tell us of uploads, and tries until it does: it may be started later,
// or answer before it knows its webhooks. Meanwhile the sweep finds uploads, only later.
func (s *System) subscribe(at addresses) error {
	store, err := blob.Open(at.s3)
	if err != nil {
		return err
	}
	s.background(func(ctx context.Context) {
		tick := time.NewTicker(subscribeAgain)
		defer tick.Stop()
		for tries := 0; ; tries++ {
			err := store.Notify(ctx, webhookARN)
			if err == nil || ctx.Err() != nil {
				return
			}
			s.cfg.Logger.Warn("the bucket's notifications could not be set; trying again", "error", err.Error())
			if tries == hintAfter {
				s.logf(webhookHint, s.url, s.cfg.Data)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return nil
}

const (
	subscribeAgain = 2 * time.Second
	hintAfter      = 3 // tries
	webhookHint    = `The object store does not know where to tell of uploads (they are found by the sweep, more slowly).
Start MinIO with these in its environment:
  MINIO_NOTIFY_WEBHOOK_ENABLE_SCHEDGEN=on
  MINIO_NOTIFY_WEBHOOK_ENDPOINT_SCHEDGEN=%s/events/s3
  MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_SCHEDGEN=TOKEN    (eventToken in %s/secrets.json, or your EVENT_TOKEN)
  MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_SCHEDGEN=/var/lib/minio/events`
)

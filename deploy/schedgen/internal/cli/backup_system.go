package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

// backups are those of one system: at hand, or behind its HTTP API.
type backups struct {
	now     func(context.Context) (store.Summary, error)
	list    func(context.Context, bool) (backup.Listing, error)
	verify  func(context.Context, string, bool) (store.Summary, error)
	restore func(context.Context, restore.Options) (restore.Result, error)
	close   func()
}

// open finds the system. The servers of a data directory are started for the command where no
// system runs there, and asked over HTTP where one does.
func (o *backupOptions) open(ctx context.Context, std streams, what string) (*backups, error) {
	if o.server != "" {
		return remote(o.server, secret.New(os.Getenv("ADMIN_TOKEN")))
	}
	settings, err := o.settings()
	if err != nil {
		return nil, err
	}
	if settings["DATABASE_URL"] != "" || os.Getenv("DATABASE_URL") != "" {
		return local(ctx, settings, func() {})
	}
	embedded, err := stack.OpenEmbedded(ctx, o.data)
	if errors.Is(err, stack.ErrInUse) && what != "restore" {
		return o.running()
	}
	if err != nil {
		return nil, err
	}
	closing := func() {
		if err := embedded.Close(); err != nil {
			fmt.Fprintln(std.err, "warning:", oneLine(err))
		}
	}
	for name, value := range map[string]string{"DATABASE_URL": embedded.Postgres.Reveal(), "S3_URL": embedded.S3.URL, "S3_BUCKET": embedded.S3.Bucket,
		"S3_ACCESS_KEY": embedded.S3.AccessKey, "S3_SECRET_KEY": embedded.S3.SecretKey.Reveal()} {
		if settings[name] == "" {
			settings[name] = value
		}
	}
	on, err := local(ctx, settings, closing)
	if err != nil {
		closing()
	}
	return on, err
}

// settings are the flags as the function's environment variables.
func (o *backupOptions) settings() (map[string]string, error) {
	settings := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			settings[name] = value
		}
	}
	set("DATABASE_URL", o.postgres)
	if o.to != "" && o.postgres == "" {
		set("DATABASE_URL", o.to) // what is restored is the system from then on
	}
	set("BACKUP_RECIPIENTS", strings.Join(o.recipients, ","))
	set("BACKUP_IDENTITY_FILE", o.identity)
	set("BACKUP_SCRATCH_URL", o.scratch)
	for prefix, address := range map[string]string{"": o.s3, "BACKUP_": o.backupS3, "BACKUP_OFFSITE_": o.offsite} {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.User == nil || u.Scheme != "http" && u.Scheme != "https" {
			return nil, usagef("an address of S3 is not like http://KEY:SECRET@host:9000/bucket") // it may hold a secret
		}
		password, _ := u.User.Password()
		set(prefix+"S3_URL", u.Scheme+"://"+u.Host)
		set(prefix+"S3_BUCKET", strings.Trim(u.Path, "/"))
		set(prefix+"S3_ACCESS_KEY", u.User.Username())
		set(prefix+"S3_SECRET_KEY", password)
	}
	return settings, nil
}

// local is the function in this process.
func local(ctx context.Context, known map[string]string, closing func()) (*backups, error) {
	settings.WarnRenamed(slog.Default())
	var cfg backup.Config
	lookup := envconfig.MultiLookuper(envconfig.MapLookuper(known), envconfig.OsLookuper())
	if err := settings.ReadFrom(ctx, &cfg, lookup); err != nil {
		return nil, err
	}
	f, err := backup.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	summary := func(m store.Manifest, err error) (store.Summary, error) { return m.Summary(), err }
	return &backups{
		now:  func(ctx context.Context) (store.Summary, error) { return summary(f.Run(ctx)) },
		list: f.List,
		verify: func(ctx context.Context, id string, offsite bool) (store.Summary, error) {
			return summary(f.Verify(ctx, id, offsite))
		},
		restore: f.Restore,
		close:   func() { f.Close(); closing() },
	}, nil
}

// running is the system that has the data directory, with the token that it keeps there.
func (o *backupOptions) running() (*backups, error) {
	text, err := os.ReadFile(filepath.Join(o.data, "secrets.json"))
	if err != nil {
		return nil, fmt.Errorf("find the running system's token: %w", reason(err))
	}
	var known struct{ AdminToken secret.String }
	if err := json.Unmarshal(text, &known); err != nil {
		return nil, fmt.Errorf("read the running system's token: %w", err)
	}
	token := secret.New(os.Getenv("ADMIN_TOKEN"))
	if token.IsZero() {
		token = known.AdminToken
	}
	return remote(localAddress(), token)
}

// remoteTimeout is longer than a request for a backup may take.
const remoteTimeout = 15 * time.Minute

// remote is a running system behind its API.
func remote(address string, token secret.String) (*backups, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--server: %q is not an address such as http://localhost:8080", address)
	}
	if token.IsZero() {
		return nil, usagef("$ADMIN_TOKEN is empty: a running system is asked with its token")
	}
	asked := operator{strings.TrimRight(address, "/") + "/api/admin/backups", token, remoteTimeout}
	return &backups{
		now: func(ctx context.Context) (made store.Summary, err error) {
			err = asked.call(ctx, http.MethodPost, "", &made)
			return made, err
		},
		list: func(ctx context.Context, offsite bool) (list backup.Listing, err error) {
			err = asked.call(ctx, http.MethodGet, query(offsite), &list)
			return list, err
		},
		verify: func(ctx context.Context, id string, offsite bool) (looked store.Summary, err error) {
			err = asked.call(ctx, http.MethodPost, "/"+url.PathEscape(id)+"/verify"+query(offsite), &looked)
			return looked, err
		},
		restore: func(context.Context, restore.Options) (restore.Result, error) {
			return restore.Result{}, errors.New("a running system cannot be restored: stop it first")
		},
		close: func() {},
	}, nil
}

func query(offsite bool) string {
	if offsite {
		return "?offsite=true"
	}
	return ""
}

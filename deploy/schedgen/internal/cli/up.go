package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

func upCommand() command {
	return command{
		name:    "up",
		args:    "[FLAGS]",
		summary: "run the whole system on this machine",
		help: `Runs all functions in one process on one port, until it is interrupted. PostgreSQL is started from the
system's packages in the data directory; S3 and Redis are inside the process. Each can be a real
server instead. What is in the data directory survives crashes and power cuts.

Everything else is set by the functions' environment variables, such as PDF_RETENTION=1h,
PUBLIC_URL=https://schedgen.example.org or LOG_LEVEL=warn. Logs go to standard output: JSON lines, or
text on a terminal.

Examples:
  schedgen up
  schedgen up --port 8081 --data /srv/second            a second system beside the first
  schedgen up --google=fake                             sign-in and sync without a Google project
  schedgen up --monitoring                              with Prometheus and alerts; see schedgen status
  schedgen up --host 0.0.0.0                            for other machines, too
  schedgen up --postgres postgres://schedgen:PASSWORD@db:5432/schedgen \
              --redis redis://cache:6379/0 --s3 http://KEY:SECRET@minio:9000/schedgen-pdfs`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			var cfg stack.Config
			flags.IntVar(&cfg.Port, "port", 8080, "where it listens, a `NUMBER`; 0 takes a free port; or $PORT")
			flags.StringVar(&cfg.Host, "host", "127.0.0.1", "the `ADDRESS` to listen on; 0.0.0.0 lets other machines in; or $SCHEDGEN_HOST")
			flags.StringVar(&cfg.Data, "data", ".schedgen", "the `DIRECTORY` of everything that is kept; or $SCHEDGEN_DATA")
			flags.TextVar(&cfg.Postgres, "postgres", secret.String{}, "the `URL` of a real PostgreSQL; or $SCHEDGEN_POSTGRES")
			flags.TextVar(&cfg.Redis, "redis", secret.String{}, "the `URL` of a real Redis; or $SCHEDGEN_REDIS")
			flags.TextVar(&cfg.S3, "s3", secret.String{}, "the `URL` of a real S3 server, with keys and bucket; or $SCHEDGEN_S3")
			flags.StringVar(&cfg.Google, "google", "", "`fake` serves a stand-in of Google, to try sign-in and sync without a project there")
			flags.Var((*repeated)(&cfg.BackupRecipients), "backup-recipient", "make a backup daily, encrypted to this `KEY` (age1...); may be repeated")
			flags.StringVar(&cfg.BackupIdentity, "backup-identity", "", "the `FILE` of the secret key, to verify each backup by a restore")
			watched := flags.Bool("monitoring", false, "run Prometheus and Alertmanager beside it, with the alerts of docs/monitoring.md")
			var webhook secret.String
			flags.TextVar(&webhook, "alert-webhook", secret.String{}, "the `URL` that gets the alerts of --monitoring, as Alertmanager's JSON; or $SCHEDGEN_ALERT_WEBHOOK")
			flags.DurationVar(&cfg.SweepEvery, "sweep", 15*time.Second, "how `OFTEN` lost work is looked for")
			return func(ctx context.Context, std streams, args []string) error {
				if len(args) > 0 {
					return usagef("it takes no arguments but flags, and got %q", args[0])
				}
				if err := fromEnvironment(flags, map[string]string{
					"port": "PORT", "host": "SCHEDGEN_HOST", "data": "SCHEDGEN_DATA",
					"postgres": "SCHEDGEN_POSTGRES", "redis": "SCHEDGEN_REDIS", "s3": "SCHEDGEN_S3",
					"alert-webhook": "SCHEDGEN_ALERT_WEBHOOK",
				}); err != nil {
					return err
				}
				if err := checkUp(cfg); err != nil {
					return err
				}
				if *watched {
					cfg.Monitoring = &stack.Monitoring{Webhook: webhook}
				} else if !webhook.IsZero() {
					return usagef("--alert-webhook: nobody raises alerts without --monitoring")
				}
				return up(ctx, std, cfg)
			}
		},
	}
}

// checkUp says what makes no sense of a command line.
func checkUp(cfg stack.Config) error {
	if cfg.Port < 0 || cfg.Port > 65535 {
		return usagef("--port: %d is not between 0 and 65535", cfg.Port)
	}
	if cfg.SweepEvery <= 0 {
		return usagef("--sweep: %s is not a time between two sweeps", cfg.SweepEvery)
	}
	if cfg.Google != "" && cfg.Google != stack.FakeGoogle {
		return usagef("--google: %q is not \"fake\"; the real Google needs GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET", cfg.Google)
	}
	return nil
}

// fromEnvironment sets the flags that were not given from the variables of those names: addresses
// with passwords can so stay out of the command line, which every user of a machine may read.
func fromEnvironment(flags *flag.FlagSet, variables map[string]string) error {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, variable := range variables {
		value := os.Getenv(variable)
		if value == "" || given[name] {
			continue
		}
		if err := flags.Set(name, value); err != nil {
			return usagef("$%s: this is not a value for --%s", variable, name) // it may hold a password
		}
	}
	return nil
}

// up runs a system until ctx ends or it cannot go on.
func up(ctx context.Context, std streams, cfg stack.Config) error {
	logger, err := logTo(std.out)
	if err != nil {
		return err
	}
	slog.SetDefault(logger)
	settings.WarnRenamed(logger)
	cfg.Logger, cfg.Progress, cfg.Settings = logger, std.err, envconfig.OsLookuper()
	system, err := stack.Start(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "schedgen serves %s (data in %s; Ctrl-C ends it)\n", system.URL(), cfg.Data)
	select {
	case <-ctx.Done():
		fmt.Fprintln(std.err, "ending: requests in flight finish first")
	case err = <-system.Failed():
	}
	return errors.Join(err, system.Stop())
}

// logTo logs as a person or a machine reads best.
func logTo(out io.Writer) (*slog.Logger, error) {
	level := slog.LevelInfo
	if text := os.Getenv("LOG_LEVEL"); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return nil, usagef("$LOG_LEVEL: %s is none of debug, info, warn, error", strconv.Quote(text))
		}
	}
	if file, ok := out.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level})), nil
		}
	}
	return faas.Logger(out, level), nil
}

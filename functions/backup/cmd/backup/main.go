// Command backup serves the function of that name. With an argument it does one thing and ends, with
// status 0 or 1: `backup run` makes a backup, for a Job or a cron where one may take longer than a
// request; `backup watch` alerts if one was missed; `backup list` tells which there are; `backup restore [ID]
// [--replace] [--offsite]` brings one back, the newest good one without an ID, into the database and the
// bucket that the environment names.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(once(os.Args[1], os.Args[2:]...))
	}
	faas.Main("backup", func(ctx context.Context) (faas.Function, error) { return configured(ctx) },
		faas.Config{Concurrency: 1, RequestTimeout: 10 * time.Minute})
}

// configured is the function as the environment says.
func configured(ctx context.Context) (*backup.Function, error) {
	var cfg backup.Config
	if err := envconfig.Process(ctx, &cfg); err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return backup.New(ctx, cfg)
}

// once does one task and gives the exit code.
func once(task string, args ...string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	faas.AdoptRenamedSettings()(slog.Default())
	f, err := configured(ctx)
	if err == nil {
		defer f.Close()
		err = f.Once(ctx, task, args, os.Stderr)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "backup %s: %v\n", task, err)
		return 1
	}
	return 0
}

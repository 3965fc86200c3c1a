// Command backup serves the function of that name. With an argument it does one thing and ends, with
// status 0 or 1: `backup run` makes a backup, for a Job or a cron where one may take longer than a
// request; `backup watch` alerts if one was missed; `backup list` tells which there are; `backup key` prints the public key of signatures; `backup restore [ID]
// [--replace] [--offsite] [--unsigned] [--ignore-deletions] [--without-damaged-pdfs]` brings one back, the newest good one
// without an ID, into the database and the bucket that the environment names.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/settings"
)

func main() {
	faas.SpareMemory()
	if len(os.Args) > 1 && os.Args[1] != "--version" { // which faas.Main knows
		os.Exit(once(os.Args[1], os.Args[2:]...))
	}
	faas.Main("backup", backup.New, faas.Config{Concurrency: 1, RequestTimeout: 600 * time.Second})
}

// once does one task and gives the exit code.
func once(task string, args ...string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	settings.WarnRenamed(slog.Default())
	if err := run(ctx, task, args); err != nil {
		fmt.Fprintf(os.Stderr, "backup %s: %v\n", task, err)
		return 1
	}
	return 0
}

func run(ctx context.Context, task string, args []string) error {
	f, err := configured(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Command(ctx, task, args, os.Stderr)
}

// configured is the function as the environment says.
func configured(ctx context.Context) (*backup.Function, error) {
	var cfg backup.Config
	if err := settings.Read(ctx, &cfg); err != nil {
		return nil, err
	}
	return backup.New(ctx, cfg)
}

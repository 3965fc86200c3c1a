package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/restore"
)

// Command runs one task outside a server: "run", "watch", "list", "key" (the public key of signatures), or "restore" with the arguments of
// restore.ParseArgs. It writes progress to out, in lines. Wrong arguments are an error before anything is done.
func (f *Function) Command(ctx context.Context, task string, args []string, out io.Writer) error {
	ctx = progress.With(ctx, progress.Lines(out))
	if task != "restore" && len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, got %q", task, args)
	}
	switch task {
	case "run":
		_, err := f.Run(ctx)
		return err
	case "watch":
		f.incidents.Once = true
		s, err := f.Watch(ctx)
		if err == nil && s.Enabled && !s.Healthy {
			err = errors.New(s.Reason)
		}
		return err
	case "key":
		if f.keys.Public() == "" {
			return errors.New("BACKUP_SIGNING_KEY is not set, so there is no public key")
		}
		_, err := fmt.Fprintln(out, f.keys.Public())
		return err
	case "list":
		return f.printList(ctx, out)
	case "restore":
		options, err := restore.ParseArgs(args)
		if err == nil {
			_, err = f.Restore(ctx, options)
		}
		return err
	}
	return fmt.Errorf("unknown task %q: use run, watch, list, key or restore", task)
}

// printList prints the backups, the newest first, with the IDs that a restore takes.
func (f *Function) printList(ctx context.Context, out io.Writer) error {
	list, err := f.List(ctx, false)
	for _, b := range list.Backups {
		fmt.Fprintf(out, "%s  %s  %s  %d rows  %d PDFs\n", b.ID, b.CreatedAt.Format(time.RFC3339), b.Status, b.Rows, b.Objects)
	}
	return err
}

package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Once does a task by itself, outside of a server: "run", "watch", "list", or "restore" with what RestoreOf
// takes. Progress goes to out, in lines. What is wrong with args is said before anything is done.
func (f *Function) Once(ctx context.Context, task string, args []string, out io.Writer) error {
	ctx = WithProgress(ctx, Lines(out))
	if task != "restore" && len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, got %q", task, args)
	}
	switch task {
	case "run":
		_, err := f.Run(ctx)
		return err
	case "watch":
		s, err := f.Watch(ctx)
		if err == nil && s.Enabled && !s.Healthy {
			err = errors.New(s.Reason)
		}
		return err
	case "list":
		return f.print(ctx, out)
	case "restore":
		what, err := RestoreOf(args)
		if err == nil {
			_, err = f.Restore(ctx, what)
		}
		return err
	}
	return fmt.Errorf("there is no task %q; there are run, watch, list and restore", task)
}

// print tells the backups, the newest first: who restores chooses one by its ID.
func (f *Function) print(ctx context.Context, out io.Writer) error {
	list, err := f.List(ctx, false)
	for _, b := range list.Backups {
		fmt.Fprintf(out, "%s  %s  %s  %d rows  %d PDFs\n", b.ID, b.CreatedAt.Format(time.RFC3339), b.Status, b.Rows, b.Objects)
	}
	return err
}

// RestoreOf reads the arguments of a restore: [ID] [--replace] [--offsite], in any order. A flag that is
// not known is an error, never the default: what it was meant to prevent would happen.
func RestoreOf(args []string) (what Restore, err error) {
	for _, arg := range args {
		switch {
		case arg == "--replace":
			what.Replace = true
		case arg == "--offsite":
			what.Offsite = true
		case arg == "" || strings.HasPrefix(arg, "-"):
			return Restore{}, fmt.Errorf("a restore knows no %q; it takes [ID] [--replace] [--offsite]", arg)
		case what.ID != "":
			return Restore{}, fmt.Errorf("a restore takes one ID, got %q and %q", what.ID, arg)
		default:
			what.ID = arg
		}
	}
	return what, nil
}

// Lines writes progress to out, each line with the time since the first.
func Lines(out io.Writer) func(string) {
	var mu sync.Mutex
	began := time.Now()
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, "[%6.1fs] %s\n", time.Since(began).Seconds(), line)
	}
}

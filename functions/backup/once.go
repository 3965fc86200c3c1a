package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Once does a task by itself, outside of a server: "run" or "watch". Progress goes to out, in lines.
func (f *Function) Once(ctx context.Context, task string, out io.Writer) error {
	ctx = WithProgress(ctx, Lines(out))
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
	}
	return fmt.Errorf("there is no task %q; there are run and watch", task)
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

// Package progress reports what a long task is doing, in lines for a person. The receiver travels in the
// context, so the packages that do the work need no parameter for it; without a receiver reports go nowhere.
package progress

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

type receiverKey struct{}

// With returns a context whose reports go to receive, one line each. Several goroutines may call receive at once.
func With(ctx context.Context, receive func(line string)) context.Context {
	return context.WithValue(ctx, receiverKey{}, receive)
}

// Report sends a line to the context's receiver.
func Report(ctx context.Context, format string, args ...any) {
	if receive, ok := ctx.Value(receiverKey{}).(func(string)); ok {
		receive(fmt.Sprintf(format, args...))
	}
}

// Lines returns a receiver that writes lines to out, each with the time since Lines was called.
func Lines(out io.Writer) func(line string) {
	var mu sync.Mutex
	began := time.Now()
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, "[%6.1fs] %s\n", time.Since(began).Seconds(), line)
	}
}

// Bytes formats a number of bytes for people: 1.5 MB.
func Bytes(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, names := float64(n)/unit, "kMGTPE"
	for value >= unit && len(names) > 1 {
		value, names = value/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %cB", value, names[0])
}

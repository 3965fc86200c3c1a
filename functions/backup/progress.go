package backup

import (
	"context"
	"fmt"
)

type progressKey struct{}

// WithProgress returns ctx with who is told, in a line each, what is being done. Lines may come from
// several goroutines at once.
func WithProgress(ctx context.Context, tell func(line string)) context.Context {
	return context.WithValue(ctx, progressKey{}, tell)
}

func progress(ctx context.Context, format string, args ...any) {
	if tell, ok := ctx.Value(progressKey{}).(func(string)); ok {
		tell(fmt.Sprintf(format, args...))
	}
}

// size is a number of bytes for people.
func size(bytes int64) string {
	const unit = 1000
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	value, names := float64(bytes)/unit, "kMGTPE"
	for value >= unit && len(names) > 1 {
		value, names = value/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %cB", value, names[0])
}

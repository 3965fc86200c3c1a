// The calendar-generate command serves the function of that name on $PORT.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sethvargo/go-envconfig"

	calendargenerate "github.com/schedgen/schedgen/functions/calendar-generate"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.Main("calendar-generate", func(ctx context.Context) (faas.Function, error) {
		var cfg calendargenerate.Config
		if err := envconfig.Process(ctx, &cfg); err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		return calendargenerate.New(ctx, cfg)
	}, faas.Config{Concurrency: 100, RequestTimeout: 30 * time.Second, MaxBody: 4 << 20})
}

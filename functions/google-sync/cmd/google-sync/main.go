// The google-sync command serves the function of that name on $PORT.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sethvargo/go-envconfig"

	googlesync "github.com/schedgen/schedgen/functions/google-sync"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.Main("google-sync", func(ctx context.Context) (faas.Function, error) {
		var cfg googlesync.Config
		if err := envconfig.Process(ctx, &cfg); err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		return googlesync.New(ctx, cfg)
	}, faas.Config{Concurrency: 20, RequestTimeout: 2 * time.Minute, MaxBody: 4 << 20})
}

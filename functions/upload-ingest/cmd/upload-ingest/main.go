// Command upload-ingest serves the function of that name.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sethvargo/go-envconfig"

	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.Main("upload-ingest", func(ctx context.Context) (faas.Function, error) {
		var cfg uploadingest.Config
		if err := envconfig.Process(ctx, &cfg); err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		return uploadingest.New(ctx, cfg)
	}, faas.Config{
		Concurrency: 80, RequestTimeout: 60 * time.Second,
		// Far more than MAX_FILE: a browser reads why its file is too large only when all of it is sent.
		MaxBody: 64 << 20,
	})
}

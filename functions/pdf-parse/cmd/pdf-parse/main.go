// Command pdf-parse serves the function of that name.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sethvargo/go-envconfig"

	pdfparse "github.com/schedgen/schedgen/functions/pdf-parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	sandbox.MaybeChild() // before anything else: in the parser's child it never returns
	faas.Main("pdf-parse", func(ctx context.Context) (faas.Function, error) {
		var cfg pdfparse.Config
		if err := envconfig.Process(ctx, &cfg); err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		return pdfparse.New(ctx, cfg)
	}, faas.Config{RequestTimeout: 5 * time.Minute})
}

package cli

import (
	"context"
	"flag"
	"fmt"
	"runtime"

	"github.com/schedgen/schedgen/shared/faas"
)

func versionCommand() command {
	return command{
		name:    "version",
		summary: "tell which schedgen this is",
		help:    "Prints the version of schedgen and its commit, the version of Go, and the platform it was built for.",
		flags: func(*flag.FlagSet) func(context.Context, streams, []string) error {
			return func(_ context.Context, std streams, args []string) error {
				if len(args) > 0 {
					return usagef("it takes no arguments")
				}
				_, err := fmt.Fprintf(std.out, "schedgen %s %s %s/%s\n", faas.Build(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return err
			}
		},
	}
}

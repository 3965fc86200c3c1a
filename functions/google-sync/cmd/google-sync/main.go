// The google-sync command serves the function of that name on $PORT.
package main

import (
	"time"

	googlesync "github.com/schedgen/schedgen/functions/google-sync"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.Main("google-sync", googlesync.New, faas.Config{Concurrency: 20, RequestTimeout: 2 * time.Minute, MaxBody: 4 << 20})
}

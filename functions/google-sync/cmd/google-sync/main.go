// The google-sync command serves the function of that name on $PORT.
package main

import (
	"time"

	googlesync "github.com/schedgen/schedgen/functions/google-sync"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.Main("google-sync", googlesync.New, faas.Config{Concurrency: 20, RequestTimeout: 120 * time.Second, MaxBody: 4 << 20})
}

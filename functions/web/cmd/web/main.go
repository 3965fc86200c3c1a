// The web command serves the function of that name on $PORT.
package main

import (
	"time"

	"github.com/schedgen/schedgen/functions/web"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.Main("web", web.New, faas.Config{Concurrency: 200, RequestTimeout: 10 * time.Second, MaxBody: 1 << 10})
}

// The upload-ingest command serves the function of that name on $PORT.
package main

import (
	"time"

	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.Main("upload-ingest", uploadingest.New, faas.Config{
		Concurrency: 80, RequestTimeout: 60 * time.Second,
		// Far more than MAX_FILE: a browser reads why its file is too large only when all of it is sent.
		MaxBody: 64 << 20,
	})
}

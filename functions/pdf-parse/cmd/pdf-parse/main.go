// The pdf-parse command serves the function of that name on $PORT.
package main

import (
	"time"

	pdfparse "github.com/schedgen/schedgen/functions/pdf-parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	sandbox.MaybeChild() // before anything else: in the parser's child it never returns
	faas.Main("pdf-parse", pdfparse.New, faas.Config{RequestTimeout: 300 * time.Second})
}

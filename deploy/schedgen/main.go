// Command schedgen runs schedgen on one machine and gives its parts as commands: the whole system
// (up), one PDF's entries (parse), one PDF's calendar (convert). See schedgen --help.
package main

import (
	"os"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/cli"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
)

func main() {
	sandbox.MaybeChild() // before anything else: in the parser's child it never returns
	os.Exit(cli.Main())
}

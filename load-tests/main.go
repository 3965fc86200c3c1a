// Command load-tests makes the timetables that load tests upload.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/schedgen/schedgen/load-tests/fixtures"
)

func main() {
	out := flag.String("out", "", "the folder to write to")
	seed := flag.Uint64("seed", 1, "what the timetables are made from: the same seed gives the same files")
	count := flag.Int("count", 300, "how many")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if _, err := fixtures.Write(*out, *seed, *count); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

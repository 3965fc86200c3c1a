// Command model says from what load tests measured what the system bears where none was run: for how many students, with
// how many instances, and how long the first of a semester wait while a cluster scales from zero.
//
// It reads the reports of load tests (docs/performance/load) and the scaling table (deploy/scaling.json). Its predictions
// stand beside what was measured, so that a reader sees how far to trust them.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	reports := flag.String("reports", "docs/performance/load", "the folder of the reports of load tests")
	table := flag.String("scaling", "deploy/scaling.json", "the scaling table")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(os.Stdout, *reports, *table); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, reports, table string) error {
	services, err := readScaling(table)
	if err != nil {
		return err
	}
	costs, runs, err := readReports(reports)
	if err != nil {
		return err
	}
	sections := costTable(costs) + "\n" + heldAgainst(costs, runs) + "\n" + instanceTable(costs, services) + "\n" +
		crowdTable(costs, services) + "\n" + firstMinute(costs, services)
	_, err = io.WriteString(out, sections)
	return err
}

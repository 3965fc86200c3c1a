package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// measured is what a program was measured at, in the order of its rows.
type measured map[string]float64

// The rows of the comparison.
var comparedRows = []string{
	"CPU of an upload, one after the other, ms", "CPU of an upload, 32 at once, ms",
	"upload to events, 32 at once, median, ms", "upload to events, 32 at once, slowest 1 %, ms", "slowest 1 % as multiple of the median",
}

// parseRows are the rows of a file that is read.
func parseRows(file string) []string {
	name := filepath.Base(file)
	return []string{"parse " + name + ", CPU, median, ms", "parse " + name + ", CPU, least, ms", "parse " + name + ", time, least, ms"}
}

// BenchmarkAgainstBefore measures a schedgen program beside that of an earlier commit, and `schedgen parse` beside
// `pdftotext -bbox`, in one run: `make bench BEFORE=commit` builds both. Processor time is that of the program with all
// that it starts; what it takes without an upload is not counted.
func BenchmarkAgainstBefore(b *testing.B) {
	columns := []struct{ name, program string }{{"before", os.Getenv("SCHEDGEN_BEFORE")}, {"after", os.Getenv("SCHEDGEN_AFTER")}}
	if columns[0].program == "" || columns[1].program == "" {
		b.Skip("needs two programs: run make bench BEFORE=commit, or set SCHEDGEN_BEFORE and SCHEDGEN_AFTER")
	}
	paper := generated(b, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5})
	file := filepath.Join(b.TempDir(), "page.pdf")
	if err := os.WriteFile(file, paper.pdf, 0o600); err != nil {
		b.Fatal(err)
	}
	files := append(realSamples(b), file)
	results := map[string]measured{"peer": {}}
	for _, c := range columns {
		results[c.name] = measureUploads(b, c.program, paper)
	}
	rows := comparedRows
	for _, file := range files {
		for _, c := range columns {
			results[c.name].parse(b, file, c.program, "parse", file)
		}
		results["peer"].parse(b, file, "pdftotext", "-bbox", file, os.DevNull)
		rows = append(rows, parseRows(file)...)
	}
	fmt.Printf("\n| what | before | after | `pdftotext -bbox` |\n|---|---|---|---|\n")
	for _, row := range rows {
		peer := ""
		if n, ok := results["peer"][row]; ok {
			peer = fmt.Sprintf("%.1f", n)
		}
		fmt.Printf("| %s | %.1f | %.1f | %s |\n", row, results["before"][row], results["after"][row], peer)
	}
	for b.Loop() { // all is measured above
	}
	b.ReportMetric(0, "ns/op")
}

// measureUploads measures `schedgen up` on a directory that an earlier start has prepared.
func measureUploads(b *testing.B, program string, paper printed) measured {
	b.Helper()
	const single, atOnce, rounds = 50, 32, 10
	data := dataDir(b)
	upCosts(b, program, data, func(string) {}) // makes the database
	idle := upCosts(b, program, data, func(string) {})
	one := upCosts(b, program, data, func(address string) {
		for range single { // each by another student: what one has uploaded before is read with the next
			if err := uploadAndWait(b.Context(), newClient(b), address, paper); err != nil {
				b.Fatal(err)
			}
		}
	})
	var mu sync.Mutex
	var took []time.Duration
	many := upCosts(b, program, data, func(address string) {
		var users sync.WaitGroup
		for range atOnce {
			users.Go(func() {
				for range rounds {
					began := time.Now()
					if err := uploadAndWait(b.Context(), newClient(b), address, paper); err != nil {
						b.Error(err)
					}
					mu.Lock()
					took = append(took, time.Since(began))
					mu.Unlock()
				}
			})
		}
		users.Wait()
	})
	slices.Sort(took)
	median, slowest := milliseconds(took[len(took)/2]), milliseconds(took[len(took)*99/100])
	return measured{
		comparedRows[0]: milliseconds(one-idle) / single, comparedRows[1]: milliseconds(many-idle) / (atOnce * rounds),
		comparedRows[2]: median, comparedRows[3]: slowest, comparedRows[4]: slowest / median,
	}
}

// upCosts is the processor time of `schedgen up`, with all that it starts, from its start to its end.
func upCosts(b *testing.B, program, data string, use func(address string)) time.Duration {
	b.Helper()
	port := freePort(b)
	cmd := exec.CommandContext(b.Context(), program, "up", "--port", port, "--data", data, "--sweep", "1h")
	cmd.Env = append(append(os.Environ(), unlimited...), "PARSE_RATE=1000") // what the machine does, not what it may
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	address := "http://127.0.0.1:" + port
	ready, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		got, err := get(ready, newClient(b), address+"/ready")
		if err == nil && got.StatusCode == 200 {
			break
		}
		select {
		case <-ready.Done():
			b.Fatalf("%s is not ready: %v", program, err)
		case <-look.C:
		}
	}
	use(address)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%s: %v", program, err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// realSamples are the real PDFs that SCHEDGEN_SAMPLES names, if it does.
func realSamples(b *testing.B) []string {
	b.Helper()
	dir := os.Getenv("SCHEDGEN_SAMPLES")
	if dir == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pdf"))
	if err != nil {
		b.Fatal(err)
	}
	return files
}

// parse measures a program that reads a file: processor time, and the shortest time, which other work on the machine
// changes least.
func (m measured) parse(b *testing.B, file, program string, args ...string) {
	b.Helper()
	var spent, took []time.Duration
	for range 40 {
		cmd := exec.CommandContext(b.Context(), program, args...)
		began := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatalf("%s: %v", program, err)
		}
		took = append(took, time.Since(began))
		spent = append(spent, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	slices.Sort(spent)
	for i, d := range []time.Duration{spent[len(spent)/2], spent[0], slices.Min(took)} {
		m[parseRows(file)[i]] = milliseconds(d)
	}
}

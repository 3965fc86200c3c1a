package parse_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ledongthuc/pdf"
	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// benchFile is a PDF to measure with.
type benchFile struct {
	name, path string
	pages      int
}

// benchFiles are generated timetables of each kind and of 1, 10 and 100 pages, and the samples.
func benchFiles(b *testing.B) []benchFile {
	b.Helper()
	var files []benchFile
	dir := b.TempDir()
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		for _, pages := range []int{1, 10, 100} {
			pdf, _, err := fixture.Generate(fixture.Options{Kind: kind, Seed: 1, Pages: pages, Compress: true})
			if err != nil {
				b.Fatal(err)
			}
			name := fmt.Sprintf("%s-%03d", kind, pages)
			f := benchFile{name, filepath.Join(dir, name+".pdf"), pages}
			if err := os.WriteFile(f.path, pdf, 0o600); err != nil {
				b.Fatal(err)
			}
			files = append(files, f)
		}
	}
	if samples := os.Getenv("SCHEDGEN_SAMPLES"); samples != "" {
		paths, _ := filepath.Glob(filepath.Join(samples, "*.pdf"))
		for _, path := range paths {
			files = append(files, benchFile{name: strings.TrimSuffix(filepath.Base(path), ".pdf"), path: path})
		}
	}
	return files
}

// BenchmarkParse reads timetables in this process. Its ns/page stays the same from 1 to 100 pages.
// pdfminer-ratio and ledongthuc-ratio are how many times longer others take only to read the same pages.
func BenchmarkParse(b *testing.B) {
	for _, f := range benchFiles(b) {
		b.Run(f.name, func(b *testing.B) {
			file, err := os.ReadFile(f.path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parse.Parse(file); err != nil {
					b.Fatal(err)
				}
			}
			each := b.Elapsed() / time.Duration(b.N)
			if f.pages > 0 {
				b.ReportMetric(float64(each.Nanoseconds())/float64(f.pages), "ns/page")
			}
			b.ReportMetric(ledongthuc(b, file), "ledongthuc-ratio")
			if peer, ok := pdfminer(b, f); ok {
				b.ReportMetric(peer.Seconds()/each.Seconds(), "pdfminer-ratio")
			}
		})
	}
}

// ledongthuc is how many times longer github.com/ledongthuc/pdf takes to give the characters of all pages with their
// places than Parse takes for the whole timetable: both in this process and by turns, of the medians.
func ledongthuc(b *testing.B, file []byte) float64 {
	b.Helper()
	var ours, theirs []time.Duration
	for range 7 {
		start := time.Now()
		_, err := parse.Parse(file)
		ours = append(ours, time.Since(start))
		if err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		reader, err := pdf.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			b.Fatal(err)
		}
		for i := range reader.NumPage() {
			if len(reader.Page(i+1).Content().Text) == 0 {
				b.Fatalf("nothing read of page %d", i+1)
			}
		}
		theirs = append(theirs, time.Since(start))
	}
	return median(theirs).Seconds() / median(ours).Seconds()
}

// pdfminer is how long pdfminer takes for the pages of a file, in its process; false where it is
// not installed.
func pdfminer(b *testing.B, f benchFile) (time.Duration, bool) {
	b.Helper()
	const debian = "/usr/bin/python3" // where python3-pdfminer installs, whatever python3 is first in PATH
	runs := "3"
	if f.pages > 10 {
		runs = "1"
	}
	out, err := exec.CommandContext(b.Context(), debian, "testdata/pdfminer_pages.py", f.path, runs).Output()
	if err != nil {
		b.Logf("no comparison with pdfminer, is python3-pdfminer installed? %v", err)
		return 0, false
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// BenchmarkProcess runs the whole `schedgen parse` by turns with `pdftotext -bbox`.
// pdftotext-ratio is how many times longer it takes, of the medians.
func BenchmarkProcess(b *testing.B) {
	program := filepath.Join(b.TempDir(), "schedgen")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Dir = "../../../deploy/schedgen"
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build the command: %v: %s", err, out)
	}
	for _, f := range benchFiles(b) {
		b.Run(f.name, func(b *testing.B) {
			var ours, theirs []time.Duration
			turn := func() {
				ours = append(ours, timed(b, program, "parse", f.path))
				theirs = append(theirs, timed(b, "pdftotext", "-bbox", f.path, os.DevNull))
			}
			for b.Loop() {
				turn()
			}
			for len(ours) < 5 { // a median of fewer says little
				turn()
			}
			b.ReportMetric(0, "ns/op") // of both together: says nothing
			b.ReportMetric(float64(median(ours).Microseconds())/1000, "ms")
			b.ReportMetric(median(ours).Seconds()/median(theirs).Seconds(), "pdftotext-ratio")
		})
	}
}

// timed is how long a program takes.
func timed(b *testing.B, name string, args ...string) time.Duration {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), name, args...)
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if errors.Is(err, exec.ErrNotFound) {
		b.Skipf("%s is not installed: run `make setup`", name)
	}
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return took
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

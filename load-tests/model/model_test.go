package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// page is a report of so many uploads in 100 seconds, as load tests write it.
func page(uploads, median int) string {
	return fmt.Sprintf("# Load test\n\n2026-02-09, 1m40s, commit abc1234, on 2 cores of a machine, linux.\n\n| metric | threshold | kept |\n|---|---|---|\n| `checks` | `rate>0.99` | yes |\n\n"+
		"| milliseconds | count | med | p(95) |\n|---|---:|---:|---:|\n| `http_req_duration{name:upload}` | %d | %d | 90 |\n\n"+
		"| | number | a second |\n|---|---:|---:|\n| `iterations` | %[1]d | %.2[3]f |\n\n"+
		"| held by | at the start | second quarter | last quarter | most |\n|---|---:|---:|---:|---:|\n"+
		"| machine: processor, s | 0 | 30 | 90 | 100 |\n| upload-ingest: processor, s | 0 | 3 | 9 | 10 |\n"+
		"| pdf-parse: processor, s | 0 | 6 | 18 | 20 |\n| calendar-generate: processor, s | 0 | 1 | 4 | 5 |\n", uploads, median, float64(uploads)/100)
}

const scaling = `{"upload-ingest":{"concurrency":80,"maxScale":20,"limits":{"cpu":"1"}},
"pdf-parse":{"concurrency":4,"maxScale":50,"limits":{"cpu":"2"}},
"calendar-generate":{"concurrency":100,"maxScale":20,"limits":{"cpu":"500m"}}}`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestModel reads reports and gives what follows from them.
func TestModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table := filepath.Join(dir, "scaling.json")
	write(t, table, scaling)
	write(t, filepath.Join(dir, "upload.md"), page(1000, 60))
	write(t, filepath.Join(dir, "baseline.md"), page(100, 40))
	write(t, filepath.Join(dir, "stress.md"), page(5000, 900))
	var out strings.Builder
	if err := run(&out, dir, table); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "| baseline |") {
		t.Error("the run that the prediction starts from is held against it")
	}
	for _, want := range []string{
		"| pdf-parse | 20 ms |", "2 cores do 20.0 visits a second, 72000 students an hour.",
		"| upload | 10.0 | 50 % | 53 ms | 60 ms |", "| stress | 50.0 | 100 % | more than it bears | 900 ms |",
		"| calendar-generate | 100 | 200 | 300 | 2000 (20) |", "| 10000 | 16.7 |", "PARSE_RATE=20",
		"| 10 | 1 s | none |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
}

// TestModelNeeds says what is missing.
func TestModelNeeds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ upload, baseline, scaling, want string }{
		"no report":            {"", page(1, 1), scaling, "make load SCENARIO=upload"},
		"no processor time":    {strings.ReplaceAll(page(1, 1), "machine:", "other:"), page(1, 1), scaling, "no machine: processor, s"},
		"no machine":           {strings.Replace(page(1, 1), "on 2 cores", "on some", 1), page(1, 1), scaling, "does not say on how many cores"},
		"no uploads":           {page(1, 1), "| a | 1 |\n", scaling, "the report of baseline has no"},
		"no table":             {page(1, 1), page(1, 1), "", "read the scaling table"},
		"a function not in it": {page(1, 1), page(1, 1), `{}`, "too little of upload-ingest"},
		"cores are no number":  {page(1, 1), page(1, 1), strings.Replace(scaling, `"1"`, `"one"`, 1), `"one" is no number of cores`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{"upload.md": test.upload, "baseline.md": test.baseline, "scaling.json": test.scaling} {
				if text != "" {
					write(t, filepath.Join(dir, file), text)
				}
			}
			err := run(new(strings.Builder), dir, filepath.Join(dir, "scaling.json"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestErlangC has values of the tables of the formula.
func TestErlangC(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		servers    int
		work, want float64
	}{{1, 0.5, 0.5}, {2, 1, 1.0 / 3}, {2, 0, 0}, {10, 7, 0.2217}, {3, 3, 1}, {500, 450, 0.0122}} {
		if got := erlangC(test.servers, test.work); math.Abs(got-test.want) > 0.0005 {
			t.Errorf("erlangC(%d, %g) = %.4f, want %.4f", test.servers, test.work, got, test.want)
		}
	}
}

// TestSimulate holds the simulation against what can be said without it.
func TestSimulate(t *testing.T) {
	t.Parallel()
	small := service{Concurrency: 4, MaxScale: 50}
	small.Limits.CPU = 2
	kept := small
	kept.MinScale = 1
	few := small
	few.MaxScale = 2
	crowd := arrive(600) // ten a second for a minute
	for name, test := range map[string]struct {
		scaled
		arrivals []float64
		slowest  [2]float64 // at the least and at the most, in seconds
		most     [2]int     // instances
	}{
		"kept, and idle":           {scaled{kept, 2, 0.1, 0.1, 0, 0}, arrive(10), [2]float64{0.1, 0.16}, [2]int{1, 1}},
		"from zero":                {scaled{small, 2, 0.1, 0.1, 0, 0}, arrive(1), [2]float64{2.1, 2.3}, [2]int{1, 1}},
		"a rate of one a second":   {scaled{kept, 1, 0.01, 0.01, 1, 1}, crowd, [2]float64{530, 545}, [2]int{1, 50}},
		"a burst of a hundred":     {scaled{kept, 1, 0.01, 0.01, 8, 100}, arrive(90), [2]float64{0.01, 1}, [2]int{1, 50}},
		"more than one can do":     {scaled{kept, 1, 1, 1, 0, 0}, crowd, [2]float64{2, 40}, [2]int{5, 50}},
		"as many as there may be":  {scaled{few, 1, 1, 1, 0, 0}, crowd, [2]float64{60, 110}, [2]int{2, 2}},
		"nothing comes, none runs": {scaled{small, 1, 1, 1, 0, 0}, nil, [2]float64{0, 0}, [2]int{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ends, most := test.simulate(test.arrivals)
			slowest := 0.0
			for i, end := range ends {
				slowest = max(slowest, end-test.arrivals[i])
			}
			if slowest < test.slowest[0] || slowest > test.slowest[1] || most < test.most[0] || most > test.most[1] {
				t.Errorf("the slowest took %.2f s with %d instances", slowest, most)
			}
		})
	}
}

// TestScaleToZero holds that an instance goes when nothing has come for the window and the grace.
func TestScaleToZero(t *testing.T) {
	t.Parallel()
	s := service{Concurrency: 4, MaxScale: 5}
	s.Limits.CPU = 1
	ends, _ := scaled{s, 2, 0.1, 0.1, 0, 0}.simulate([]float64{0, 10, 300})
	if second, third := ends[1]-10, ends[2]-300; second > 0.2 || third < 2 {
		t.Errorf("after 10 s it took %.2f s, after 290 s %.2f s", second, third)
	}
}

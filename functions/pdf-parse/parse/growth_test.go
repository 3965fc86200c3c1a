package parse_test

import (
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestEffortGrowsWithTheFile holds that twice as much of anything takes hardly more than twice as many steps; that is
// counted, not timed. A file that is refused takes no more. It runs alone: the count is of the whole process.
func TestEffortGrowsWithTheFile(t *testing.T) {
	for _, crowd := range append(fixture.Crowds(), pagesOf(t)...) {
		t.Run(crowd.Name, func(t *testing.T) {
			const n, most = 2000, 2.5
			steps := func(n int) float64 {
				pdf := crowd.PDF(n)
				before := effort.Steps()
				_, _ = parse.Parse(pdf) // refused or not
				return float64(effort.Steps() - before)
			}
			small, large := steps(n), steps(2*n)
			if large > most*small+1000 {
				t.Errorf("%d take %.0f steps, %d take %.0f", n, small, 2*n, large)
			}
		})
	}
}

// pagesOf are timetables of ever more pages, one for 100.
func pagesOf(t *testing.T) []fixture.Crowd {
	var out []fixture.Crowd
	for _, style := range []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Borderless} {
		out = append(out, fixture.Crowd{Name: "pages, " + string(style), PDF: func(n int) []byte {
			pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Style: style, Seed: 1, Pages: n / 100, Compress: true})
			if err != nil {
				t.Fatal(err)
			}
			return pdf
		}})
	}
	return out
}

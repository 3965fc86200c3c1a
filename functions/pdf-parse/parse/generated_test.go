package parse_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestGenerated reads generated timetables of every kind, style and look, other ones in each run,
// and holds every field of every row against the truth. Text that is hidden changes nothing; a mark may bring
// warnings to the rows that it touches. SCHEDGEN_TEST_SEED repeats a run.
func TestGenerated(t *testing.T) {
	t.Parallel()
	count := uint64(400)
	if os.Getenv("SCHEDGEN_TEST_ALL") != "" {
		count = 10_000
	}
	first := firstSeed(t)
	t.Logf("%d timetables", count)

	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				o := fixture.Random(seed)
				if diff := difference(o); diff != "" {
					t.Errorf("%+v\n%s", o, diff)
				}
			}
		})
	}
	for seed := first; seed < first+count && !t.Failed(); seed++ {
		seeds <- seed
	}
	close(seeds)
	workers.Wait()
}

// TestOnceWrong reads generated timetables that were read wrong before, or with a warning too many.
func TestOnceWrong(t *testing.T) {
	t.Parallel()
	for seed, what := range map[uint64]string{
		984291509888: "white text in a column of which half is printed in white: all of its page had a warning",
	} {
		if diff := difference(fixture.Random(seed)); diff != "" {
			t.Errorf("seed %d, %s: %s", seed, what, diff)
		}
	}
}

// TestEveryNumberOfPages reads timetables of 1 to 100 pages, and the same few modules spread over
// ever more pages until each holds a line or two: rows break at every point. They lie at any place and scale.
func TestEveryNumberOfPages(t *testing.T) {
	t.Parallel()
	seed := firstSeed(t)
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		for _, style := range []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Borderless, fixture.Sparse} {
			t.Run(fmt.Sprintf("%s %s", kind, style), func(t *testing.T) {
				t.Parallel()
				for _, pages := range []int{1, 2, 3, 10, 50, 100} {
					o := fixture.Options{Kind: kind, Style: style, Seed: seed, Pages: pages, RepeatHeader: pages%2 == 0, Compress: true, Place: fixture.AnyPlace(seed)}
					if diff := difference(o); diff != "" {
						t.Errorf("%+v\n%s", o, diff)
					}
				}
				for pages := 2; ; pages++ {
					o := fixture.Options{Kind: kind, Style: style, Seed: seed, Modules: 4, Pages: pages, Compress: true, Place: fixture.AnyPlace(seed + uint64(pages))}
					if _, _, err := fixture.Generate(o); err != nil {
						if pages > 4 {
							break // fewer lines than pages
						}
						continue // more rows than pages hold
					}
					if diff := difference(o); diff != "" {
						t.Errorf("%+v\n%s", o, diff)
					}
				}
			})
		}
	}
}

// firstSeed is another one in each run, and is shown where a test fails.
func firstSeed(t *testing.T) uint64 {
	t.Helper()
	given := os.Getenv("SCHEDGEN_TEST_SEED")
	if given == "" {
		seed := rand.Uint64N(1 << 40)
		t.Logf("to repeat this run, set SCHEDGEN_TEST_SEED=%d", seed)
		return seed
	}
	seed, err := strconv.ParseUint(given, 10, 64)
	if err != nil {
		t.Fatalf("SCHEDGEN_TEST_SEED: %v", err)
	}
	return seed
}

// difference reads what the options make and tells what was read otherwise than it was printed.
func difference(o fixture.Options) string {
	pdf, truth, err := fixture.Generate(o)
	if err != nil {
		return fmt.Sprintf("Generate: %v", err)
	}
	got, err := parse.Parse(pdf)
	if err != nil {
		return fmt.Sprintf("Parse: %v", err)
	}
	return wrong(got, truth, o.Change)
}

// wrong says how what was read differs from the truth. Where somebody drew on a timetable, entries that differ may say so.
func wrong(got, truth timetable.Document, change fixture.Change) string {
	diff := fixture.Equal(got, truth)
	if diff != "" && slices.Contains(fixture.Marks(), change) {
		return unwarned(got.Entries, truth.Entries)
	}
	return diff
}

// TestEveryKindOfFont reads timetables whose fonts tell their text in ways that few producers choose: exactly, and
// without a warning.
func TestEveryKindOfFont(t *testing.T) {
	t.Parallel()
	seed := firstSeed(t)
	for _, fonts := range []fixture.Fonts{fixture.HoledMaps, fixture.TwinMaps, fixture.Bitmaps, fixture.Replaced} {
		for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
			for _, style := range []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Borderless, fixture.Sparse} {
				t.Run(fmt.Sprintf("%s %s %s", fonts, kind, style), func(t *testing.T) {
					t.Parallel()
					for i := range uint64(5) {
						o := fixture.Options{Kind: kind, Style: style, Seed: seed + i, Fonts: fonts, Place: fixture.AnyPlace(seed + i)}
						if diff := difference(o); diff != "" {
							t.Errorf("%+v\n%s", o, diff)
						}
					}
				})
			}
		}
	}
}

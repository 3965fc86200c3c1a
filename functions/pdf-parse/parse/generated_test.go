package parse_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/fixture"
)

// TestGenerated reads generated timetables of every kind, style and look, other ones in each run,
// and holds every field of every row against the truth. SCHEDGEN_TEST_SEED repeats a run.
func TestGenerated(t *testing.T) {
	t.Parallel()
	count := uint64(400)
	if os.Getenv("SCHEDGEN_TEST_ALL") != "" {
		count = 10_000
	}
	first := firstSeed(t)
	t.Logf("%d timetables; repeat them with SCHEDGEN_TEST_SEED=%d", count, first)

	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				if diff := difference(fixture.Random(seed)); diff != "" {
					t.Errorf("%+v\n%s", fixture.Random(seed), diff)
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

func firstSeed(t *testing.T) uint64 {
	t.Helper()
	given := os.Getenv("SCHEDGEN_TEST_SEED")
	if given == "" {
		return rand.Uint64N(1 << 40)
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
	return fixture.Equal(got, truth)
}

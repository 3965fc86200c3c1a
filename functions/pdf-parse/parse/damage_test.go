package parse_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
)

// TestDamaged reads timetables that were damaged in every way that fixture knows: rows are right, warned of, or
// refused, and none is lost without a word. What two other programs can mend, opens.
func TestDamaged(t *testing.T) {
	t.Parallel()
	count := uint64(400)
	if os.Getenv("SCHEDGEN_TEST_ALL") != "" {
		count = 5_000
	}
	first := firstSeed(t)
	t.Logf("%d damaged timetables", count)
	kinds := fixture.Damages()
	var mu sync.Mutex
	tally := map[fixture.Damage]*[outcomes]int{}
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				how := kinds[seed%uint64(len(kinds))]
				got, tale := damaged(t, seed, how)
				if got == silent {
					t.Errorf("%q of %+v\n%s", how, damagedOptions(seed), tale)
				}
				mu.Lock()
				if tally[how] == nil {
					tally[how] = new([outcomes]int)
				}
				tally[how][got]++
				mu.Unlock()
			}
		})
	}
	for seed := first; seed < first+count; seed++ {
		seeds <- seed
	}
	close(seeds)
	workers.Wait()
	for _, how := range kinds {
		if n := tally[how]; n != nil {
			t.Logf("%-28s exact %d, warned %d, refused %d, silent %d", how, n[exact], n[warned], n[refused], n[silent])
		}
	}
}

func damagedOptions(seed uint64) fixture.Options {
	o := fixture.Random(seed)
	o.Compress, o.Nonsense, o.Change = true, false, ""
	o.Encrypt = seed%3 == 0
	return o
}

// damaged reads a damaged timetable. One that is refused is silently wrong where two other programs read it.
func damaged(t *testing.T, seed uint64, how fixture.Damage) (outcome, string) {
	t.Helper()
	sound, truth, err := fixture.Generate(damagedOptions(seed))
	if err != nil {
		return silent, fmt.Sprintf("Generate: %v", err)
	}
	pdf := fixture.Damaged(sound, how, seed)
	got, err := parse.Parse(pdf)
	switch {
	case err != nil && mendedByOthers(t, pdf, truth.Entries[0].Module):
		return silent, fmt.Sprintf("refused although others mend it: %v", err)
	case err != nil:
		return refused, ""
	case fixture.Equal(got, truth) == "":
		return exact, ""
	}
	if tale := unwarned(got.Entries, truth.Entries); tale != "" {
		return silent, tale
	}
	return warned, ""
}

// mendedByOthers reports whether what qpdf and MuPDF make of a file is a timetable that names a module. Where they are
// not installed, it is not.
func mendedByOthers(t *testing.T, pdf []byte, module string) bool {
	t.Helper()
	in := filepath.Join(t.TempDir(), "damaged.pdf")
	if err := os.WriteFile(in, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, command := range [][]string{{"qpdf", in}, {"mutool", "clean", in}} {
		out := fmt.Sprintf("%s.%d", in, i)
		// Both complain of what they mend and write it all the same.
		_ = exec.CommandContext(t.Context(), command[0], append(command[1:], out)...).Run()
		mended, err := os.ReadFile(out)
		if err != nil {
			return false
		}
		doc, err := parse.Parse(mended)
		if err != nil || len(doc.Entries) == 0 || doc.Entries[0].Module != module {
			return false
		}
	}
	return true
}

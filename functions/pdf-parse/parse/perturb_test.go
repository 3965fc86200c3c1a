package parse_test

import (
	"cmp"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// outcome is how a changed timetable was read.
type outcome int

const (
	exact   outcome = iota
	warned          // something is wrong, and each entry where it is says that something is
	refused         // an error instead of entries
	silent          // something is wrong without a word
	outcomes
)

// TestPerturbed reads generated timetables of which each was changed in one of the ways of
// fixture.Changes. Right or warned of: nothing is wrong without a word. SCHEDGEN_TEST_PERTURB sets
// how many; SCHEDGEN_TEST_SEED repeats a run.
func TestPerturbed(t *testing.T) {
	t.Parallel()
	count := 400
	if given := os.Getenv("SCHEDGEN_TEST_PERTURB"); given != "" {
		var err error
		if count, err = strconv.Atoi(given); err != nil {
			t.Fatalf("SCHEDGEN_TEST_PERTURB: %v", err)
		}
	}
	first := firstSeed(t)
	t.Logf("%d changed timetables", count)
	kinds := fixture.Changes()
	var tally tally
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				o := fixture.Random(seed)
				o.Nonsense, o.Change = false, kinds[seed%uint64(len(kinds))]
				got, tale := perturbed(o)
				if tally.add(o.Change, got); got == silent && tally.loud() {
					t.Errorf("%q of %+v\n%s", o.Change, o, tale)
				}
			}
		})
	}
	for seed := first; seed < first+uint64(count); seed++ {
		seeds <- seed
	}
	close(seeds)
	workers.Wait()
	t.Log(tally.table())
}

// tally counts outcomes by the kind of change.
type tally struct {
	mu     sync.Mutex
	counts map[fixture.Change]*[outcomes]int
	told   int
}

func (y *tally) add(kind fixture.Change, o outcome) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.counts == nil {
		y.counts = map[fixture.Change]*[outcomes]int{}
	}
	if y.counts[kind] == nil {
		y.counts[kind] = new([outcomes]int)
	}
	y.counts[kind][o]++
}

// loud reports whether one more failure is to be shown: the first ones say enough.
func (y *tally) loud() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.told++
	return y.told <= 40
}

func (y *tally) table() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nchange\texact\twarned\trefused\tsilent\t")
	var sum [outcomes]int
	for _, kind := range fixture.Changes() {
		if n := y.counts[kind]; n != nil {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", kind, n[exact], n[warned], n[refused], n[silent])
			for i := range sum {
				sum[i] += n[i]
			}
		}
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\n", sum[exact], sum[warned], sum[refused], sum[silent])
	_ = w.Flush()
	return out.String()
}

// perturbed reads what the options make, and tells what is wrong without a warning.
func perturbed(o fixture.Options) (outcome, string) {
	pdf, truth, err := fixture.Generate(o)
	if err != nil {
		return silent, fmt.Sprintf("Generate: %v", err)
	}
	got, err := parse.Parse(pdf)
	switch {
	case err != nil:
		return refused, err.Error()
	case fixture.Equal(got, truth) == "":
		return exact, ""
	case got.Kind != truth.Kind:
		return silent, fixture.Equal(got, truth)
	}
	if tale := unwarned(got.Entries, truth.Entries); tale != "" {
		return silent, tale
	}
	return warned, ""
}

// unwarned tells which differences no warning speaks of. A wrong entry warns itself; of a missing
// one, or one too many, a neighbour may.
func unwarned(got, want []timetable.Entry) string {
	warns := func(i int) bool { return i >= 0 && i < len(got) && len(got[i].Warnings) > 0 }
	var out []string
	for _, p := range align(got, want) {
		switch {
		case p.want < 0 && !warns(p.got) && !warns(p.got-1) && !warns(p.got+1):
			out = append(out, fmt.Sprintf("unwanted: %+v", got[p.got]))
		case p.want >= 0 && p.missing && !warns(p.got) && !warns(p.got-1):
			out = append(out, fmt.Sprintf("missing:  %+v", want[p.want]))
		case p.want >= 0 && !p.missing && !warns(p.got) && distance(got[p.got], want[p.want]) > 0:
			out = append(out, fmt.Sprintf("got  %+v\nwant %+v", got[p.got], want[p.want]))
		}
	}
	return strings.Join(out[:min(len(out), 6)], "\n")
}

// pair is an entry as read and as printed. Where it is missing, got is the entry that follows the gap;
// where nothing like it is printed, want is -1.
type pair struct {
	got, want int
	missing   bool
}

// align pairs the entries of two lists so that as few fields as possible differ.
func align(got, want []timetable.Entry) []pair {
	const gap = 5
	n, m := len(got), len(want)
	cost := make([][]int, n+1)
	for i := range cost {
		cost[i] = make([]int, m+1)
		for k := range cost[i] {
			switch {
			case i == 0 || k == 0:
				cost[i][k] = gap * (i + k)
			default:
				cost[i][k] = min(cost[i-1][k-1]+distance(got[i-1], want[k-1]), cost[i-1][k]+gap, cost[i][k-1]+gap)
			}
		}
	}
	var out []pair
	for i, k := n, m; i > 0 || k > 0; {
		switch {
		case i > 0 && k > 0 && cost[i][k] == cost[i-1][k-1]+distance(got[i-1], want[k-1]):
			i, k = i-1, k-1
			out = append(out, pair{got: i, want: k})
		case i > 0 && cost[i][k] == cost[i-1][k]+gap:
			i--
			out = append(out, pair{got: i, want: -1})
		default:
			k--
			out = append(out, pair{got: i, want: k, missing: true})
		}
	}
	slices.SortStableFunc(out, func(a, b pair) int { return cmp.Compare(a.got, b.got) })
	return out
}

// distance is how many fields of two entries differ, warnings aside.
func distance(a, b timetable.Entry) int {
	a.Warnings, b.Warnings = nil, nil
	if slices.Equal(a.Venues, b.Venues) {
		a.Venues, b.Venues = nil, nil
	}
	n := 0
	v, w := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range v.NumField() {
		if !reflect.DeepEqual(v.Field(i).Interface(), w.Field(i).Interface()) {
			n++
		}
	}
	return n
}

// TestOnceSilent reads changed timetables that were read wrong without a word before.
func TestOnceSilent(t *testing.T) {
	t.Parallel()
	for _, once := range []struct {
		change fixture.Change
		seed   uint64
	}{
		{"column left out", 3018328},     // the lower half of the only page of a sheet was taken for another page
		{"column left out", 12013561},    // the halves of pages that bear numbers were taken for pages
		{"layer off by state", 11008889}, // a column beside a third of the sheet was taken for a page
		{"level ruling missing", 100748}, // rows in the band of the headings
		{"line nudged", 3019587},         // a half in white, over the ruling below it
		{"line nudged", 152046003492},    // below where the upright rulings end
		{"map to nothing", 7016975},      // a venue's last character, noted in another row
		{"note in a cell", 21006260},     // touches the language of a group
		{"page break", 1017259},          // a page of a sheet shows nothing but the end of a row
		{"painted over", 5000343},        // a row that told how a venue below begins
		{"painted over", 5000383},        // all of a page
		{"painted over", 5003183},
		{"painted over", 6005743},    // beside a page that was drawn later
		{"painted over", 14004543},   // all that the second page of a sheet says, the end of a row
		{"painted over", 14014343},   // a module below the rest of a row
		{"upright missing", 1009624}, // at the right of the venues, which tells how far they can run
		{"upright missing", 3002797},
		{"value too long", 7018353},      // printed over the only value of the next column
		{"value too long", 51008753},     // the end of a group's language before the activity of its first class
		{"value wrapped", 7013714},       // "Part 1 of 2", of which the second line looks like a page's number
		{"word nudged", 21004278},        // below the last ruling
		{"word nudged", 21009678},        // so near to the word before that the gap looks like one between letters
		{"word nudged", 11008158},        // into the row below, of few rows
		{"word over a ruling", 14004359}, // a campus among the venues, of few groups
		{"white text", 1003038},          // beside the half of a column that is printed in white
	} {
		o := fixture.Random(once.seed)
		o.Nonsense, o.Change = false, once.change
		if got, tale := perturbed(o); got == silent {
			t.Errorf("%q, seed %d: %s", once.change, once.seed, tale)
		}
	}
}

// TestPaintedOverOnSheets reads timetables of several pages on a sheet of which text was painted over, that were read
// wrong without a word before.
func TestPaintedOverOnSheets(t *testing.T) {
	t.Parallel()
	for _, once := range []struct {
		seed   uint64
		sheets int
	}{
		{31000161, 4}, // the end of a row, above the first ruling of the next page
		{31000178, 2}, // a row whose cells stand a little lower than the paint
		{31000534, 2}, // in the last row above a page that was drawn later
		{31001278, 2},
	} {
		o := fixture.Random(once.seed)
		o.Nonsense, o.Change, o.Sheets = false, "painted over", once.sheets
		if got, tale := perturbed(o); got == silent {
			t.Errorf("seed %d: %s", once.seed, tale)
		}
	}
}

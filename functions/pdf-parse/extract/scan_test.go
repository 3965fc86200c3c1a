package extract

import (
	"slices"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestScan holds that what lost its end hides no other object.
func TestScan(t *testing.T) {
	t.Parallel()
	for _, first := range []string{
		"5 endobj", "5", "<41 endobj", "(a endobj", "[ << /A (b) endobj", "<< /Length 3 >> stream\nabcendstream endobj", "<< /Length 99 >> stream\nabc endobj",
	} {
		var numbers []int
		for _, o := range inOrder(t, []byte("1 0 obj "+first+"\n2 0 obj << /A <42> >> endobj 3 0 obj [7] endobj )")) {
			numbers = append(numbers, o.number)
		}
		if want := []int{1, 2, 3}; !slices.Equal(numbers, want) {
			t.Errorf("%q: got %v, want %v", first, numbers, want)
		}
	}
}

// TestScanBelievesLengthsThatHold holds that a stream may hold whole objects, as an attached PDF does, unless the
// length of another stream shows that lengths are wrong.
func TestScanBelievesLengthsThatHold(t *testing.T) {
	t.Parallel()
	const holding = "1 0 obj << /Length 40 >> stream\na endstream endobj 2 0 obj [2] endobj   endstream endobj "
	for rest, want := range map[string][]int{
		"3 0 obj << /Length 3 >> stream\nabc endstream endobj":  {1, 3},
		"3 0 obj << /Length 99 >> stream\nabc endstream endobj": {1, 2, 3},
	} {
		var numbers []int
		for _, o := range inOrder(t, []byte(holding+rest)) {
			numbers = append(numbers, o.number)
		}
		if !slices.Equal(numbers, want) {
			t.Errorf("%q: got %v, want %v", rest, numbers, want)
		}
	}
}

// FuzzScan looks for the objects of foreign files: each lies in the file and after the one before it, its parts in order,
// and in the file that is written anew of them each number is found again.
func FuzzScan(f *testing.F) {
	for seed, how := range fixture.Damages() {
		pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Test, Seed: uint64(seed), Modules: 1, Compress: true, Encrypt: seed%2 == 0})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(fixture.Damaged(pdf, how, uint64(seed)))
	}
	for _, text := range []string{
		"1 0 obj 2 0 obj endobj", "1 0 obj<</Length 9 0 R>>stream\nendstream 9 0 obj 5", "1 0 obj<</Length 99>>stream\r\nabc", "1 0 obj (((endobj",
		"0000000001 0 obj[[<<endobj", "1 0 obj<</Type/XRef/Root 2 0 R>>stream\n\nendstream", "trailer<</Root 1 0 R/Encrypt<<", "1 0 objendobj2 0 objendobj",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, pdf []byte) {
		found := inOrder(t, pdf)
		_ = ambiguous(pdf, found)
		again := map[int]bool{}
		for _, o := range inOrder(t, repaired(pdf, found)) {
			again[o.number] = true
		}
		for _, o := range found {
			if !again[o.number] && !o.isTable(pdf) {
				t.Errorf("object %d is lost", o.number)
			}
		}
	})
}

// inOrder scans a file and holds that its objects follow each other.
func inOrder(t *testing.T, pdf []byte) []indirect {
	t.Helper()
	found := scan(pdf)
	for i, o := range found {
		if i > 0 && o.start < max(found[i-1].end, found[i-1].dataEnd) || !o.ordered(len(pdf)) {
			t.Fatalf("object %d of %d: %+v", i, len(found), o)
		}
	}
	return found
}

// ordered reports whether the object's parts follow each other within a file of some bytes.
func (o indirect) ordered(size int) bool {
	ends := o.start < o.body && o.body <= o.end && o.end <= size && o.number > 0
	return ends && (o.data == 0 && o.dataEnd == 0 || o.end < o.data && o.data <= o.dataEnd && o.dataEnd <= size)
}

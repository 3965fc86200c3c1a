package parse_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/ledongthuc/pdf"
	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"golang.org/x/text/unicode/norm"
)

// A second reader, which others wrote, is the witness that no text is lost and none is made up: what it finds on a
// page is what extract finds there, seen or pale. It tells no visible text from hidden text, so it is asked about pages
// on which nothing is hidden but what lies right under visible copies of itself. What else it is known not to read:
//
//   - files encrypted with AES-256, which it refuses;
//   - the content of form XObjects, and text that only /ActualText tells (blind);
//   - glyph names such as /uni0030, for which it gives the code (translated);
//   - where a letter stands in a font without /Widths, so that it knows no words where each letter is placed by itself:
//     of generated pages, characters are compared.

// TestWitnessOfSamples holds that the words of real timetables are those that the witness finds.
func TestWitnessOfSamples(t *testing.T) {
	t.Parallel()
	paths := samples(t)
	if paths == nil {
		t.Skip("set SCHEDGEN_SAMPLES to a folder of real PDFs to compare their words with a second reader's")
	}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pages, second := both(t, file)
		if second == nil {
			t.Errorf("%s: the witness does not open it", path)
			continue
		}
		for i, page := range pages {
			if diff := unlike(count(wordsOf(second.Page(i+1))), count(wordsIn(page)), 1); diff != "" {
				t.Errorf("%s, page %d: %s", path, i+1, diff)
			}
		}
	}
}

// TestWitness holds that the characters of generated timetables are those that the witness finds, and that it would
// miss one word.
func TestWitness(t *testing.T) {
	t.Parallel()
	const files = 200
	first := firstSeed(t)
	compared := 0
	for seed := first; seed < first+files; seed++ {
		o := fixture.Random(seed)
		o.Change = "" // it may hide text
		file, _, err := fixture.Generate(o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		pages, second := both(t, file)
		if second == nil || slices.ContainsFunc(pages, func(p extract.Page) bool { return blind(second.Page(p.Number)) }) {
			continue
		}
		compared++
		if diff := testify(t, second, pages); diff != "" {
			t.Errorf("%+v\n%s", o, diff)
		}
		lost := &pages[int(seed)%len(pages)]
		if n := len(lost.Words); n > 0 {
			lost.Words = slices.Delete(lost.Words, int(seed)%n, int(seed)%n+1)
			if testify(t, second, pages) == "" {
				t.Errorf("%+v\na word of page %d was lost, and the witness did not see it", o, lost.Number)
			}
		}
	}
	if compared < files/2 {
		t.Errorf("the witness could read only %d of %d files", compared, files)
	}
}

// both reads a file twice. The witness is nil where it cannot open it.
func both(t *testing.T, file []byte) ([]extract.Page, *pdf.Reader) {
	t.Helper()
	pages, err := extract.Pages(context.Background(), file)
	if err != nil {
		t.Fatal(err)
	}
	second, err := pdf.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return pages, nil
	}
	return pages, second
}

// testify tells what the characters of the pages differ in from what the witness finds.
func testify(t *testing.T, second *pdf.Reader, pages []extract.Page) string {
	t.Helper()
	ours, theirs := make([]map[string]int, len(pages)), make([]map[string]int, len(pages))
	here, there := 0, 0
	for i, page := range pages {
		text, err := second.Page(i + 1).GetPlainText(nil)
		if err != nil {
			t.Fatalf("page %d: the witness: %v", i+1, err)
		}
		ours[i], theirs[i] = count(characters(strings.Join(wordsIn(page), ""))), count(characters(translated(second.Page(i+1), text)))
		here, there = here+sum(ours[i]), there+sum(theirs[i])
	}
	// Where all is drawn again, to look bold or for those who search a scan, extract takes the copies for one.
	copies := int(math.Round(float64(there) / float64(max(here, 1))))
	for i := range pages {
		if diff := unlike(theirs[i], ours[i], copies); diff != "" {
			return fmt.Sprintf("page %d: %s", i+1, diff)
		}
	}
	return ""
}

// blind reports whether the witness cannot read the page.
func blind(page pdf.Page) bool {
	drawn := page.Resources().Key("XObject")
	if slices.ContainsFunc(drawn.Keys(), func(name string) bool { return drawn.Key(name).Key("Subtype").Name() == "Form" }) {
		return true
	}
	return slices.ContainsFunc(page.Fonts(), func(name string) bool {
		font := page.Font(name).V
		return font.Key("Encoding").Name() == "Identity-H" && font.Key("ToUnicode").IsNull()
	})
}

// translated is a text of which the codes are characters again that the page's fonts have names for that the witness
// does not know.
func translated(page pdf.Page, text string) string {
	named := map[rune]rune{}
	for _, font := range page.Fonts() {
		differences := page.Font(font).V.Key("Encoding").Key("Differences")
		code := rune(0)
		for i := range differences.Len() {
			name := differences.Index(i)
			if name.Kind() == pdf.Integer {
				code = rune(name.Int64())
				continue
			}
			if hex, ok := strings.CutPrefix(name.Name(), "uni"); ok {
				if r, err := strconv.ParseUint(hex, 16, 32); err == nil {
					named[code] = rune(r)
				}
			}
			code++
		}
	}
	return strings.Map(func(r rune) rune {
		if to, ok := named[r]; ok {
			return to
		}
		return r
	}, text)
}

// wordsIn are the words that extract finds, seen or pale.
func wordsIn(page extract.Page) []string {
	var out []string
	for _, w := range slices.Concat(page.Words, page.Pale) {
		out = append(out, w.Text)
	}
	return out
}

// wordsOf are the words that the witness finds: characters in one place, as all of a string are in a font without
// /Widths, or each where the one before it ends.
func wordsOf(page pdf.Page) []string {
	var text strings.Builder
	var last pdf.Text
	for _, c := range page.Content().Text {
		gap := math.Min(math.Abs(c.X-last.X), math.Abs(c.X-last.X-last.W))
		if c.Y != last.Y || gap > 0.2*c.FontSize {
			text.WriteByte(' ')
		}
		text.WriteString(c.S)
		last = c
	}
	return strings.Fields(text.String())
}

// characters are the characters of a text, as extract writes them and without spaces.
func characters(text string) []string {
	const twins, latin = "АВЕНІКМОРЅТХУасеорху−", "ABEHIKMOPSTXYaceopxy-"
	var out []string
	for _, r := range norm.NFKC.String(text) {
		if i := slices.Index([]rune(twins), r); i >= 0 {
			r = rune(latin[i])
		}
		if !unicode.IsSpace(r) {
			out = append(out, string(r))
		}
	}
	return out
}

func count(texts []string) map[string]int {
	n := map[string]int{}
	for _, text := range texts {
		n[text]++
	}
	return n
}

func sum(counts map[string]int) int {
	n := 0
	for c := range maps.Values(counts) {
		n += c
	}
	return n
}

// unlike tells which texts the witness finds more or less often than so many times as often as extract.
func unlike(theirs, ours map[string]int, copies int) string {
	var out []string
	for _, text := range slices.Sorted(maps.Keys(theirs)) {
		if ours[text] == 0 {
			out = append(out, fmt.Sprintf("%q is lost", text))
		}
	}
	for _, text := range slices.Sorted(maps.Keys(ours)) {
		if theirs[text] != copies*ours[text] {
			out = append(out, fmt.Sprintf("%q is there %d times, %d by the witness", text, ours[text], theirs[text]))
		}
	}
	return strings.Join(out, "; ")
}

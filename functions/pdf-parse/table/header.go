package table

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// header is a row of headings on a page.
type header struct {
	layout *Layout
	labels []label // left to right
	y0, y1 float64 // what of the page it takes

	upright bool // lines part the columns
}

// label is one heading: words that stand together, on one line or wrapped.
type label struct {
	words  []extract.Word
	column string // "" where no layout knows it
	text   string
	x0, x1 float64

	letters string // of the text, lower case
}

// unsure reports whether the file leaves in doubt what the heading shows.
func (l label) unsure() bool {
	return slices.ContainsFunc(l.words, func(w extract.Word) bool { return w.Unsure })
}

// Distances in ems of the heading's font.
const (
	headingSpace = 0.6 // between two words of one heading
	headingPitch = 1.6 // between two lines of one heading
	sameBaseline = 0.4
)

// What a page can hold: beyond it is no timetable.
const (
	maxPivots      = 100 // words that may head the first column
	maxHeaderWords = 200 // in a row of headings
)

// findHeaders gives the headers of a page from top to bottom.
func findHeaders(page extract.Page, layouts []Layout) ([]header, error) {
	var found []header
	headings, pivots := pivotHeadings(layouts), 0
	for _, w := range page.Words {
		isPivot := slices.ContainsFunc(headings, func(h string) bool { return hasLetters(w.Text, h) })
		if !isPivot || slices.ContainsFunc(found, func(h header) bool { return w.Y <= h.y1 }) {
			continue
		}
		if pivots++; pivots > maxPivots {
			return nil, ErrTooComplex
		}
		if h, ok := headerAround(page, w, layouts); ok {
			found = append(found, h)
		}
	}
	return found, nil
}

// pivotHeadings are the headings of the layouts' first required columns, each once.
func pivotHeadings(layouts []Layout) []string {
	var out []string
	for _, l := range layouts {
		if i := slices.IndexFunc(l.Columns, func(c Column) bool { return c.Required }); i >= 0 {
			out = append(out, l.Columns[i].Headings...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hasLetters reports whether the letters of a text, lower case, are these.
func hasLetters(text, letters string) bool {
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		want, n := utf8.DecodeRuneInString(letters)
		if n == 0 || unicode.ToLower(r) != want {
			return false
		}
		letters = letters[n:]
	}
	return letters == ""
}

func headerAround(page extract.Page, pivot extract.Word, layouts []Layout) (header, bool) {
	page.Words = nearHeading(page.Words, pivot)
	var ruled header
	found := false
	if y0, y1 := bandAround(page, pivot); y1-y0 <= 6*pivot.Size {
		if ruled, found = headerOf(wordsBetween(page.Words, y0, y1), page, layouts); found && !ruled.holdsRows() {
			return ruled, true
		} // a line that somebody drew may cut the headings in two, and one may be missing below them
	}
	if h, ok := headerOf(headerWords(page, pivot, layouts), page, layouts); ok {
		return h, true
	}
	return ruled, found
}

// nearHeading gives the words as near to a heading as others are, but for those that are not printed like one.
func nearHeading(words []extract.Word, heading extract.Word) []extract.Word {
	const near = 7 // ems
	words = wordsBetween(words, heading.Y-near*heading.Size, heading.Y+near*heading.Size)
	like := usualText{smallest: heading.Size, largest: heading.Size, colours: []extract.Colour{heading.Colour}}
	isMark := func(w extract.Word) bool { return w.Size > muchLarger*heading.Size || like.origin(&w) == added }
	if !slices.ContainsFunc(words, isMark) {
		return words
	}
	return slices.DeleteFunc(slices.Clone(words), isMark)
}

// holdsRows reports whether something that is no heading stands below one.
func (h header) holdsRows() bool {
	return slices.ContainsFunc(h.labels, func(below label) bool {
		return below.column == "" && slices.ContainsFunc(h.labels, func(l label) bool {
			return l.column != "" && below.x0 < l.x1 && l.x0 < below.x1 && below.words[0].Y > l.words[len(l.words)-1].Y
		})
	})
}

// headerOf is the header that words form.
func headerOf(words []extract.Word, page extract.Page, layouts []Layout) (header, bool) {
	if len(words) > maxHeaderWords {
		return header{}, false
	}
	var wholes []label
	for _, words := range cluster(words, page.Rulings) {
		readingOrder(words)
		wholes = append(wholes, newLabel(words))
	}
	var best header
	matched := 0
	for i := range layouts {
		labels := name(wholes, &layouts[i])
		if n, all := required(labels, &layouts[i]); all && n > matched {
			matched = n
			best = header{layout: &layouts[i], labels: labels}
		}
	}
	if best.layout == nil {
		return header{}, false
	}
	best.y0, best.y1 = math.Inf(1), math.Inf(-1)
	for _, w := range words {
		best.y0 = min(best.y0, w.Y-w.Size)
		best.y1 = max(best.y1, w.Y+0.3*w.Size)
	}
	return best, true
}

// headerWords are the words of the pivot's line and of the lines above and below that hold nothing but words
// of headings.
func headerWords(page extract.Page, pivot extract.Word, layouts []Layout) []extract.Word {
	near := max(sameBaseline*pivot.Size, 2.5)
	words := wordsBetween(page.Words, pivot.Y-near, pivot.Y+near)
	known := vocabulary(layouts)
	for _, direction := range []float64{-1, 1} {
		y := pivot.Y
		for range 2 {
			from, to := y+direction*near, y+direction*headingPitch*pivot.Size
			line := wordsBetween(page.Words, min(from, to), max(from, to))
			if len(line) == 0 || slices.ContainsFunc(line, func(w extract.Word) bool { return !known[letters(w.Text)] }) {
				break
			}
			words = append(words, line...)
			for _, w := range line { // each cell may be centred by itself: baselines differ
				y = direction * max(direction*y, direction*w.Y)
			}
		}
	}
	return words
}

// bandAround is the height between the nearest level rulings above and below a word.
func bandAround(page extract.Page, w extract.Word) (y0, y1 float64) {
	y0, y1 = math.Inf(-1), math.Inf(1)
	effort.Add(len(page.Rulings))
	line := extent{w.X0, w.X1}
	for _, v := range wordsBetween(page.Words, w.Y-sameBaseline*w.Size, w.Y+sameBaseline*w.Size) {
		line = extent{min(line.x0, v.X0), max(line.x1, v.X1)}
	}
	for _, r := range page.Rulings {
		underline := r.X1-r.X0 < (line.x1-line.x0)/2
		if !r.Horizontal() || underline || r.X0 > w.X0+1 || r.X1 < w.X1-1 {
			continue
		}
		if r.Y0 < w.Y-0.3*w.Size {
			y0 = max(y0, r.Y0)
		} else {
			y1 = min(y1, r.Y0)
		}
	}
	return y0, y1
}

// wordsBetween are the words whose baselines lie in a range, of words sorted by them: a part of these, to be read only.
func wordsBetween(words []extract.Word, y0, y1 float64) []extract.Word {
	after := func(y float64) int {
		return sort.Search(len(words), func(i int) bool { return words[i].Y > y })
	}
	from, to := after(y0), after(y1)
	effort.Add(1 + max(0, to-from))
	return slices.Clip(words[from:max(from, to)])
}

func vocabulary(layouts []Layout) map[string]bool {
	known := map[string]bool{}
	for _, l := range layouts {
		for _, c := range l.Columns {
			for _, h := range c.Headings {
				for part := range strings.FieldsSeq(h) {
					known[part] = true
				}
			}
		}
	}
	return known
}

// cluster joins words to headings: neighbours on a line and words over one another, unless a
// ruling runs between them.
func cluster(words []extract.Word, rulings []extract.Ruling) [][]extract.Word {
	var between []extract.Ruling
	for _, r := range rulings {
		if !r.Horizontal() && slices.ContainsFunc(words, func(w extract.Word) bool { return crosses(r, w) }) {
			between = append(between, r)
		}
	}
	effort.Add(len(words) * (len(words) + len(between)))
	group := make([]int, len(words))
	for i := range group {
		group[i] = i
	}
	for i := range words {
		for k := range i {
			if group[i] != group[k] && together(words[i], words[k], between) {
				from, to := group[i], group[k]
				for n := range group {
					if group[n] == from {
						group[n] = to
					}
				}
			}
		}
	}
	byGroup := map[int][]extract.Word{}
	var order []int
	for i, w := range words {
		if byGroup[group[i]] == nil {
			order = append(order, group[i])
		}
		byGroup[group[i]] = append(byGroup[group[i]], w)
	}
	var out [][]extract.Word
	for _, g := range order {
		out = append(out, byGroup[g])
	}
	return out
}

func together(a, b extract.Word, rulings []extract.Ruling) bool {
	if a.X0 > b.X0 {
		a, b = b, a
	}
	em := max(a.Size, b.Size)
	dy := math.Abs(a.Y - b.Y)
	if dy < sameBaseline*em {
		return b.X0-a.X1 < headingSpace*em && !parted(a, b, rulings)
	}
	overlap := min(a.X1, b.X1) - b.X0
	return dy <= headingPitch*em && overlap > 1
}

func parted(a, b extract.Word, rulings []extract.Ruling) bool {
	return slices.ContainsFunc(rulings, func(r extract.Ruling) bool {
		return r.X0 > a.X1-1 && r.X0 < b.X0+1 && crosses(r, a)
	})
}

// crosses reports whether an upright ruling runs where a word is high.
func crosses(r extract.Ruling, w extract.Word) bool { return r.Y0 < w.Y && r.Y1 > w.Y-w.Size/2 }

// name gives each label its column. Headings of tight columns that ran together are parted again.
func name(wholes []label, layout *Layout) []label {
	labels := make([]label, 0, len(wholes))
	for _, l := range wholes {
		l.column = layout.headed(l.letters)
		if parts := l.parts(layout); parts != nil {
			labels = append(labels, parts...)
			continue
		}
		labels = append(labels, l)
	}
	slices.SortFunc(labels, func(a, b label) int { return cmp.Compare(a.x0, b.x0) })
	for i := range labels { // a second column of one name is another table's, or nobody knows whose
		if slices.ContainsFunc(labels[:i], func(l label) bool { return l.column == labels[i].column }) {
			labels[i].column = ""
		}
	}
	return labels
}

// headed is the column whose heading has these letters, "" where none has.
func (l *Layout) headed(letters string) string {
	for _, c := range l.Columns {
		if slices.ContainsFunc(c.Headings, func(h string) bool { return hasLetters(h, letters) }) {
			return c.Name
		}
	}
	return ""
}

// readingOrder sorts words from top to bottom and, on one line, from left to right.
func readingOrder(words []extract.Word) {
	slices.SortStableFunc(words, func(a, b extract.Word) int { return cmp.Compare(a.Y, b.Y) })
	for start := 0; start < len(words); {
		end := start + 1
		for end < len(words) && words[end].Y-words[start].Y <= sameBaseline*max(words[start].Size, words[end].Size) {
			end++
		}
		slices.SortStableFunc(words[start:end], func(a, b extract.Word) int { return cmp.Compare(a.X0, b.X0) })
		start = end
	}
}

// textOf is the text of words, in their order.
func textOf(words []extract.Word) string {
	if len(words) == 1 {
		return words[0].Text
	}
	var text []byte
	for i, w := range words {
		if i > 0 {
			text = append(text, ' ')
		}
		text = append(text, w.Text...)
	}
	return string(text)
}

func newLabel(words []extract.Word) label {
	l := label{words: words, x0: math.Inf(1), x1: math.Inf(-1)}
	for _, w := range words {
		l.x0, l.x1 = min(l.x0, w.X0), max(l.x1, w.X1)
	}
	l.text = textOf(words)
	l.letters = letters(l.text)
	return l
}

// parts are the known headings that an unknown label consists of, longest first; nil where it does not.
func (l label) parts(layout *Layout) []label {
	if l.column != "" {
		return nil
	}
	var parts []label
	for words := l.words; len(words) > 0; {
		n := len(words)
		for ; n > 0; n-- {
			part := newLabel(words[:n])
			if part.column = layout.headed(part.letters); part.column != "" {
				parts = append(parts, part)
				break
			}
		}
		if n == 0 {
			return nil
		}
		words = words[n:]
	}
	return parts
}

// required counts the labels that the layout knows, and reports whether all it requires are there.
func required(labels []label, layout *Layout) (known int, all bool) {
	seen := map[string]bool{}
	for _, l := range labels {
		if l.column != "" {
			known++
			seen[l.column] = true
		}
	}
	for _, c := range layout.Columns {
		if c.Required && !seen[c.Name] {
			return known, false
		}
	}
	return known, true
}

// letters is a heading's letters, lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

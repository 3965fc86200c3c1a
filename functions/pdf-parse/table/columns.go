package table

import (
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// span is a column on a page.
type span struct {
	label
	left, right float64
	ruled       bool // its right side is a ruling
}

// layOut gives each section of the header its columns.
func (h *header) layOut(group []section) []section {
	if len(group) == 0 {
		return nil
	}
	dropMarks(group)
	h.ownRulings(group)
	columns := h.columns(group)
	for i := range group {
		group[i].columns, group[i].layout = columns, h.layout
		if !group[i].headed {
			group[i].columns = shifted(columns, group[i])
		}
	}
	if !h.partsRows(group) {
		for i := range group {
			group[i].unparted = true
		}
	}
	return group
}

// columns bounds the labels: by the rulings between them, else where the text leaves most room.
func (h *header) columns(group []section) []span {
	xs := uprights(group[0].page.Rulings, h.y0, group[0].y1)
	texts := phrases(group)
	columns := make([]span, len(h.labels))
	left := math.Inf(-1)
	if x, ok := last(xs, h.labels[0].x0); ok {
		left = x
	}
	for i, l := range h.labels {
		columns[i] = span{label: l, left: left, right: math.Inf(1)}
		end := math.Inf(1)
		if i+1 < len(h.labels) {
			end = h.labels[i+1].x0
		}
		if x, ok := between(xs, l.x1, end); ok {
			columns[i].right, columns[i].ruled = x, true
		} else if i+1 < len(h.labels) {
			columns[i].right = gutter(l, h.labels[i+1], texts)
		}
		left = columns[i].right
	}
	return withUnheaded(columns, xs, group[0])
}

// withUnheaded adds what of the table's frame lies left of the first and right of the last heading, as
// columns without one: no column claims what stands there, and it is not to be lost.
func withUnheaded(columns []span, xs []float64, s section) []span {
	if len(xs) == 0 {
		return columns
	}
	first, last := columns[0], columns[len(columns)-1]
	if xs[0] < first.left-2 && s.reaches(first.left+3, xs[0]+3) {
		columns = slices.Insert(columns, 0, span{left: xs[0], right: first.left, ruled: true})
	}
	if end := xs[len(xs)-1]; last.ruled && end > last.right+2 && s.reaches(last.right-3, end-3) {
		columns = append(columns, span{left: last.right, right: end, ruled: true})
	}
	return columns
}

// reaches reports whether most level rulings at one place of the table run on to another: a border
// around the whole page is not the table's.
func (s section) reaches(inside, outside float64) bool {
	here, there := 0, 0
	effort.Add(len(s.page.Rulings))
	for _, r := range s.page.Rulings {
		if !r.Horizontal() || r.X0 > inside || r.X1 < inside || r.Y0 < s.y0-3 || r.Y0 > s.y1 {
			continue
		}
		here++
		if r.X0 <= outside && r.X1 >= outside {
			there++
		}
	}
	return 2*there > here
}

// uprights are where vertical rulings run that have some length between y0 and y1.
func uprights(rulings []extract.Ruling, y0, y1 float64) []float64 {
	const enough = 6
	var xs []float64
	effort.Add(len(rulings))
	for _, r := range rulings {
		if !r.Horizontal() && min(r.Y1, y1)-max(r.Y0, y0) > enough {
			xs = append(xs, r.X0)
		}
	}
	slices.Sort(xs)
	return slices.CompactFunc(xs, func(a, b float64) bool { return math.Abs(b-a) < 2 })
}

func last(xs []float64, before float64) (float64, bool) {
	for _, x := range slices.Backward(xs) {
		if x < before+1 {
			return x, true
		}
	}
	return 0, false
}

func between(xs []float64, a, b float64) (float64, bool) {
	for _, x := range xs {
		if x > a-1 && x < b+1 {
			return x, true
		}
	}
	return 0, false
}

// gutter is the middle of the widest strip between the middles of two labels that the fewest texts
// cross, a footer or an overlong value among them.
func gutter(a, b label, texts []extent) float64 {
	from, to := (a.x0+a.x1)/2, (b.x0+b.x1)/2
	step := max(0.25, (to-from)/10_000)
	n := int((to - from) / step)
	if n < 1 {
		return b.x0
	}
	change := make([]int, n+1)
	for _, t := range append([]extent{{a.x0, a.x1}, {b.x0, b.x1}}, texts...) {
		i, k := int(math.Floor((t.x0-from)/step)), int(math.Ceil((t.x1-from)/step))
		if k <= 0 || i >= n {
			continue
		}
		change[max(i, 0)]++
		change[min(k, n)]--
	}
	start, end := fewest(change[:n])
	return from + step*float64(start+end)/2
}

// extent is how far a text runs.
type extent struct{ x0, x1 float64 }

// phrases are the texts of the sections, words of one line joined where no more than a space parts
// them: the space inside "08:30 - 09:20" is no gutter, though no word crosses it.
func phrases(group []section) []extent {
	const space = 0.45 // of an em
	var out []extent
	for _, s := range group {
		words := slices.Clone(s.words())
		readingOrder(words)
		for i, w := range words {
			if i > 0 && math.Abs(words[i-1].Y-w.Y) <= sameBaseline*w.Size && w.X0-words[i-1].X1 < space*w.Size {
				out[len(out)-1].x1 = max(out[len(out)-1].x1, w.X1)
				continue
			}
			out = append(out, extent{w.X0, w.X1})
		}
	}
	return out
}

// fewest is the longest run of the smallest running sum.
func fewest(change []int) (start, end int) {
	count, least, from := 0, math.MaxInt, 0
	for i, c := range change {
		if count += c; i > 0 && c == 0 {
			if count == least && i+1-from > end-start {
				start, end = from, i+1
			}
			continue
		}
		from = i
		if count < least || count == least && 1 > end-start {
			least, start, end = count, i, i+1
		}
	}
	return start, end
}

// words are the section's words.
func (s section) words() []extract.Word { return wordsBetween(s.page.Words, s.y0, s.y1) }

// muchLarger is how many times larger than a table's text a watermark or a stamp is.
const muchLarger = 1.75

// dropMarks drops what is much larger than the text of the table.
func dropMarks(group []section) {
	var sizes []float64
	for _, s := range group {
		for _, w := range s.words() {
			sizes = append(sizes, w.Size)
		}
	}
	if len(sizes) == 0 {
		return
	}
	slices.Sort(sizes)
	most := muchLarger * sizes[len(sizes)/2]
	if sizes[len(sizes)-1] <= most {
		return
	}
	for i := range group {
		s := &group[i]
		s.page.Words = slices.DeleteFunc(slices.Clone(s.page.Words), func(w extract.Word) bool { return w.Size > most })
	}
}

// shifted is the columns as they stand on a page without headings: where the page has as many
// rulings as the columns have sides, those, for a page may have other margins.
func shifted(columns []span, s section) []span {
	xs := uprights(s.page.Rulings, s.y0, s.y1)
	ruled := !math.IsInf(columns[0].left, 0) && !slices.ContainsFunc(columns, func(c span) bool { return !c.ruled })
	if !ruled || len(xs) != len(columns)+1 {
		return columns
	}
	out := slices.Clone(columns)
	for i := range out {
		out[i].left, out[i].right = xs[i], xs[i+1]
	}
	return out
}

// column is the index of the column a word begins in, -1 for none.
func column(columns []span, w extract.Word) int {
	x := w.X0 + min(1, (w.X1-w.X0)/2)
	return slices.IndexFunc(columns, func(c span) bool { return x >= c.left && x < c.right })
}

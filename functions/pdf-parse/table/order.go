package table

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// placed is a page on a sheet, with what tells which page comes before it and which after.
type placed struct {
	place extract.Box
	page  extract.Page

	headed      bool // it has all headings of a table
	number      int  // as printed, 0 for none
	first, last rowKey
}

// rowKey is what is known of a page's first or last row.
type rowKey struct {
	anchor string // such as its module
	rank   int64  // such as its date
	ranked bool
}

// read finds what tells the page's place among others.
func (p *placed) read(layouts []Layout) {
	headers, _ := findHeaders(p.page, layouts)
	p.headed = len(headers) > 0
	p.number = number(p.page)
	words := slices.Clone(p.page.Words)
	readingOrder(words)
	for i := range words {
		if p.first.read(words, i, layouts) {
			break
		}
	}
	for i := range slices.Backward(words) {
		if p.last.read(words, i, layouts) {
			break
		}
	}
}

// read takes what the words from one on say, and reports whether nothing is left to know.
func (k *rowKey) read(words []extract.Word, from int, layouts []Layout) bool {
	const most = 4 // words of a value
	text, ranks := "", false
	for _, w := range words[from:min(from+most, len(words))] {
		text = Join(text, w.Text)
		for _, l := range layouts {
			if first := l.Columns[0]; first.Anchor != nil && k.anchor == "" && first.Anchor(text) {
				k.anchor = text
			}
			for _, c := range l.Columns {
				if c.Rank != nil && !k.ranked {
					k.rank, k.ranked = c.Rank(text)
				}
				ranks = ranks || c.Rank != nil
			}
		}
	}
	return k.anchor != "" && (k.ranked || !ranks)
}

// order is how pages follow each other on a sheet: along its rows, or down its columns, from one of its
// corners. Programs that turn pages to fit them begin in another corner than the upper left.
type order struct{ down, fromRight, fromBelow bool }

// orders are all orders, the most usual first.
var orders = []order{
	{}, {down: true}, {down: true, fromBelow: true}, {down: true, fromRight: true}, {fromRight: true}, {fromBelow: true},
	{fromRight: true, fromBelow: true}, {down: true, fromRight: true, fromBelow: true},
}

// inOrder gives the pages of all sheets in the order that suits them best, numbered.
func inOrder(sheets [][]placed) []extract.Page {
	const much = 50 // as much as headings say
	var best []placed
	usual, most := 0, math.MinInt
	for i, o := range orders {
		var pages []placed
		for _, s := range sheets {
			pages = append(pages, o.of(s)...)
		}
		score := suits(pages)
		if i == 0 {
			usual = score
		}
		if score > most {
			best, most = pages, score
		}
	}
	out := numbered(best, sheets)
	for i := range out {
		out[i].Unordered = most > usual && most < usual+much
	}
	return out
}

// numbered are the pages of all sheets in their order. A sheet that could not be read in full counts as one that has
// as many pages as others.
func numbered(pages []placed, sheets [][]placed) []extract.Page {
	most := 0
	for _, s := range sheets {
		most = max(most, len(s))
	}
	out := make([]extract.Page, 0, len(pages))
	number := 0
	for _, s := range sheets {
		for k, p := range pages[len(out) : len(out)+len(s)] {
			p.page.Number = number + k + 1
			out = append(out, p.page)
		}
		number += len(s)
		if slices.ContainsFunc(s, func(p placed) bool { return p.page.Incomplete }) {
			number += most - len(s)
		}
	}
	return out
}

func (o order) of(pages []placed) []placed {
	out := slices.Clone(pages)
	near := math.Inf(1)
	for _, p := range pages {
		b := p.place
		near = min(near, b.X1-b.X0, b.Y1-b.Y0) // sums of two edges differ by less in one row, by more in two
	}
	slices.SortFunc(out, func(p, q placed) int {
		a, b := p.place, q.place
		x, y := a.X0+a.X1-b.X0-b.X1, a.Y0+a.Y1-b.Y0-b.Y1
		if o.fromRight {
			x = -x
		}
		if o.fromBelow {
			y = -y
		}
		major, minor := y, x
		if o.down {
			major, minor = x, y
		}
		if math.Abs(major) < near {
			return cmp.Compare(minor, 0)
		}
		return cmp.Compare(major, 0)
	})
	return out
}

// suits is how well an order of pages fits their numbers, their headings (a page without any goes on from
// one that has some) and their rows: one module goes on, and dates only grow.
func suits(pages []placed) int {
	score := 0
	if len(pages) > 0 && !pages[0].headed {
		score -= 50
	}
	for i := 1; i < len(pages); i++ {
		a, b := pages[i-1], pages[i]
		switch {
		case a.number > 0 && b.number == a.number+1:
			score += 100
			continue
		case a.number > 0 && b.number > 0:
			score -= 100
			continue
		}
		if a.last.anchor != "" && a.last.anchor == b.first.anchor {
			score++
		}
		if a.last.ranked && b.first.ranked && b.first.rank >= a.last.rank {
			score++
		}
	}
	return score
}

// pageNumber is a line that is a page's number; digits alone may also be the end of a room's name.
var pageNumber = regexp.MustCompile(`(?i)^(?:page (\d+)(?: ?(?:of|/) ?\d+)?|(\d+) ?(?:of|/) ?\d+)$`)

// number is the page number in a page's first or last line, 0 for none.
func number(page extract.Page) int {
	all := lines(slices.Clone(page.Words), usualText{})
	if len(all) == 0 {
		return 0
	}
	for _, l := range []Line{all[len(all)-1], all[0]} {
		if m := pageNumber.FindStringSubmatch(l.Text); m != nil {
			n, _ := strconv.Atoi(m[1] + m[2])
			return n
		}
	}
	return 0
}

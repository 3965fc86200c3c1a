// Package table finds the table that a document's pages print: which heading stands over each
// column, and what each row says there, line by line.
//
// Rulings decide where they are drawn; where they are not, the columns are the gaps that text
// leaves between two headings, and a row begins where a column that is never blank has text. It
// knows tables only through the layouts it is given, and drops no text inside one.
package table

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// What can be wrong with a document's tables.
var (
	ErrNoTable = errors.New("no known table")
	ErrMixed   = errors.New("tables of several kinds")

	ErrTooComplex = errors.New("more that looks like a table than a timetable has")
)

// Layout is one kind of table. Its first required column is looked for first.
type Layout struct {
	Name    string
	Columns []Column
}

// Column is one column of a layout.
type Column struct {
	Name     string
	Headings []string // how it may be headed; letter case and spaces do not count
	Required bool     // without it the table is not of this layout
	// Anchor reports whether a line of this column begins a row. It parts rows that no ruling
	// parts; nil for columns that say nothing about it.
	Anchor func(line string) bool
	// Pale reports whether text in the colour of the paper belongs to the line of this column that it goes
	// on with; nil where none does.
	Pale func(text string) bool
	// Rank is where a value of this column stands among others, if rows are in its order; nil if not.
	Rank func(text string) (rank int64, ok bool)
}

// Table is all rows of a document, in reading order.
type Table struct {
	Layout *Layout
	Rows   []Row
	// Incomplete are the numbers of pages that may hold more than could be read.
	Incomplete []int
	// LeftOver are the numbers of pages that show rows which belong to no table.
	LeftOver []int
	// Unordered says that the pages were several on a sheet, and that little tells their order.
	Unordered bool
}

// Row is what stands between two rulings, or what an anchor begins. After a page break it may be
// the rest of the row before it; only who knows what the columns mean can tell.
type Row struct {
	Page   int     // 1-based
	Y0, Y1 float64 // units of extract, from the top of the page
	Ruled  bool    // rulings part it from its neighbours
	Cells  []Cell  // left to right, one for each column of the page

	beside []extract.Word // the table, in the same height
}

// Cell is one column of a row.
type Cell struct {
	Column    string // its name in the layout, "" where the heading is unknown
	Heading   string // as printed, "" where nothing heads what lies inside the table's frame
	X0, X1    float64
	Ruled     bool // a ruling bounds it on the right
	RuledLeft bool // and on the left
	Unsure    bool // the file leaves in doubt what its heading shows
	Lines     []Line

	head extent // where its heading stands
}

// Line is the text of a cell on one baseline.
type Line struct {
	Text   string
	Unsure bool // the file leaves in doubt what it shows
	X0, X1 float64
	Y      float64 // baseline
	Size   float64
	First  float64 // width of the first word
	Faint  bool    // whether a reader sees all of it is not certain
	Odd    bool    // looks or stands unlike the other text of its table: somebody may have added or moved it
}

// Cell is the cell of the named column; empty where the table has none.
func (r Row) Cell(column string) Cell {
	for _, c := range r.Cells {
		if c.Column == column {
			return c
		}
	}
	return Cell{Column: column}
}

// Stray is the text inside the table's frame that no column claims, line by line.
func (r Row) Stray() []Line {
	var out []Line
	for _, c := range r.Cells {
		if c.Column == "" && c.Heading == "" {
			out = append(out, c.Lines...)
		}
	}
	return out
}

// Text is all lines of the cell: how a wrapped value reads.
func (c Cell) Text() string {
	if len(c.Lines) == 1 {
		return c.Lines[0].Text
	}
	var text []byte
	for _, line := range c.Lines {
		text = appendJoined(text, line.Text)
	}
	return string(text)
}

// Join puts the next line of a wrapped value after the text so far, with the space that was broken at.
// A break after a hyphen inside a word, as of "1-18", has none.
func Join(text, line string) string {
	if text == "" || line == "" {
		return text + line
	}
	return string(appendJoined([]byte(text), line))
}

func appendJoined(text []byte, line string) []byte {
	hyphen := len(text) > 1 && bytes.HasSuffix(text, []byte("-")) && !bytes.HasSuffix(text, []byte(" -"))
	if len(text) > 0 && line != "" && !hyphen {
		text = append(text, ' ')
	}
	return append(text, line...)
}

// Find gives the table of a document: the rows under the headings of one of the layouts, on all
// pages. Pages that repeat no headings continue the columns of the page before.
func Find(pages []extract.Page, layouts []Layout) (Table, error) {
	var found Table
	pages = topDown(withoutHeadersFooters(pages, layouts))
	headers := make([][]header, len(pages))
	for i, page := range pages {
		var err error
		if headers[i], err = findHeaders(page, layouts); err != nil {
			return Table{}, err
		}
		for _, h := range headers[i] {
			if found.Layout != nil && found.Layout != h.layout {
				return Table{}, ErrMixed
			}
			found.Layout = h.layout
		}
	}
	if found.Layout == nil {
		return Table{}, ErrNoTable
	}
	for _, page := range pages {
		found.Unordered = found.Unordered || page.Unordered
		if page.Incomplete {
			found.Incomplete = append(found.Incomplete, page.Number)
		}
	}
	parts := sections(pages, headers)
	usual := usualTextOf(parts)
	rows := make([][]Row, len(parts))
	for i, s := range parts {
		s.usual = usual
		var whole bool
		if rows[i], whole = s.rows(found.Layout); !whole {
			found.LeftOver = append(found.LeftOver, s.page.Number)
		}
	}
	markCutOff(rows, parts)
	found.Rows = slices.Concat(rows...)
	markMoved(found.Rows)
	return found, nil
}

// topDown is the pages with their words sorted by baseline, in which any part of a page is found at once.
func topDown(pages []extract.Page) []extract.Page {
	out := slices.Clone(pages)
	for i, page := range out {
		out[i].Words, out[i].Pale, out[i].Covered = byHeight(page.Words), byHeight(page.Pale), byHeight(page.Covered)
	}
	return out
}

func byHeight(words []extract.Word) []extract.Word {
	out := slices.Clone(words)
	slices.SortStableFunc(out, func(a, b extract.Word) int { return cmp.Compare(a.Y, b.Y) })
	return out
}

// section is the part of a page that one header rules over.
type section struct {
	page   extract.Page
	y0, y1 float64
	headed bool // the header is on this page, above
	// beforeHeader says that a repeated header follows on the page: what is above it is a title.
	beforeHeader bool
	columns      []span
	usual        usualText // how the table's own text looks
	unparted     bool      // level lines part no rows
	layout       *Layout
}

// sections parts the pages at their headers.
func sections(pages []extract.Page, headers [][]header) []section {
	var out []section
	var group []section // of one header, over several pages
	var head *header
	flush := func() {
		if head != nil {
			out = append(out, head.layOut(group)...)
		}
		group = nil
	}
	for i, page := range pages {
		y := 0.0
		for k := range headers[i] {
			h := &headers[i][k]
			group = append(group, section{page: page, y0: y, y1: h.y0, headed: k > 0, beforeHeader: k == 0})
			flush()
			head, y = h, h.y1
		}
		group = append(group, section{page: page, y0: y, y1: page.Height, headed: len(headers[i]) > 0})
	}
	flush()
	return out
}

package table

import (
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// Pages gives the pages of a document as they were before somebody put several of them on each sheet of
// paper, numbered through the document. Where each sheet is one page, these are the sheets.
//
// Programs that put pages on a sheet clip each of them to its place, or draw it as a form, which is the
// same; where nothing was clipped, a grid parts the pages: see grid. Text that was painted over tells where a page lies,
// too: it may be all that the page says.
func Pages(sheets []extract.Page, layouts []Layout) []extract.Page {
	places, several := findPlaces(sheets, layouts)
	if slices.ContainsFunc(sheets, hasPaintedOver) {
		before, severalBefore := findPlaces(uncovered(sheets), layouts)
		for i := range places {
			if !several || len(before[i]) > len(places[i]) {
				places[i] = before[i]
			}
		}
		several = several || severalBefore
	}
	if !several {
		return sheets
	}
	placed := make([][]placed, len(sheets))
	for i, s := range topDown(sheets) {
		if placed[i] = cutOut(s, places[i]); placed[i] == nil { // nothing could be read of it: it still is a page
			placed[i] = append(placed[i], asPlaced(s))
		}
		for k := range placed[i] {
			placed[i][k].read(layouts)
		}
	}
	return inOrder(placed)
}

// findPlaces gives the places of the pages of each sheet. It reports whether there are several on some sheet.
func findPlaces(sheets []extract.Page, layouts []Layout) (places [][]extract.Box, several bool) {
	sheets = withoutLarge(sheets)
	places = make([][]extract.Box, len(sheets))
	for i, s := range sheets {
		places[i] = clipped(s)
		several = several || len(places[i]) > 1
	}
	return places, several || gridPlaces(sheets, layouts, places)
}

// withoutLarge is the sheets without text that is laid over all of them: it lies on no page alone.
func withoutLarge(sheets []extract.Page) []extract.Page {
	const large = 30 // units
	out := slices.Clone(sheets)
	for i, s := range out {
		if mark := func(w extract.Word) bool { return w.Size > large }; slices.ContainsFunc(s.Words, mark) {
			out[i].Words = slices.DeleteFunc(slices.Clone(s.Words), mark)
		}
	}
	return out
}

// asPlaced is a sheet that is one page.
func asPlaced(sheet extract.Page) placed {
	return placed{place: extract.Box{X1: sheet.Width, Y1: sheet.Height}, page: sheet}
}

// clipped are the places of pages of a sheet by what its drawing was clipped to: the outermost frames,
// if they are several of one size, apart from each other, and all text is in them.
func clipped(sheet extract.Page) []extract.Box {
	frames := slices.DeleteFunc(slices.Clone(sheet.Frames), func(f extract.Box) bool { return !slices.ContainsFunc(sheet.Words, within(f)) })
	for len(frames) > 1 {
		outer := slices.DeleteFunc(slices.Clone(frames), func(f extract.Box) bool {
			return slices.ContainsFunc(frames, func(g extract.Box) bool {
				return f != g && containsBox(g, f) && !(containsBox(f, g) && area(f) >= area(g))
			})
		})
		if len(outer) == 1 { // what the sheet itself was clipped to
			frames = slices.DeleteFunc(frames, func(f extract.Box) bool { return f == outer[0] })
			continue
		}
		if arePages(outer) && allIn(sheet.Words, outer) {
			return outer
		}
		return nil
	}
	return frames
}

// arePages reports whether boxes lie apart and have one size, or are as one that was turned and made to fit.
func arePages(boxes []extract.Box) bool {
	const alike = 0.03 // programs round what they clip to outwards
	ratio := func(b extract.Box) float64 { return (b.X1 - b.X0) / (b.Y1 - b.Y0) }
	for i, a := range boxes {
		turned := math.Abs(ratio(a)*ratio(boxes[0])-1) < alike
		same := math.Abs((a.X1-a.X0)/(boxes[0].X1-boxes[0].X0)-1) < alike && math.Abs((a.Y1-a.Y0)/(boxes[0].Y1-boxes[0].Y0)-1) < alike
		if !same && !turned {
			return false
		}
		for _, b := range boxes[:i] {
			if min(a.X1, b.X1)-max(a.X0, b.X0) > alike*(a.X1-a.X0) && min(a.Y1, b.Y1)-max(a.Y0, b.Y0) > alike*(a.Y1-a.Y0) {
				return false
			}
		}
	}
	return true
}

func allIn(words []extract.Word, boxes []extract.Box) bool {
	return !slices.ContainsFunc(words, func(w extract.Word) bool {
		return !slices.ContainsFunc(boxes, func(b extract.Box) bool { return within(b)(w) })
	})
}

// within is whether a word lies in a box.
func within(b extract.Box) func(extract.Word) bool {
	return func(w extract.Word) bool {
		x, y := (w.X0+w.X1)/2, w.Y-w.Size/4
		return x >= b.X0 && x < b.X1 && y >= b.Y0 && y < b.Y1
	}
}

func containsBox(outer, inner extract.Box) bool {
	const near = 1
	return inner.X0 > outer.X0-near && inner.Y0 > outer.Y0-near && inner.X1 < outer.X1+near && inner.Y1 < outer.Y1+near
}

func area(b extract.Box) float64 { return (b.X1 - b.X0) * (b.Y1 - b.Y0) }

// cutOut gives what of a sheet lies in each place, as pages of their own.
func cutOut(sheet extract.Page, places []extract.Box) []placed {
	var out []placed
	for _, place := range places {
		out = append(out, placed{place: place, page: framed(crop(sheet, place))})
	}
	return out
}

// crop is a part of a page as a page of its own, without the line that may run around it.
func crop(page extract.Page, b extract.Box) extract.Page {
	out := extract.Page{Number: page.Number, Incomplete: page.Incomplete, Width: b.X1 - b.X0, Height: b.Y1 - b.Y0}
	out.Words, out.Pale, out.Notes, out.Covered = moved(page.Words, b), moved(page.Pale, b), moved(page.Notes, b), moved(page.Covered, b)
	for _, r := range page.Rulings {
		r.X0, r.Y0, r.X1, r.Y1 = max(r.X0, b.X0)-b.X0, max(r.Y0, b.Y0)-b.Y0, min(r.X1, b.X1)-b.X0, min(r.Y1, b.Y1)-b.Y0
		if r.X0 <= r.X1 && r.Y0 <= r.Y1 && r.X1-r.X0+r.Y1-r.Y0 > 1 && !alongEdge(r, out.Width, out.Height) {
			out.Rulings = append(out.Rulings, r)
		}
	}
	return out
}

// moved are the words in a box, counted from its corner.
func moved(words []extract.Word, b extract.Box) []extract.Word {
	var out []extract.Word
	in := within(b)
	for _, w := range words {
		if in(w) {
			w.X0, w.X1, w.Y = w.X0-b.X0, w.X1-b.X0, w.Y-b.Y0
			out = append(out, w)
		}
	}
	return out
}

// alongEdge reports whether a ruling runs along the edge of a page from one end to the other.
func alongEdge(r extract.Ruling, width, height float64) bool {
	const near, most = 0.02, 0.9
	if r.Horizontal() {
		return r.X1-r.X0 > most*width && min(r.Y0, height-r.Y0) < near*height
	}
	return r.Y1-r.Y0 > most*height && min(r.X0, width-r.X0) < near*width
}

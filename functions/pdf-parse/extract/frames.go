package extract

import "slices"

// Box is a rectangle on a page as it is shown, with X0 <= X1 and Y0 <= Y1.
type Box struct{ X0, Y0, X1, Y1 float64 }

// frames are the larger rectangles that drawing on a sheet was clipped to. Programs that put several
// pages on one sheet clip each to its own place.
type frames struct {
	sheet box
	boxes []box
	many  bool // more than a sheet has pages: cells of a table, or paragraphs
}

// What of a sheet a page may take.
const (
	leastOfSheet = 1.0 / 40
	mostOfSheet  = 0.95
	mostFrames   = 64
)

func (f *frames) add(clip box) {
	share := (clip.x1 - clip.x0) * (clip.y1 - clip.y0) / ((f.sheet.x1 - f.sheet.x0) * (f.sheet.y1 - f.sheet.y0))
	if f.many || clip.empty() || !(share > leastOfSheet && share < mostOfSheet) || slices.Contains(f.boxes, clip) {
		return
	}
	f.boxes = append(f.boxes, clip)
	f.many = len(f.boxes) > mostFrames
}

// shown are the frames of a view, none where there are too many.
func (f *frames) shown(v view) []Box {
	if f.many {
		return nil
	}
	out := make([]Box, len(f.boxes))
	for i, b := range f.boxes {
		s := boxOf([]point{v.m.apply(b.x0, b.y0), v.m.apply(b.x1, b.y1)})
		out[i] = Box{s.x0, s.y0, s.x1, s.y1}
	}
	return out
}

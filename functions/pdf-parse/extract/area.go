package extract

import "math"

// area is a part of the page that something was painted on: what lies under later text, and over
// earlier text.
type area struct {
	box   box    // in page space, inside its clip
	shape *shape // the part of the box; nil is all of it
	clip  *shape // the clipping paths that are no rectangles
	paint paint
	image *picture // where the colours are those of an image
}

func (a *area) contains(p point) bool {
	return a.box.contains(p) && (a.shape == nil || a.shape.inside(p)) && a.clip.contains(p)
}

// shape is a filled outline, or a clipping path and those it lies in.
type shape struct {
	outlines [][]point
	bounds   []box // of each outline
	evenOdd  bool
	next     *shape // of a clipping path: the one before it
	letters  bool   // of a clipping path: it is made of text
}

func newShape(outlines [][]point, evenOdd bool) *shape {
	s := &shape{evenOdd: evenOdd, outlines: make([][]point, 0, len(outlines))}
	for _, o := range outlines {
		if len(o) < 2 {
			continue // a lone point, as Cairo leaves after a closed subpath, paints nothing
		}
		s.outlines = append(s.outlines, append([]point(nil), o...))
		s.bounds = append(s.bounds, boxOf(o))
	}
	return s
}

// contains reports whether a point lies inside all of the clipping paths.
func (s *shape) contains(p point) bool {
	for ; s != nil; s = s.next {
		if s.letters || !s.inside(p) {
			return false
		}
	}
	return true
}

// has reports whether c is one of the clipping paths.
func (s *shape) has(c *shape) bool {
	for ; s != nil; s = s.next {
		if s == c {
			return true
		}
	}
	return false
}

// inside reports whether filling the shape paints a point (8.5.3.3).
func (s *shape) inside(p point) bool {
	winding := 0
	for i, o := range s.outlines {
		if s.bounds[i].contains(p) {
			winding += windingNumber(o, p, s.evenOdd)
		}
	}
	if s.evenOdd {
		return winding%2 != 0
	}
	return winding != 0
}

// windingNumber is how often an outline turns around a point, or how often it is crossed on the way out.
func windingNumber(outline []point, p point, crossings bool) int {
	n := 0
	last := outline[len(outline)-1]
	for _, at := range outline {
		if (last.y <= p.y) != (at.y <= p.y) {
			if x := last.x + (p.y-last.y)/(at.y-last.y)*(at.x-last.x); x > p.x {
				if crossings || at.y > last.y {
					n++
				} else {
					n--
				}
			}
		}
		last = at
	}
	return n
}

// rectangle is the box that an outline is, if it is one.
func rectangle(o []point) (box, bool) {
	n := len(o)
	if n == 5 && o[0] == o[4] {
		n = 4
	}
	if n != 4 {
		return box{}, false
	}
	b := boxOf(o[:4])
	near := 0.001 * (b.x1 - b.x0 + b.y1 - b.y0)
	level := func(i, k int) bool { return math.Abs(o[i].y-o[k].y) <= near }
	upright := func(i, k int) bool { return math.Abs(o[i].x-o[k].x) <= near }
	return b, level(0, 1) && upright(1, 2) && level(2, 3) && upright(3, 0) ||
		upright(0, 1) && level(1, 2) && upright(2, 3) && level(3, 0)
}

// leftTurning reports whether an outline runs against the clock.
func leftTurning(o []point) bool {
	sum := 0.0
	last := o[len(o)-1]
	for _, at := range o {
		sum += last.x*at.y - at.x*last.y
		last = at
	}
	return sum > 0
}

const (
	// maxAreas bounds what is kept of one page, and maxOutlines the points of its shapes.
	maxAreas    = 200_000
	maxOutlines = 2_000_000
	// fine is how thin ink hides nothing, as a part of the page's longer side: a hairline.
	fine = 1.0 / 1500
)

// lay keeps an area unless it is too thin to hide any letter.
func (in *interpreter) lay(b box, s *shape, p paint, image *picture) {
	b = b.intersect(in.state.clip)
	if in.hidden > 0 || b.empty() || min(b.x1-b.x0, b.y1-b.y0) < in.fine || p.nothing {
		return
	}
	group := in.state.group
	p.clear = 1 - (1-p.clear)*(1-group.clear)
	p.masked = p.masked || group.masked
	if p.clear >= 1 {
		return
	}
	if len(in.areas) >= maxAreas {
		in.crowded = true
		return
	}
	in.areas = append(in.areas, area{b, s, in.state.shapes, p, image})
}

// layOutlines keeps what a path fills: boxes where it is made of them, else its shape.
func (in *interpreter) layOutlines(outlines [][]point, evenOdd bool, p paint) {
	boxes, left := in.boxes[:0], 0
	for _, o := range outlines {
		if len(o) < 2 {
			continue
		}
		b, ok := rectangle(o)
		if !ok {
			in.layShape(outlines, evenOdd, p)
			return
		}
		boxes = append(boxes, b)
		if leftTurning(o) {
			left++
		}
	}
	in.boxes = boxes
	switch sameWay := left == 0 || left == len(boxes); {
	case len(boxes) == 1 || sameWay && !evenOdd:
		for _, b := range boxes {
			in.lay(b, nil, p, nil)
		}
	case len(boxes) == 2 && boxes[0].inside(boxes[1]):
		in.layFrame(boxes[1], boxes[0], p)
	case len(boxes) == 2 && boxes[1].inside(boxes[0]):
		in.layFrame(boxes[0], boxes[1], p)
	default:
		in.layShape(outlines, evenOdd, p)
	}
}

func (in *interpreter) layFrame(outer, inner box, p paint) {
	in.lay(box{outer.x0, outer.y0, inner.x0, outer.y1}, nil, p, nil)
	in.lay(box{inner.x1, outer.y0, outer.x1, outer.y1}, nil, p, nil)
	in.lay(box{outer.x0, outer.y0, outer.x1, inner.y0}, nil, p, nil)
	in.lay(box{outer.x0, inner.y1, outer.x1, outer.y1}, nil, p, nil)
}

func (in *interpreter) layShape(outlines [][]point, evenOdd bool, p paint) {
	bounds := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, o := range outlines {
		if in.outlined += len(o); in.outlined > maxOutlines {
			in.crowded = true
			return
		}
		if len(o) > 1 {
			bounds = bounds.union(boxOf(o))
		}
	}
	in.lay(bounds, newShape(outlines, evenOdd), p, nil)
}

// layStroke keeps a stroked segment that is wide enough to hide letters.
func (in *interpreter) layStroke(a, b point, width float64, p paint) {
	if width < in.fine || a == b {
		return
	}
	dx, dy := b.x-a.x, b.y-a.y
	half := width / 2 / math.Hypot(dx, dy)
	nx, ny := -dy*half, dx*half
	o := []point{{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}}
	if r, ok := rectangle(o); ok {
		in.lay(r, nil, p, nil)
		return
	}
	in.layShape([][]point{o}, false, p)
}

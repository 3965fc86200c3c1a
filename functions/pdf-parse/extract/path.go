package extract

import (
	"math"
	"slices"
)

// path is the current path in page space (ISO 32000-1, 8.5): subpaths of straight segments. A curve
// counts as the straight line to its end: no ruling is curved.
type path struct {
	subpaths [][]point
	points   int
	curved   [][]point // the same with curves in several pieces; nil where there are none
	clip     bool      // W or W* came; it takes effect with the painting operator
	evenOdd  bool      // it was W*
}

// segment is a straight piece of ink with its thickness, in page space. Which of them are level or
// upright and thin enough to be rulings can be told only when the unit of the page is known.
type segment struct {
	a, b  point
	width float64
	slant float64 // how far its ends are from lying on one level, or upright, line

	colour Colour
}

func (in *interpreter) pathOperator(op operator, args operands) bool {
	n := args.number
	switch op {
	case "m":
		in.moveTo(n(0), n(1))
	case "l":
		in.lineTo(n(0), n(1))
	case "c":
		in.curveTo(in.state.ctm.apply(n(0), n(1)), in.state.ctm.apply(n(2), n(3)), n(4), n(5))
	case "v":
		in.curveTo(in.current(), in.state.ctm.apply(n(0), n(1)), n(2), n(3))
	case "y":
		end := in.state.ctm.apply(n(2), n(3))
		in.curveTo(in.state.ctm.apply(n(0), n(1)), end, n(2), n(3))
	case "h":
		in.closePath()
	case "re":
		x, y, w, h := n(0), n(1), n(2), n(3)
		in.add(append(in.corners(x, y, x+w, y+h), in.state.ctm.apply(x, y)))
	case "W", "W*":
		in.path.clip, in.path.evenOdd = true, op == "W*"
	default:
		return in.paintOperator(op)
	}
	return true
}

// paintOperator executes the operators that end a path (8.5.3).
func (in *interpreter) paintOperator(op operator) bool {
	switch op {
	case "n":
		in.paint(nil, nil, false)
	case "f", "F", "f*":
		in.paint(&in.state.fill, nil, op == "f*")
	case "S":
		in.paint(nil, &in.state.stroke, false)
	case "s":
		in.closePath()
		in.paint(nil, &in.state.stroke, false)
	case "B", "B*":
		in.paint(&in.state.fill, &in.state.stroke, op == "B*")
	case "b", "b*":
		in.closePath()
		in.paint(&in.state.fill, &in.state.stroke, op == "b*")
	default:
		return false
	}
	return true
}

func (in *interpreter) moveTo(x, y float64) {
	in.add([]point{in.state.ctm.apply(x, y)})
}

func (in *interpreter) lineTo(x, y float64) {
	n := len(in.path.subpaths)
	if n == 0 {
		in.moveTo(x, y)
		return
	}
	if in.path.points < maxPath {
		in.path.subpaths[n-1] = append(in.path.subpaths[n-1], in.state.ctm.apply(x, y))
		in.path.points++
		if c := in.path.curved; c != nil {
			c[n-1] = append(c[n-1], in.state.ctm.apply(x, y))
		}
	}
}

// current is the point that the path has come to.
func (in *interpreter) current() point {
	if n := len(in.path.subpaths); n > 0 {
		last := in.path.subpaths[n-1]
		return last[len(last)-1]
	}
	return point{}
}

// curveTo adds a curve with its control points in page space.
func (in *interpreter) curveTo(b, c point, x, y float64) {
	const pieces = 8
	a, d := in.current(), in.state.ctm.apply(x, y)
	n := len(in.path.subpaths)
	if n == 0 || in.path.points+pieces > maxPath {
		in.lineTo(x, y)
		return
	}
	if in.path.curved == nil {
		for _, sub := range in.path.subpaths {
			in.path.curved = append(in.path.curved, slices.Clone(sub))
		}
	}
	for i := 1; i < pieces; i++ {
		t := float64(i) / pieces
		u := 1 - t
		in.path.curved[n-1] = append(in.path.curved[n-1], point{
			u*u*u*a.x + 3*u*u*t*b.x + 3*u*t*t*c.x + t*t*t*d.x, u*u*u*a.y + 3*u*u*t*b.y + 3*u*t*t*c.y + t*t*t*d.y,
		})
	}
	in.path.points += pieces - 1
	in.lineTo(x, y)
}

func (in *interpreter) closePath() {
	if n := len(in.path.subpaths); n > 0 {
		last := in.path.subpaths[n-1]
		in.path.subpaths[n-1] = append(last, last[0])
		in.path.points++
		if c := in.path.curved; c != nil {
			c[n-1] = append(c[n-1], last[0])
		}
	}
}

func (in *interpreter) add(points []point) {
	if in.path.points+len(points) <= maxPath {
		in.path.subpaths = append(in.path.subpaths, points)
		in.path.points += len(points)
		if in.path.curved != nil {
			in.path.curved = append(in.path.curved, slices.Clone(points))
		}
	}
}

// outlines are the subpaths as they are filled.
func (p *path) outlines() [][]point {
	if p.curved != nil {
		return p.curved
	}
	return p.subpaths
}

// paint ends the path.
func (in *interpreter) paint(fill, stroke *paint, evenOdd bool) {
	if fill != nil && in.hidden == 0 {
		if fill.shows() {
			in.fillPath(fill.seen())
		}
		in.layOutlines(in.path.outlines(), evenOdd, *fill)
	}
	if stroke != nil && in.hidden == 0 {
		in.strokePath(*stroke)
	}
	if in.path.clip {
		in.clipTo(in.path.outlines(), in.path.evenOdd)
	}
	in.path = path{subpaths: in.path.subpaths[:0]}
}

// clipTo narrows the clip to what the outlines enclose.
func (in *interpreter) clipTo(outlines [][]point, evenOdd bool) {
	bounds, rectangular := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}, len(outlines) == 1
	for _, o := range outlines {
		_, ok := rectangle(o)
		rectangular = rectangular && ok
		bounds = bounds.union(boxOf(o))
	}
	in.state.clip = in.state.clip.intersect(bounds)
	in.frames.add(in.state.clip)
	if rectangular || in.state.clip.empty() {
		return
	}
	s := newShape(outlines, evenOdd)
	for _, o := range s.outlines {
		in.outlined += len(o)
	}
	if in.outlined > maxOutlines {
		in.crowded = true
		return
	}
	s.next = in.state.shapes
	in.state.shapes = s
}

// fillPath finds the shapes of a fill that may be thin, and the thin frame between two nested rectangles.
func (in *interpreter) fillPath(colour Colour) {
	boxes := make([]box, 0, len(in.path.subpaths))
	for _, sub := range in.path.subpaths {
		if len(sub) < 2 {
			continue // a lone point, as Cairo leaves after a closed subpath, paints nothing
		}
		b := boxOf(sub)
		boxes = append(boxes, b)
		in.thinBox(b, colour)
	}
	if len(boxes) == 2 {
		in.frame(boxes[0], boxes[1], colour)
		in.frame(boxes[1], boxes[0], colour)
	}
}

func (in *interpreter) frame(outer, inner box, colour Colour) {
	if inner.x0 < outer.x0 || inner.y0 < outer.y0 || inner.x1 > outer.x1 || inner.y1 > outer.y1 {
		return
	}
	in.thinBox(box{outer.x0, outer.y0, inner.x0, outer.y1}, colour)
	in.thinBox(box{inner.x1, outer.y0, outer.x1, outer.y1}, colour)
	in.thinBox(box{outer.x0, outer.y0, outer.x1, inner.y0}, colour)
	in.thinBox(box{outer.x0, inner.y1, outer.x1, outer.y1}, colour)
}

// thinBox keeps a filled box, which may be long and thin, as the segment in its middle, and one that is
// about square also as a dot: a line of small ones is a ruling.
func (in *interpreter) thinBox(b box, colour Colour) {
	w, h := b.x1-b.x0, b.y1-b.y0
	x, y := (b.x0+b.x1)/2, (b.y0+b.y1)/2
	if isDot(w, h) && in.state.clip.contains(point{x, y}) {
		in.dots = append(in.dots, dot{point{x, y}, max(w, h), colour})
	}
	switch {
	case w > h:
		in.segment(point{b.x0, y}, point{b.x1, y}, h, colour)
	case h > w:
		in.segment(point{x, b.y0}, point{x, b.y1}, w, colour)
	}
}

func (in *interpreter) strokePath(p paint) {
	width, shows := in.state.lineWidth*in.state.ctm.scale(), p.shows()
	for _, sub := range in.path.subpaths {
		for i := 1; i < len(sub); i++ {
			if shows {
				in.segment(sub[i-1], sub[i], width, p.seen())
			}
			in.layStroke(sub[i-1], sub[i], width, p)
		}
	}
}

// segment keeps a segment that may be upright or level as far as the clip shows it.
func (in *interpreter) segment(a, b point, width float64, colour Colour) {
	const steep = 0.2 // of its length: no ruling is so far from level or upright
	dx, dy := math.Abs(a.x-b.x), math.Abs(a.y-b.y)
	slant := min(dx, dy)
	if slant > steep*max(dx, dy) || dx == dy {
		return
	}
	s := boxOf([]point{a, b}).intersect(in.state.clip.grow(width))
	if s.empty() {
		return
	}
	in.lines = append(in.lines, segment{point{s.x0, s.y0}, point{s.x1, s.y1}, width, slant, colour})
}

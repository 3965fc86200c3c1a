package extract

import "github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

// gstate is the graphics state as far as it decides where ink is and what is seen of it (ISO 32000-1, 8.4).
type gstate struct {
	ctm       matrix
	clip      box    // in page space: what bounds the clipping paths
	shapes    *shape // clipping paths that are no rectangles, the newest first
	lineWidth float64
	fill      paint
	stroke    paint
	fillIn    *colourSpace
	strokeIn  *colourSpace
	group     veil // of the transparency groups that all of this belongs to
	text      textState
}

// veil is how much of what is painted through it shows.
type veil struct {
	clear  float32 // 1: nothing does
	masked bool    // a soft mask lets some through, nobody knows where
}

// textState is the part of the graphics state that q and Q save of text (9.3).
type textState struct {
	font          *font
	size          float64
	charSpace     float64
	wordSpace     float64
	scale         float64 // horizontal, 1 is normal
	leading, rise float64
	mode          textMode
}

// textMode is a text rendering mode (9.3.6).
type textMode uint8

func (m textMode) fills() bool   { return m == 0 || m == 2 || m == 4 || m == 6 }
func (m textMode) strokes() bool { return m == 1 || m == 2 || m == 5 || m == 6 }
func (m textMode) clips() bool   { return m >= 4 && m <= 7 }

func newState(clip box) gstate {
	return gstate{
		ctm: identity, clip: clip, lineWidth: 1, text: textState{scale: 1},
		fill: solid(black), stroke: solid(black), fillIn: graySpace, strokeIn: graySpace,
	}
}

// extGState sets what a dictionary of graphics state parameters says (8.4.5).
func (in *interpreter) extGState(gs types.Dict) {
	s, d := &in.state, in.doc
	if v, ok := d.number(gs["ca"]); ok {
		s.fill.clear = 1 - clamp(v)
	}
	if v, ok := d.number(gs["CA"]); ok {
		s.stroke.clear = 1 - clamp(v)
	}
	if v, ok := gs["BM"]; ok {
		s.fill.blend = d.blendMode(v)
		s.stroke.blend = s.fill.blend
	}
	if v, ok := gs["SMask"]; ok {
		s.fill.masked = d.dict(v) != nil
		s.stroke.masked = s.fill.masked
	}
	if v, ok := d.number(gs["LW"]); ok {
		s.lineWidth = v
	}
	if f, ok := d.resolve(gs["Font"]).(types.Array); ok && len(f) == 2 {
		s.text.font = d.fontOf(f[0])
		s.text.size, _ = d.number(f[1])
	}
}

// blendMode is the first of a list that is known.
func (d *document) blendMode(o types.Object) blendMode {
	list, ok := d.resolve(o).(types.Array)
	if !ok {
		list = types.Array{o}
	}
	for _, item := range list {
		if m, ok := blendModes[d.name(item)]; ok {
			return m
		}
	}
	return normal
}

// enterGroup has a transparency group take the state of what it is drawn with: its parts are opaque to
// each other (11.4.7).
func (s *gstate) enterGroup() {
	s.group.clear = 1 - (1-s.group.clear)*(1-s.fill.clear)
	s.group.masked = s.group.masked || s.fill.masked
	s.fill.clear, s.stroke.clear, s.fill.masked, s.stroke.masked = 0, 0, false, false
}

// colour executes the operators of colour (8.6.8).
func (in *interpreter) colour(op operator, args operands, resources types.Dict) bool {
	s := &in.state
	switch op {
	case "g":
		s.fillIn = graySpace
		s.fill.setColour(solid(gray(args.number(0))))
	case "G":
		s.strokeIn = graySpace
		s.stroke.setColour(solid(gray(args.number(0))))
	case "rg":
		s.fillIn = rgbSpace
		s.fill.setColour(solid(args.rgb()))
	case "RG":
		s.strokeIn = rgbSpace
		s.stroke.setColour(solid(args.rgb()))
	case "k":
		s.fillIn = cmykSpace
		s.fill.setColour(solid(args.cmyk()))
	case "K":
		s.strokeIn = cmykSpace
		s.stroke.setColour(solid(args.cmyk()))
	case "sc", "scn":
		in.paintIn(&s.fill, s.fillIn, args, resources)
	case "SC", "SCN":
		in.paintIn(&s.stroke, s.strokeIn, args, resources)
	case "cs":
		s.fillIn = in.doc.colourSpace(types.Name(args.name(0)), resources, 0)
		in.begin(&s.fill, s.fillIn)
	case "CS":
		s.strokeIn = in.doc.colourSpace(types.Name(args.name(0)), resources, 0)
		in.begin(&s.stroke, s.strokeIn)
	default:
		return false
	}
	return true
}

// begin gives p the colour that every colour space begins with.
func (in *interpreter) begin(p *paint, s *colourSpace) {
	p.setColour(s.paint(s.initial))
	p.unknown = p.unknown && s.initial != nil // a pattern space begins with none, and is black to viewers
}

// paintIn gives p a colour of a space, or a pattern.
func (in *interpreter) paintIn(p *paint, s *colourSpace, args operands, resources types.Dict) {
	if n := len(args); n > 0 {
		if pattern, ok := args[n-1].(name); ok {
			p.setColour(in.doc.pattern(in.doc.dict(resources["Pattern"])[string(pattern)], s, args[:n-1]))
			return
		}
	}
	p.setColour(s.paint(args.numbers()))
	p.nothing = s.nothing
}

func (o operands) rgb() rgb { return rgb{clamp(o.number(0)), clamp(o.number(1)), clamp(o.number(2))} }

func (o operands) cmyk() rgb { return cmyk(o.number(0), o.number(1), o.number(2), o.number(3)) }

// pattern is what a tiling or a gradient leaves behind. A tiling has gaps or not, in colours of its own.
func (d *document) pattern(o types.Object, s *colourSpace, args operands) paint {
	dict := d.dict(o)
	if kind, _ := d.number(dict["PatternType"]); kind == 2 {
		return d.shading(dict["Shading"])
	}
	if kind, _ := d.number(dict["PaintType"]); kind == 2 && s.pattern != nil {
		p := s.pattern.paint(args.numbers())
		p.sparse = true
		return p
	}
	return paint{unknown: true, sparse: true}
}

// shading is the paint of a gradient: the colours at its two ends.
func (d *document) shading(o types.Object) paint {
	dict := d.dict(o)
	f := d.function(dict["Function"], 0)
	kind, _ := d.number(dict["ShadingType"])
	if f == nil || kind != 2 && kind != 3 {
		return paint{unknown: true}
	}
	ends := []float64{0, 1}
	if domain := d.numbers(dict["Domain"]); len(domain) == 2 {
		ends = domain
	}
	space := d.colourSpace(dict["ColorSpace"], nil, 0)
	first, last := space.paint(f(ends[:1])), space.paint(f(ends[1:]))
	return paint{colour: first.colour, other: last.colour, unknown: first.unknown || last.unknown}
}

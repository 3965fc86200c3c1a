package extract

import (
	"math"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// rgb is a colour as a screen shows it, 0 to 1 each.
type rgb [3]float32

var (
	white = rgb{1, 1, 1}
	black = rgb{}
)

// paint is what filling or stroking leaves behind. Its zero value is opaque black.
type paint struct {
	colour  rgb
	other   rgb       // of a gradient, the colour at its other end; else the same
	clear   float32   // 0 is opaque, 1 leaves nothing
	blend   blendMode // how it mixes with what is below it
	unknown bool      // its colour cannot be worked out
	sparse  bool      // a pattern that may have gaps
	masked  bool      // a soft mask thins it out, nobody knows where
	nothing bool      // of an ink that no printer has: leaves no mark
}

func solid(c rgb) paint { return paint{colour: c, other: c} }

// shows reports whether painting leaves a mark on white paper.
func (p paint) shows() bool {
	return p.clear < 1 && !p.nothing && (p.unknown || !similarColours(p.colour, white) || !similarColours(p.other, white))
}

// setColour takes the components of a colour and leaves all else of the paint.
func (p *paint) setColour(c paint) {
	p.colour, p.other, p.unknown, p.sparse, p.nothing = c.colour, c.other, c.unknown, c.sparse, c.nothing
}

// with is p in another colour.
func (p paint) with(c paint) paint {
	p.setColour(c)
	return p
}

// Distances between two colours, about as many just noticeable differences (CIE 1976 L*a*b*).
const (
	unseen = 3 // no letters can be told from what is below them
	faint  = 6 // some readers may not see them
)

// Colour is a colour on white paper as 0xRRGGBB; one that is not known is black.
type Colour uint32

// seen is the colour of a paint on white paper.
func (p paint) seen() Colour {
	if p.unknown || p.colour == black && p.clear == 0 {
		return 0
	}
	var out Colour
	for _, v := range p.colour {
		v += (1 - v) * p.clear
		out = out<<8 | Colour(255*clamp(float64(v))+0.5)
	}
	return out
}

// Near reports whether a reader takes two colours for the same ink, as black and a dark grey.
func (c Colour) Near(other Colour) bool {
	const far = 0x50
	for shift := 0; shift <= 16; shift += 8 {
		a, b := int(c>>shift&0xFF), int(other>>shift&0xFF)
		if max(a-b, b-a) > far {
			return false
		}
	}
	return true
}

func similarColours(a, b rgb) bool { return distance(a, b) < unseen }

// distance is how different two colours look.
func distance(a, b rgb) float64 {
	const plainly = 0.3 // of one component: far beyond faint
	if a == b {
		return 0
	}
	if d := abs(a[1] - b[1]); d > plainly {
		return math.Inf(1)
	}
	la, lb := lab(a), lab(b)
	return math.Sqrt((la[0]-lb[0])*(la[0]-lb[0]) + (la[1]-lb[1])*(la[1]-lb[1]) + (la[2]-lb[2])*(la[2]-lb[2]))
}

func abs(v float32) float32 { return max(v, -v) }

// lab gives L*, a* and b* of an sRGB colour.
func lab(c rgb) [3]float64 {
	var l [3]float64
	for i, v := range c {
		l[i] = linear(float64(v))
	}
	x := root((0.4124*l[0] + 0.3576*l[1] + 0.1805*l[2]) / 0.9505)
	y := root(0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2])
	z := root((0.0193*l[0] + 0.1192*l[1] + 0.9505*l[2]) / 1.089)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func root(t float64) float64 {
	if t > 0.008856 {
		return math.Cbrt(t)
	}
	return 7.787*t + 16.0/116
}

func clamp(v float64) float32 {
	if !(v > 0) { // also what is no number
		return 0
	}
	return float32(min(v, 1))
}

func gray(v float64) rgb { g := clamp(v); return rgb{g, g, g} }

func cmyk(c, m, y, k float64) rgb {
	light := 1 - float64(clamp(k))
	return rgb{clamp((1 - c) * light), clamp((1 - m) * light), clamp((1 - y) * light)}
}

// device is the colour of one, three or four components in the space that a device has for so many.
func device(v []float64) (rgb, bool) {
	switch len(v) {
	case 1:
		return gray(v[0]), true
	case 3:
		return rgb{clamp(v[0]), clamp(v[1]), clamp(v[2])}, true
	case 4:
		return cmyk(v[0], v[1], v[2], v[3]), true
	}
	return black, false
}

// colourSpace tells what the components of a colour mean (ISO 32000-1, 8.6), as far as that decides
// whether a reader sees it.
type colourSpace struct {
	components int
	convert    func(v []float64) (rgb, bool) // false: the colour cannot be worked out
	nothing    bool                          // Separation None: painting leaves no mark
	pattern    *colourSpace                  // of the space Pattern: that of patterns without colours of their own
	initial    []float64
}

func deviceSpace(components int) *colourSpace {
	s := &colourSpace{components: components, convert: device, initial: make([]float64, components)}
	if components == 4 {
		s.initial[3] = 1
	}
	return s
}

var (
	graySpace = deviceSpace(1)
	rgbSpace  = deviceSpace(3)
	cmykSpace = deviceSpace(4)
)

// paint is the colour of some components.
func (s *colourSpace) paint(v []float64) paint {
	if s == nil || s.convert == nil {
		c, ok := device(v)
		p := solid(c)
		p.unknown = !ok
		return p
	}
	if len(v) < s.components {
		v = append(v, make([]float64, s.components-len(v))...)
	}
	c, ok := s.convert(v[:s.components])
	p := solid(c)
	p.unknown = !ok
	return p
}

// maxSpaces bounds colour spaces inside one another.
const maxSpaces = 8

// colourSpace reads a colour space: a name, or an array that begins with one.
func (d *document) colourSpace(o types.Object, resources types.Dict, depth int) *colourSpace {
	if depth > maxSpaces {
		return &colourSpace{convert: unknownColour}
	}
	number := 0
	if ref, ok := o.(types.IndirectRef); ok {
		number = ref.ObjectNumber.Value()
		if s := d.spaces[number]; s != nil {
			return s
		}
	}
	s := d.readColourSpace(o, resources, depth)
	if number != 0 {
		d.spaces[number] = s
	}
	return s
}

func (d *document) readColourSpace(o types.Object, resources types.Dict, depth int) *colourSpace {
	array, ok := d.resolve(o).(types.Array)
	if !ok || len(array) == 0 {
		return d.namedSpace(d.name(o), resources, depth)
	}
	part := func(i int) types.Object {
		if i < len(array) {
			return array[i]
		}
		return nil
	}
	switch family := d.name(array[0]); family {
	case "ICCBased":
		n, _ := d.number(d.dict(part(1))["N"])
		return iccSpace(int(n))
	case "Lab":
		return labSpace()
	case "Indexed", "I":
		return d.indexed(d.colourSpace(part(1), resources, depth+1), part(3))
	case "Separation", "DeviceN":
		return d.tinted(array, resources, depth)
	case "Pattern":
		s := &colourSpace{convert: unknownColour}
		if len(array) > 1 {
			s.pattern = d.colourSpace(array[1], resources, depth+1)
		}
		return s
	default:
		return d.namedSpace(family, resources, depth)
	}
}

func (d *document) namedSpace(name string, resources types.Dict, depth int) *colourSpace {
	switch name {
	case "DeviceGray", "CalGray", "G":
		return graySpace
	case "DeviceRGB", "CalRGB", "RGB":
		return rgbSpace
	case "DeviceCMYK", "CalCMYK", "CMYK":
		return cmykSpace
	}
	if own, ok := d.dict(resources["ColorSpace"])[name]; ok && depth <= maxSpaces {
		return d.colourSpace(own, nil, depth+1)
	}
	return &colourSpace{convert: unknownColour}
}

func unknownColour([]float64) (rgb, bool) { return black, false }

func iccSpace(components int) *colourSpace {
	switch components {
	case 1:
		return graySpace
	case 4:
		return cmykSpace
	}
	return rgbSpace
}

// labSpace takes every white point for that of daylight: nothing here turns on the difference.
func labSpace() *colourSpace {
	return &colourSpace{components: 3, initial: make([]float64, 3), convert: func(v []float64) (rgb, bool) {
		y := (v[0] + 16) / 116
		return xyz(cube(y+v[1]/500)*0.9505, cube(y), cube(y-v[2]/200)*1.089), true
	}}
}

func cube(t float64) float64 {
	if t > 6.0/29 {
		return t * t * t
	}
	return 108.0 / 841 * (t - 4.0/29)
}

func xyz(x, y, z float64) rgb {
	gamma := func(v float64) float32 {
		if v <= 0.0031308 {
			return clamp(12.92 * v)
		}
		return clamp(1.055*math.Pow(v, 1/2.4) - 0.055)
	}
	return rgb{
		gamma(3.2406*x - 1.5372*y - 0.4986*z), gamma(-0.9689*x + 1.8758*y + 0.0415*z), gamma(0.0557*x - 0.2040*y + 1.0570*z),
	}
}

// indexed looks each colour up in a table of colours of another space.
func (d *document) indexed(base *colourSpace, lookup types.Object) *colourSpace {
	table := d.bytes(lookup)
	n := max(base.components, 1)
	return &colourSpace{components: 1, initial: make([]float64, 1), convert: func(v []float64) (rgb, bool) {
		at := int(v[0]) * n
		if at < 0 || at+n > len(table) {
			return black, false
		}
		parts := make([]float64, n)
		for i := range parts {
			parts[i] = float64(table[at+i]) / 255
		}
		p := base.paint(parts)
		return p.colour, !p.unknown
	}}
}

// bytes is what a string or a stream holds.
func (d *document) bytes(o types.Object) []byte {
	switch v := d.resolve(o).(type) {
	case types.StringLiteral:
		b, _ := types.Unescape(string(v))
		return b
	case types.HexLiteral:
		b, _ := v.Bytes()
		return b
	case types.StreamDict:
		b, _ := d.stream(v)
		return b
	}
	return nil
}

// tinted is a space of inks, which begins with all of each: 1. Where its function cannot be worked
// out, the more ink, the darker.
func (d *document) tinted(array types.Array, resources types.Dict, depth int) *colourSpace {
	if len(array) < 4 {
		return &colourSpace{convert: unknownColour}
	}
	names, isN := d.resolve(array[1]).(types.Array)
	if !isN {
		names = types.Array{array[1]}
	}
	s := &colourSpace{components: len(names), nothing: true}
	for _, n := range names {
		s.initial = append(s.initial, 1)
		s.nothing = s.nothing && d.name(n) == "None"
	}
	s.nothing = s.nothing && len(names) > 0
	alternate, tint := d.colourSpace(array[2], resources, depth+1), d.function(array[3], 0)
	s.convert = func(v []float64) (rgb, bool) {
		if tint != nil {
			if out := tint(v); out != nil {
				p := alternate.paint(out)
				return p.colour, !p.unknown
			}
		}
		ink := 0.0
		for _, t := range v {
			ink += t
		}
		return gray(1 - ink), true
	}
	return s
}

package extract

import (
	"bytes"
	"image/jpeg"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// picture is an image where it lies on the page. It is decoded only once text meets it.
type picture struct {
	doc    *document
	image  types.Object
	toUnit matrix // from page space to the image's unit square
}

// raster is an image as far as it decides what is seen of text: some points of it.
type raster struct {
	across, down int
	colours      []rgb     // none of a stencil
	clear        []float32 // none where all is opaque
	unknown      bool      // its colours cannot be worked out
	masked       bool      // nor can what shows through it
}

// maxAcross is how many points of an image are looked at, each way.
const maxAcross = 200

// place keeps an image, or an inline image of which no more is known, as an area of the unit square.
func (in *interpreter) place(image types.Object) {
	corners := in.corners(0, 0, 1, 1)
	m := in.state.ctm
	var pic *picture
	p := in.state.fill
	p.sparse = false
	if inverse, ok := m.inverse(); ok && image != nil {
		pic = &picture{in.doc, image, inverse}
	} else {
		p.unknown = true
	}
	if b, ok := rectangle(corners); ok {
		in.lay(b, nil, p, pic)
		return
	}
	in.lay(boxOf(corners), newShape([][]point{corners}, false), p, pic)
}

// paintAt is the area's paint at a point.
func (a *area) paintAt(at point) paint {
	p := a.paint
	if a.image == nil {
		return p
	}
	r := a.image.doc.raster(a.image.image, 0)
	p.masked = p.masked || r.masked
	p.unknown = r.unknown
	u := a.image.toUnit.apply(at.x, at.y)
	x, y := cellAt(u.x, r.across), cellAt(1-u.y, r.down)
	if i := y*r.across + x; i < len(r.clear) {
		p.clear = 1 - (1-p.clear)*(1-r.clear[i])
	}
	if i := y*r.across + x; i < len(r.colours) {
		p.colour, p.other = r.colours[i], r.colours[i]
	}
	return p
}

func cellAt(u float64, n int) int { return max(0, min(int(u*float64(n)), n-1)) }

// inverse undoes m; false where that is impossible.
func (m matrix) inverse() (matrix, bool) {
	det := m[0]*m[3] - m[1]*m[2]
	if det == 0 || det != det {
		return matrix{}, false
	}
	return matrix{
		m[3] / det, -m[1] / det, -m[2] / det, m[0] / det,
		(m[2]*m[5] - m[3]*m[4]) / det, (m[1]*m[4] - m[0]*m[5]) / det,
	}, true
}

// raster reads an image once. depth counts masks inside masks.
func (d *document) raster(o types.Object, depth int) *raster {
	number := 0
	if ref, ok := o.(types.IndirectRef); ok {
		number = ref.ObjectNumber.Value()
		if r := d.rasters[number]; r != nil {
			return r
		}
	}
	r := d.readRaster(o, depth)
	if number != 0 {
		d.rasters[number] = r
	}
	return r
}

func (d *document) readRaster(o types.Object, depth int) *raster {
	dict := d.dict(o)
	stencil := d.resolve(dict["ImageMask"]) == types.Boolean(true)
	samples, ok := d.samples(o, dict, stencil)
	if !ok {
		_, soft := dict["SMask"]
		_, hard := dict["Mask"]
		return &raster{unknown: !stencil, masked: stencil || soft || hard}
	}
	r := &raster{across: min(samples.width, maxAcross), down: min(samples.height, maxAcross)}
	for y := range r.down {
		for x := range r.across {
			c, known := samples.at(x*samples.width/r.across, y*samples.height/r.down)
			r.unknown = r.unknown || !known
			if stencil {
				r.clear = append(r.clear, c[0]) // a sample of 1 leaves what is below (8.9.6.2)
			} else {
				r.colours = append(r.colours, c)
			}
		}
	}
	if !stencil {
		d.mask(r, dict, depth)
	}
	return r
}

// mask applies what an image's dictionary says shows through it (8.9.6, 11.6.5.3).
func (d *document) mask(r *raster, dict types.Dict, depth int) {
	var by *raster
	soft, isSoft := dict["SMask"]
	hard, isHard := dict["Mask"]
	switch {
	case depth > 0 || !isSoft && !isHard:
		return
	case isSoft && d.dict(soft) != nil:
		by = d.raster(soft, depth+1)
	case isHard && d.dict(hard) != nil:
		by = d.raster(hard, depth+1)
	default: // colours that are not painted
		r.masked = isHard
		return
	}
	r.masked = by.masked || by.unknown
	if r.masked {
		return
	}
	r.clear = make([]float32, r.across*r.down)
	for i := range r.clear {
		x, y := (i%r.across)*by.across/r.across, (i/r.across)*by.down/r.down
		if at := y*by.across + x; at < len(by.clear) {
			r.clear[i] = by.clear[at]
		} else if at < len(by.colours) {
			r.clear[i] = 1 - by.colours[at][0]
		}
	}
}

// samples are the points of a decoded image.
type samples struct {
	width, height int
	at            func(x, y int) (rgb, bool)
}

func (d *document) samples(o types.Object, dict types.Dict, stencil bool) (samples, bool) {
	sd, ok := d.resolve(o).(types.StreamDict)
	w, _ := d.number(dict["Width"])
	h, _ := d.number(dict["Height"])
	if !ok || w < 1 || h < 1 || w*h > maxStream {
		return samples{}, false
	}
	s := samples{width: int(w), height: int(h)}
	if n := len(sd.FilterPipeline); n > 0 {
		switch sd.FilterPipeline[n-1].Name {
		case "DCTDecode":
			return d.photo(sd, s)
		case "JPXDecode", "JBIG2Decode", "CCITTFaxDecode":
			return samples{}, false
		}
	}
	return d.bitmap(sd, dict, s, stencil)
}

// photo decodes a JPEG.
func (d *document) photo(sd types.StreamDict, s samples) (samples, bool) {
	if len(sd.FilterPipeline) != 1 {
		return samples{}, false
	}
	head, err := jpeg.DecodeConfig(bytes.NewReader(sd.Raw))
	if err != nil || head.Width*head.Height > maxStream/4 {
		return samples{}, false
	}
	img, err := jpeg.Decode(bytes.NewReader(sd.Raw))
	if err != nil {
		return samples{}, false
	}
	s.width, s.height = head.Width, head.Height
	s.at = func(x, y int) (rgb, bool) {
		r, g, b, _ := img.At(x, y).RGBA()
		return rgb{float32(r) / 0xffff, float32(g) / 0xffff, float32(b) / 0xffff}, true
	}
	return s, true
}

// bitmap reads samples of up to 8 bits each, row by row (8.9.5).
func (d *document) bitmap(sd types.StreamDict, dict types.Dict, s samples, stencil bool) (samples, bool) {
	content, err := d.stream(sd)
	bits, space := 1, graySpace
	if !stencil {
		b, _ := d.number(dict["BitsPerComponent"])
		bits, space = int(b), d.colourSpace(dict["ColorSpace"], nil, 0)
	}
	n := space.components
	if err != nil || n == 0 || bits != 1 && bits != 2 && bits != 4 && bits != 8 {
		return samples{}, false
	}
	row := (s.width*n*bits + 7) / 8
	if len(content) < row*s.height {
		return samples{}, false
	}
	most := float64(int(1)<<bits - 1)
	low, high := 0.0, 1.0
	if decode := d.numbers(dict["Decode"]); len(decode) >= 2 {
		low, high = decode[0], decode[1]
	} else if array, ok := d.resolve(dict["ColorSpace"]).(types.Array); ok && len(array) == 4 && d.name(array[0]) == "Indexed" {
		high = most
	}
	values := make([]float64, n)
	s.at = func(x, y int) (rgb, bool) {
		for i := range values {
			bit := (x*n + i) * bits
			v := content[y*row+bit/8] >> (8 - bits - bit%8) & (1<<bits - 1)
			values[i] = low + float64(v)/most*(high-low)
		}
		p := space.paint(values)
		return p.colour, !p.unknown
	}
	return s, true
}

package extract

import "math"

// gstate is the graphics state as far as it decides where ink is (ISO 32000-1, 8.4).
type gstate struct {
	ctm       matrix
	clip      box // in page space; a clipping path counts as its bounding box
	lineWidth float64
	fill      paint
	stroke    paint
	text      textState
}

// textState is the part of the graphics state that q and Q save of text (9.3).
type textState struct {
	font          *font
	size          float64
	charSpace     float64
	wordSpace     float64
	scale         float64 // horizontal, 1 is normal
	leading, rise float64
	invisible     bool // render modes 3 and 7
}

// paint says whether painting leaves a mark on white paper.
type paint struct {
	white       bool
	transparent bool
	tint        bool // one component counts ink, not light: Separation and DeviceN
}

func (p paint) shows() bool { return !p.white && !p.transparent }

// set takes the components of a colour. A pattern's name is no number and always shows.
func (p *paint) set(components []float64) {
	const nearly = 0.01
	light := len(components) == 1 && !p.tint || len(components) == 3
	p.white = len(components) > 0
	for _, c := range components {
		if light {
			c = 1 - c
		}
		p.white = p.white && math.Abs(c) < nearly
	}
}

func newState(clip box) gstate {
	return gstate{ctm: identity, clip: clip, lineWidth: 1, text: textState{scale: 1}}
}

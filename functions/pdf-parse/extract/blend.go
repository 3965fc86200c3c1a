package extract

import "math"

// blendMode is how a colour mixes with what is below it (ISO 32000-1, 11.3.5).
type blendMode uint8

const (
	normal blendMode = iota
	multiply
	screen
	overlay
	darken
	lighten
	colorDodge
	colorBurn
	hardLight
	softLight
	difference
	exclusion
	luminosity // and the others that take a colour apart: not worked out
)

var blendModes = map[string]blendMode{
	"Normal": normal, "Compatible": normal, "Multiply": multiply, "Screen": screen, "Overlay": overlay, "Darken": darken,
	"Lighten": lighten, "ColorDodge": colorDodge, "ColorBurn": colorBurn, "HardLight": hardLight, "SoftLight": softLight,
	"Difference": difference, "Exclusion": exclusion, "Hue": luminosity, "Saturation": luminosity, "Color": luminosity,
	"Luminosity": luminosity,
}

// over is what shows where a colour is painted on another.
func (m blendMode) over(below, above rgb, clear float32) rgb {
	var out rgb
	for i := range out {
		b, s := below[i], above[i]
		if m != normal {
			s = m.mix(b, s)
		}
		out[i] = clear*b + (1-clear)*s
	}
	return out
}

func (m blendMode) mix(b, s float32) float32 {
	switch m {
	case multiply:
		return b * s
	case screen:
		return b + s - b*s
	case overlay:
		return hardLight.mix(s, b)
	case darken:
		return min(b, s)
	case lighten:
		return max(b, s)
	case colorDodge:
		if b == 0 {
			return 0
		}
		return 1 - clamp(1-float64(b/(1-s)))
	case colorBurn:
		if b == 1 {
			return 1
		}
		return clamp(1 - float64((1-b)/s))
	case hardLight:
		if s <= 0.5 {
			return 2 * s * b
		}
		return screen.mix(b, 2*s-1)
	case softLight:
		return softened(b, s)
	case difference:
		return abs(b - s)
	case exclusion:
		return b + s - 2*b*s
	}
	return s
}

func softened(b, s float32) float32 {
	if s <= 0.5 {
		return b - (1-2*s)*b*(1-b)
	}
	d := float32(math.Sqrt(float64(b)))
	if b <= 0.25 {
		d = ((16*b-12)*b + 4) * b
	}
	return b + (2*s-1)*(d-b)
}

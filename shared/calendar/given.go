package calendar

import "maps"

// GivenColors are the colours in which modules were shown, by their normal names. Whoever shows a
// calendar again and again keeps them, so that modules that come and go change no other's colour.
type GivenColors map[string]string

// maxGiven is how many modules' colours are kept: more than any student takes in a life.
const maxGiven = 100

// Keep is the options with the given colours for modules that the caller chose none for. Who chose so
// many colours that no more would be taken gets no others.
func (g GivenColors) Keep(o Options) Options {
	if len(o.Colors) > maxGiven {
		return o
	}
	chosen := make(map[string]bool, len(o.Colors))
	for module := range o.Colors {
		chosen[NormalModule(module)] = true
	}
	colors := make(map[string]string, len(o.Colors)+len(g))
	maps.Copy(colors, o.Colors)
	for module, color := range g {
		if !chosen[module] {
			colors[module] = color
		}
	}
	o.Colors = colors
	return o
}

// After is what is given once cal has been shown.
func (g GivenColors) After(cal Calendar) GivenColors {
	given := maps.Clone(g)
	if given == nil || len(given) > maxGiven {
		given = make(GivenColors)
	}
	for _, item := range cal.Items {
		if item.Event.ColorID != "" {
			continue // the caller's own, of this event alone
		}
		given[NormalModule(item.Event.Module)] = item.Color
	}
	return given
}

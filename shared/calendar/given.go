package calendar

import "maps"

// GivenColors are the colours in which modules were shown, by their normal names. Whoever shows a
// calendar again and again keeps them, so that modules that come and go change no other's colour.
type GivenColors map[string]string

// How many modules' colours are kept.
const (
	maxGiven = 100                   // of modules that came and went: more than any student takes in a life
	maxShown = maxChoices - maxGiven // of those in a calendar: as many as may be chosen beside them
)

// Keep is the options with the given colours for modules that the caller chose none for. Who chose so
// much that no more would be taken gets no others.
func (g GivenColors) Keep(o Options) Options {
	if len(o.Colors) > maxGiven || len(o.Colors)+len(g) > maxChoices {
		return o
	}
	chosen := make(map[string]bool, len(o.Colors))
	for module := range o.Colors {
		chosen[NormalModule(module)] = true
	}
	kept := o
	kept.Colors = make(map[string]string, len(o.Colors)+len(g))
	maps.Copy(kept.Colors, o.Colors)
	for module, color := range g {
		if !chosen[module] && isName(module) {
			kept.Colors[module] = color
		}
	}
	if kept.checkTexts() != nil {
		return o
	}
	return kept
}

// After is what is given once cal has been shown.
func (g GivenColors) After(cal Calendar) GivenColors {
	shown := make(GivenColors)
	for _, item := range cal.Items {
		// A colour of one event alone is its caller's own.
		if module := NormalModule(item.Event.Module); item.Event.ColorID == "" && isName(module) && len(shown) < maxShown {
			shown[module] = item.Color
		}
	}
	given := maps.Clone(g)
	if given == nil {
		return shown
	}
	maps.Copy(given, shown)
	if len(given) > maxGiven {
		return shown
	}
	return given
}

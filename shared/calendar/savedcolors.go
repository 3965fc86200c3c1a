package calendar

import "maps"

// SavedColors are the colours in which modules were shown, by their normal names. Feeds and Google calendars save
// them, so that modules that come and go do not change the colours of others.
type SavedColors map[string]string

// How many modules' colours are saved.
const (
	maxSaved = 100                   // of modules that came and went: more than any student takes in a life
	maxShown = maxChoices - maxSaved // of those in a calendar: as many as may be chosen beside them
)

// Apply is the options with the saved colours for modules that the caller chose none for. Options that already have
// as many colours as are allowed get no others.
func (g SavedColors) Apply(o Options) Options {
	if len(o.Colors) > maxSaved || len(o.Colors)+len(g) > maxChoices {
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

// With is the saved colours after cal was shown.
func (g SavedColors) With(cal Calendar) SavedColors {
	shown := make(SavedColors)
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
	if len(given) > maxSaved {
		return shown
	}
	return given
}

package plan

import "slices"

// Layer is what one sync made of a calendar, and what that should be now.
type Layer struct {
	Wanted []Event
	Before []string // ids of what was written of it
	Scopes []string // what it spoke for: there, what older layers want is over
	Keep   bool     // what it no longer wants stays as it was written
}

// has is the ids that the layer decides about.
func (l Layer) has() map[string]bool {
	own := make(map[string]bool, len(l.Wanted)+len(l.Before))
	for _, e := range l.Wanted {
		own[e.ID] = true
	}
	if l.Keep {
		for _, id := range l.Before {
			own[id] = true
		}
	}
	return own
}

// MergeLayers puts layers over each other, the oldest first: what all of them want together, and the ids of what none
// of them wants any more. What is kept is neither.
func MergeLayers(layers []Layer) (wanted []Event, gone []string) {
	decided := make(map[string]bool)
	for _, l := range layers {
		own := l.has()
		wanted = slices.DeleteFunc(wanted, func(e Event) bool {
			over := own[e.ID] || slices.Contains(l.Scopes, e.Scope)
			if over {
				delete(decided, e.ID)
			}
			return over
		})
		for id := range own {
			decided[id] = true
		}
		wanted = append(wanted, l.Wanted...)
	}
	for _, l := range layers {
		for _, id := range l.Before {
			if !decided[id] {
				decided[id] = true
				gone = append(gone, id)
			}
		}
	}
	return wanted, gone
}

package calendar

import (
	"iter"
	"time"
)

// Occurrence is one date of an item.
type Occurrence struct {
	Start time.Time
	End   time.Time
}

// Occurrences gives the item's dates in order, without the excluded ones.
func Occurrences(i Item) iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		length := i.End.Sub(i.Start)
		excluded := i.Excluded
		for at := i.Start; ; at = at.AddDate(0, 0, 7) {
			if len(excluded) > 0 && excluded[0].Equal(at) {
				excluded = excluded[1:]
			} else if !yield(Occurrence{at, at.Add(length)}) {
				return
			}
			if !at.Before(i.Until) {
				return
			}
		}
	}
}

package calendar

import (
	"slices"

	"github.com/rickar/cal/v2/za"
)

// PublicHolidays gives South Africa's public holidays of a year by date. A holiday on a Sunday is
// followed by a Monday off (Public Holidays Act 36 of 1994, section 2(1)); both days are listed.
// Days that the President declares once, such as election days, are not known here: a caller
// excludes them.
func PublicHolidays(year int) map[Date]string {
	days := make(map[Date]string, len(za.Holidays)+2)
	for _, holiday := range za.Holidays {
		actual, observed := holiday.Calc(year)
		if actual.IsZero() {
			continue
		}
		days[DateOf(actual)] = holiday.Name
		if _, taken := days[DateOf(observed)]; !taken {
			days[DateOf(observed)] = holiday.Name + " (observed)"
		}
	}
	return days
}

// daysOff tells lecture days from days without lectures. It looks at each day once, however many
// lectures ask for it: thousands of events with hundreds of ranges would be seconds of work.
type daysOff struct {
	holidays map[int]map[Date]string // by year
	recess   []Range
	known    map[Date]bool
}

func newDaysOff(recess []Range) *daysOff {
	return &daysOff{holidays: make(map[int]map[Date]string), recess: recess, known: make(map[Date]bool)}
}

// holiday gives the name of the public holiday on d, or nothing.
func (o *daysOff) holiday(d Date) string {
	year, ok := o.holidays[d.Year]
	if !ok {
		year = PublicHolidays(d.Year)
		o.holidays[d.Year] = year
	}
	return year[d]
}

// contains reports whether no lectures are held on d.
func (o *daysOff) contains(d Date) bool {
	off, seen := o.known[d]
	if !seen {
		off = o.holiday(d) != "" || slices.ContainsFunc(o.recess, func(r Range) bool { return r.Contains(d) })
		o.known[d] = off
	}
	return off
}

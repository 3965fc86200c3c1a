package calendar

import (
	"slices"
	"time"

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

// days tells on which days which weekday's lectures are held. It looks at each day once, however many
// lectures ask for it: thousands of events with hundreds of ranges would be seconds of work.
type days struct {
	opts     Options
	years    Years
	holidays map[int]map[Date]string // by year
	free     map[int][]Range         // recess and days without lectures, by year
	known    map[Date]bool
}

func newDays(opts Options) *days {
	return &days{opts: opts, years: opts.academicYears(), holidays: make(map[int]map[Date]string), free: make(map[int][]Range), known: make(map[Date]bool)}
}

// holiday gives the name of the public holiday on d, or nothing.
func (o *days) holiday(d Date) string {
	year, ok := o.holidays[d.Year]
	if !ok {
		year = PublicHolidays(d.Year)
		o.holidays[d.Year] = year
	}
	return year[d]
}

// noLectures reports whether no lectures are held on d.
func (o *days) noLectures(d Date) bool {
	off, seen := o.known[d]
	if !seen {
		off = o.holiday(d) != "" || slices.ContainsFunc(o.freeDays(d.Year), func(r Range) bool { return r.Contains(d) })
		o.known[d] = off
	}
	return off
}

// freeDays are the days of a year on which the university or the student has no lectures.
func (o *days) freeDays(year int) []Range {
	free, ok := o.free[year]
	if ok {
		return free
	}
	free = append(free, o.opts.Exclude...)
	if own, given := o.opts.recessOf(year); given {
		free = append(free, own...)
	} else {
		free = append(free, ranges(o.years[year].Recess)...)
	}
	free = append(free, ranges(o.years[year].NoLectures)...)
	o.free[year] = free
	return free
}

func ranges(periods []Period) []Range {
	all := make([]Range, len(periods))
	for i, p := range periods {
		all[i] = p.Range()
	}
	return all
}

// recessOf is the recess that the student gave for a year instead of the university's. An empty list is for
// all years: none has a recess.
func (o Options) recessOf(year int) (recess Days, given bool) {
	if o.Recess == nil {
		return nil, false
	}
	for _, r := range *o.Recess {
		if r.Start.Year <= year && year <= r.End.Year {
			recess = append(recess, r)
		}
	}
	return recess, len(recess) > 0 || len(*o.Recess) == 0
}

// weekdayOn gives the weekday whose lectures are held on d: its own, or another one's.
func (o *days) weekdayOn(d Date) time.Weekday {
	for _, swap := range o.years[d.Year].Follows {
		if swap.Date == d {
			return swap.Weekday
		}
	}
	return d.Weekday()
}

// swapsTo gives the days of a range that follow the given weekday and are another one, and on which lectures are held.
func (o *days) swapsTo(r Range, day time.Weekday) []Date {
	var dates []Date
	for year := r.Start.Year; year <= r.End.Year; year++ {
		for _, swap := range o.years[year].Follows {
			if swap.Weekday == day && swap.Date.Weekday() != day && r.Contains(swap.Date) && !o.noLectures(swap.Date) {
				dates = append(dates, swap.Date)
			}
		}
	}
	return dates
}

// unknown reports whether it is not known of all days of a range whether they are in a recess.
func (o *days) unknown(r Range) bool {
	if len(o.opts.Exclude) > 0 {
		return false // the student knows
	}
	for year := r.Start.Year; year <= r.End.Year; year++ {
		if _, given := o.opts.recessOf(year); given {
			continue
		}
		y := o.years[year]
		covered := y.Covers == (Range{}) || y.Covers.Contains(r.Start) && y.Covers.Contains(r.End)
		if y.Recess == nil || !covered {
			return true
		}
	}
	return false
}

package calendar

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/timetable"
)

// addLecture adds a lecture inside its term, or the reason why there is none: a weekly series with excluded
// dates, and single items beside it for the days that follow its weekday's timetable and for what the student
// changed.
//
// They are single items and neither RDATE nor RECURRENCE-ID; docs/architecture.md gives the reasons. EXDATE and
// single events are what Google, Apple and Microsoft show alike, and a series is untouched by what is added
// beside it.
func (b *builder) addLecture(e Event, at clock) *Warning {
	day, term, problem, ok := b.dayAndTerm(e)
	if !ok {
		return problem
	}
	weekly, beside := b.datesOf(term.ranges, day)
	if len(weekly.all) == 0 && len(beside) == 0 {
		return &Warning{Code: NotInTerm, Message: fmt.Sprintf("Its term has no %s. Check the dates of the term.", day)}
	}
	item := b.item(e, cmp.Or(e.Year, b.opts.Year)) // settled by the terms, if not given
	singles := b.singleItems(item, day, at, &weekly, beside)
	if len(weekly.held) == 0 && len(singles) == 0 {
		return &Warning{Code: AllExcluded, Message: "Holidays and recess leave no date for it. Check the dates of its term."}
	}
	var warnings []Warning
	if term.guessed != "" {
		warnings = append(warnings, b.warnGuessed(e, term.guessed))
	}
	if len(weekly.held) > 0 {
		weekly.setDates(&item, at)
		item.Warnings = append(item.Warnings, warnings...)
		b.addItem(item)
	}
	for _, single := range singles {
		single.Warnings = append(single.Warnings, warnings...)
		b.addItem(single)
	}
	for _, r := range term.ranges {
		if b.days.unknown(r) {
			b.unknown[r.Start.Year] = true
		}
	}
	return nil
}

// noteUnknownDays adds a note, once for each year, that lectures may stand in a recess that is not entered.
func (b *builder) noteUnknownDays() {
	for _, year := range slices.Sorted(maps.Keys(b.unknown)) {
		b.calendar.Notes = append(b.calendar.Notes,
			fmt.Sprintf("The university's recess of %d is not known for all terms, so lectures may be shown in it. Give the dates of the recess to leave them out.", year))
	}
}

// dayAndTerm gives the event's weekday and its term; ok is false where it lacks one, with the reason, or with none
// where that is an error of the whole.
func (b *builder) dayAndTerm(e Event) (day time.Weekday, term span, problem *Warning, ok bool) {
	if e.Day == "" {
		return day, term, &Warning{Code: timetable.NoDay, Message: "It has no day. Look it up in your timetable."}, false
	}
	if day, ok = weekday(e.Day); !ok {
		return day, term, &Warning{Code: InvalidDay, Message: fmt.Sprintf("%q is not a day of the week. Look it up in your timetable.", shorten(e.Day))}, false
	}
	term, known := b.termsOf(e).find(e.Semester)
	switch {
	case !known && e.Semester == "":
		return day, term, b.noteMissingSemester(e), false
	case !known:
		return day, term, &Warning{Code: timetable.UnknownTerm, Message: fmt.Sprintf("We have no dates for the term %q. Check its name in your timetable.", shorten(e.Semester))}, false
	case len(term.ranges) == 0:
		return day, term, b.noteMissingTerm(e), false
	}
	return day, term, nil, true
}

// termsOf are the terms of the event's year.
func (b *builder) termsOf(e Event) calendarTerms {
	terms, ok := b.terms[e.Year]
	if !ok {
		terms = b.opts.termsOf(e.Year)
		b.terms[e.Year] = terms
	}
	return terms
}

// weeklyDates are a weekday's dates in a term, and those of them on which its lectures are held.
type weeklyDates struct{ all, held []Date }

// datesOf gives the weekday's dates in the ranges, and the days beside them that follow its timetable.
func (b *builder) datesOf(ranges []Range, day time.Weekday) (weekly weeklyDates, beside []Date) {
	for _, r := range ranges {
		for d := r.Start.AddDays((int(day) - int(r.Start.Weekday()) + 7) % 7); !r.End.Before(d); d = d.AddDays(7) {
			if n := len(weekly.all); n > 0 && !weekly.all[n-1].Before(d) {
				continue // the ranges overlap
			}
			weekly.all = append(weekly.all, d)
			if !b.days.noLectures(d) && b.days.weekdayOn(d) == day {
				weekly.held = append(weekly.held, d)
			}
		}
		beside = append(beside, b.days.swapsTo(r, day)...)
	}
	slices.SortFunc(beside, func(a, b Date) int { return b.DaysUntil(a) })
	return weekly, slices.Compact(beside)
}

// setDates makes the item the series of the held dates, or its only one.
func (w weeklyDates) setDates(item *Item, at clock) {
	first, last := w.held[0], w.held[len(w.held)-1]
	item.Start, item.End = first.At(at.start), first.At(at.end)
	if first != last {
		item.Until = last.At(at.start)
	}
	for d := first; d != last; d = d.AddDays(7) {
		if !w.contains(d) {
			item.Excluded = append(item.Excluded, d.At(at.start))
		}
	}
}

func (w weeklyDates) contains(d Date) bool {
	_, ok := slices.BinarySearchFunc(w.held, d, func(a, b Date) int { return b.DaysUntil(a) })
	return ok
}

// singleItems are the items beside a series: those of days that follow another weekday's timetable, and those that
// the student changed. A changed date leaves the series.
func (b *builder) singleItems(series Item, day time.Weekday, at clock, weekly *weeklyDates, beside []Date) []Item {
	var all []Item
	for _, d := range beside {
		remark := fmt.Sprintf("%s follows the %s timetable.", d.longForm(), day)
		if item, held := b.singleItem(series, d, at, remark); held {
			all = append(all, item)
		}
	}
	held := weekly.held
	weekly.held = nil
	for _, d := range held {
		if b.changeOf(series.Event, d) < 0 {
			weekly.held = append(weekly.held, d)
		} else if item, held := b.singleItem(series, d, at, ""); held {
			all = append(all, item)
		}
	}
	return all
}

// singleItem is the item of one date, as the student has it; held is false where it is not held then. Its UID is made
// of the series' and the date, so that it is the same whenever it comes back.
func (b *builder) singleItem(series Item, d Date, at clock, remark string) (item Item, held bool) {
	item = series
	local, host, _ := strings.Cut(series.UID, "@")
	item.UID = local + "-" + strings.ReplaceAll(d.String(), "-", "") + "@" + host
	item.Remark = remark
	item.Start, item.End = d.At(at.start), d.At(at.end)
	return b.change(item, d, at)
}

// longForm writes the date as people say it.
func (d Date) longForm() string { return d.utc().Format("Monday 2 January 2006") }

// warnGuessed notes that a semester stands in for a quarter, and gives the item's own remark of it.
func (b *builder) warnGuessed(e Event, semester string) Warning {
	quarter := normalTerm(e.Semester)
	if b.quarters == nil {
		b.quarters = make(map[string][]string)
	}
	b.quarters[quarter] = append(b.quarters[quarter], e.ID)
	return Warning{Code: QuarterDatesUnknown, Message: fmt.Sprintf("We do not know the dates of %s, so this is shown in all of %s. Check when it is held.", quarter, semester)}
}

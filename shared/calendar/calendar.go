// Package calendar turns printed timetable rows into what a calendar needs: events with stable ids,
// each with its first occurrence, its weekly recurrence inside its own term, and the dates on which
// it does not happen. ICS files and Google calendars are both written from it.
//
// The way is [Events] (rows to events), [Build] (events and a student's options to a [Calendar]),
// [Occurrences] (an item's dates). All are functions from values to values: no I/O and no clock.
//
// What is not known is never guessed in silence. An event without a usable day or time, in an
// unknown term, or with no date left after holidays and recess makes no item, and a [Warning] says
// so; a lecture in a term whose dates are not known is an [Error].
package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Calendar is what one student's options make of the events.
type Calendar struct {
	Name      string    `json:"name"`
	Items     []Item    `json:"items"`           // in the order of the events
	Clashes   []Clash   `json:"clashes"`         // in order of their first date
	Warnings  []Warning `json:"warnings"`        // of the whole, and of events that made no item
	Notes     []string  `json:"notes,omitempty"` // what no event is to blame for: sentences for people
	Reminders []int     `json:"reminders"`       // minutes before each start
}

// Item is one calendar entry: an event and when it happens.
type Item struct {
	UID     string    `json:"uid"` // stable for the event and its year
	Event   Event     `json:"event"`
	Summary string    `json:"summary"`
	Start   time.Time `json:"start"` // the first occurrence, in Zone
	End     time.Time `json:"end"`   // its end
	// Until is the start of the last of several weekly occurrences; zero for a single one.
	Until time.Time `json:"until,omitzero"`
	// Excluded are the starts between Start and Until that do not happen, each at Start's own time of day.
	Excluded []time.Time `json:"excluded,omitempty"`
	// Remark says why a lecture stands beside its series, or what a student noted; empty for most items.
	Remark   string    `json:"remark,omitempty"`
	Color    string    `json:"color"` // a CSS3 colour name
	Warnings []Warning `json:"warnings,omitempty"`
}

// CheckNotEmpty returns an [Error] for a calendar without items, with the warnings as its details. Callers that
// make a file use it; a feed may be empty until the next timetable.
func (c Calendar) CheckNotEmpty() error {
	if len(c.Items) > 0 {
		return nil
	}
	return &Error{Code: NothingLeft, Message: "none of the events can be placed in a calendar. Check their days, dates and times", Details: c.Warnings}
}

// Build makes the calendar of the events that opts takes.
//
// It fails with an [Error] when opts makes no sense, chooses a group or module that does not exist,
// or when a lecture recurs in a term that has no dates (MISSING_SEMESTER_DATES). The same events and
// options always give the same calendar.
func Build(events []Event, opts Options) (Calendar, error) {
	opts, err := opts.normalized()
	if err != nil {
		return Calendar{}, err
	}
	events, names := completeEvents(events, opts)
	if err := checkTermNames(events, opts); err != nil {
		return Calendar{}, err
	}
	chosen, warnings, err := choose(events, opts)
	if err != nil {
		return Calendar{}, err
	}
	b := builder{
		opts:  opts,
		terms: make(map[int]calendarTerms),
		days:  newDays(opts),
		names: names, changes: newChanges(opts.Changes), unknown: make(map[int]bool),
		calendar: Calendar{
			Name: opts.Name, Items: []Item{}, Warnings: append([]Warning{}, warnings...), Reminders: opts.Reminders,
		},
	}
	// Colours and titles come of all events, not of the chosen, so that a choice changes no other's.
	b.catalog = catalogOf(events)
	b.colors = assignColors(b.catalog.modules(), opts.Colors)
	for _, e := range chosen {
		b.newest = max(b.newest, e.Year)
	}
	for _, e := range chosen {
		b.addEvent(e)
	}
	b.addExtras()
	return b.finish()
}

// builder gathers the calendar; its missing terms become one error at the end.
type builder struct {
	opts            Options
	terms           map[int]calendarTerms // by the events' year
	newest          int                   // year of the events
	days            *days
	catalog         catalog
	names           map[string]string // event id -> the part of its UID that names it
	colors          map[string]string
	missing         []string
	unnamedSemester bool                // a lecture names no semester, and there are no dates for such
	quarters        map[string][]string // quarter -> ids of the events whose semester stands in
	unknown         map[int]bool        // years of whose lecture days not all is known
	changes         changes
	calendar        Calendar
}

func (b *builder) addEvent(e Event) {
	minutes, problem := readTimes(&e)
	if problem == nil {
		if e.IsRecurring {
			problem = b.addLecture(e, minutes)
		} else {
			problem = b.addDated(e, minutes)
		}
	}
	if problem != nil {
		problem.Message = b.label(e) + " is not in the calendar. " + problem.Message
		problem.Events = []string{e.ID}
		b.calendar.Warnings = append(b.calendar.Warnings, *problem)
	}
}

// clock is a start and an end in minutes of the day; an end after midnight is beyond 1440.
type clock struct{ start, end int }

// examHours is what a written exam lasts when none is printed, as the university's timetable has it.
const examHours = 3

// readTimes reads the event's times. An exam without an end gets the assumed one, marked as an estimate.
func readTimes(e *Event) (clock, *Warning) {
	if e.StartTime == "" {
		return clock{}, &Warning{Code: timetable.NoTime, Message: "It has no time. Look it up in your timetable."}
	}
	start, ok := minutesOf(e.StartTime)
	if !ok {
		return clock{}, &Warning{Code: InvalidTime, Message: fmt.Sprintf("%q is not a time. Look it up in your timetable.", shorten(e.StartTime))}
	}
	if e.EndTime == "" && e.Kind == timetable.Exam {
		end := start + examHours*60
		e.EndTime = hoursAndMinutes(end)
		e.EndTimeEstimated = true
		return clock{start, end}, nil
	}
	if e.EndTime == "" {
		return clock{}, &Warning{Code: timetable.NoTime, Message: "It has no end time. Look it up in your timetable."}
	}
	end, ok := minutesOf(e.EndTime)
	if !ok {
		return clock{}, &Warning{Code: InvalidTime, Message: fmt.Sprintf("%q is not a time. Look it up in your timetable.", shorten(e.EndTime))}
	}
	if end <= start && e.EndTimeEstimated {
		end += 24 * 60 // an estimate may reach past midnight
	}
	if end <= start {
		return clock{}, &Warning{Code: timetable.EndBeforeStart, Message: fmt.Sprintf("Its end, %s, is not after its start, %s. Look it up in your timetable.", e.EndTime, e.StartTime)}
	}
	return clock{start, end}, nil
}

// minutesOf reads HH:MM.
func minutesOf(s string) (int, bool) {
	if t, err := time.Parse("15:04", s); err == nil {
		return t.Hour()*60 + t.Minute(), true
	}
	return 0, false
}

// hoursAndMinutes writes minutes of a day as HH:MM.
func hoursAndMinutes(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60%24, minutes%60) }

// addDated adds a test or an exam. It stands on its printed date whatever day that is: a public
// holiday or recess is worth a look, and no reason to leave out an exam.
func (b *builder) addDated(e Event, at clock) *Warning {
	if e.Date == "" {
		return &Warning{Code: timetable.NoDate, Message: "It has no date. Look it up in your timetable."}
	}
	date, err := ParseDate(e.Date)
	if err != nil {
		return &Warning{Code: InvalidDate, Message: Sentence(err.Error())}
	}
	if date.Year < firstYear || date.Year > lastYear {
		return &Warning{Code: InvalidDate, Message: fmt.Sprintf("%s is not between the years %d and %d. Look up its date in your timetable.", date, firstYear, lastYear)}
	}
	e.Date = date.String()
	item := b.item(e, date.Year)
	item.Start, item.End = date.At(at.start), date.At(at.end)
	if name := b.days.holiday(date); name != "" {
		item.Warnings = append(item.Warnings, Warning{Code: OnPublicHoliday, Message: fmt.Sprintf("%s is a public holiday (%s). Check whether it is held on that day.", date, name)})
	}
	if w := dayMismatch(e, date); w != nil {
		item.Warnings = append(item.Warnings, *w)
	}
	b.addItem(item)
	return nil
}

// dayMismatch warns if the event's day is not that of its date, unless the event already carries that warning.
func dayMismatch(e Event, date Date) *Warning {
	day, ok := weekday(e.Day)
	told := slices.ContainsFunc(e.Warnings, func(w timetable.Warning) bool { return w.Code == timetable.DayMismatch })
	if !ok || told || day == date.Weekday() {
		return nil
	}
	return &Warning{Code: timetable.DayMismatch, Message: fmt.Sprintf("The day is given as %s, but %s is a %s. Check which is right.", day, date, date.Weekday())}
}

// item begins an item of the event. The year in its UID keeps next year's lectures apart from this
// year's: the academic year is a calendar year at this university.
func (b *builder) item(e Event, year int) Item {
	return Item{
		UID:     b.names[e.ID] + "-" + strconv.Itoa(year) + "@schedgen",
		Event:   e,
		Summary: b.label(e),
		Color:   cmp.Or(googleColors[e.ColorID], b.colors[NormalModule(e.Module)]),
	}
}

func (b *builder) addItem(i Item) { b.calendar.Items = append(b.calendar.Items, i) }

func (b *builder) finish() (Calendar, error) {
	if len(b.missing) > 0 || b.unnamedSemester {
		return Calendar{}, b.missingDates()
	}
	for _, quarter := range TermNames() {
		if ids := b.quarters[quarter]; len(ids) > 0 {
			b.calendar.Warnings = append(b.calendar.Warnings, Warning{
				Code:    QuarterDatesUnknown,
				Message: fmt.Sprintf("We do not know the dates of %s. Give them as a term of that name.", quarter),
				Events:  ids,
			})
		}
	}
	b.noteUnknownDays()
	b.warnUnusedChanges()
	if b.calendar.Name == "" {
		b.calendar.Name = nameFor(b.calendar.Items)
	}
	makeUnique(b.calendar.Items)
	clashes, all := findClashes(b.calendar.Items)
	b.calendar.Clashes = clashes
	if !all {
		b.calendar.Warnings = append(b.calendar.Warnings, Warning{
			Code:    MoreClashes,
			Message: "There are more clashes than are listed. Choose your modules and groups to see the others.",
		})
	}
	return b.calendar, nil
}

// makeUnique guards what every calendar program relies on: two items never share a UID, whatever
// ids a caller sent.
func makeUnique(items []Item) {
	seen := make(map[string]bool, len(items))
	for i := range items {
		uid := items[i].UID
		for n := 2; seen[items[i].UID]; n++ {
			items[i].UID = strconv.Itoa(n) + "-" + uid
		}
		seen[items[i].UID] = true
	}
}

// nameFor names a calendar after its kinds.
func nameFor(items []Item) string {
	names := map[timetable.Kind]string{timetable.Lecture: "UP lectures", timetable.Test: "UP tests", timetable.Exam: "UP exams"}
	kinds := make([]timetable.Kind, 0, len(names))
	for _, i := range items {
		if !slices.Contains(kinds, i.Event.Kind) {
			kinds = append(kinds, i.Event.Kind)
		}
	}
	if len(kinds) == 1 {
		return names[kinds[0]]
	}
	return "UP timetable"
}

func weekday(s string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(strings.TrimSpace(s), d.String()) {
			return d, true
		}
	}
	return 0, false
}

package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Change is what a student says of one lecture on one date: it is not held, or at another time or place.
// It holds for that date however often the timetable is uploaded anew. What it leaves empty stays as it is.
type Change struct {
	Event     string `json:"event" most:"500"`               // the lecture's id
	Date      Date   `json:"date"`                           // when it would be held
	Cancelled bool   `json:"cancelled,omitempty"`            // it is not held
	NewDate   Date   `json:"newDate,omitzero"`               // it is held on this day instead, of the same year
	StartTime string `json:"startTime,omitempty" most:"100"` // HH:MM; without EndTime, it lasts as long as ever
	EndTime   string `json:"endTime,omitempty" most:"100"`   // HH:MM
	Venue     string `json:"venue,omitempty" most:"500"`     // where it is held
	Notes     string `json:"notes,omitempty" most:"500"`     // what the student wants to know of it
}

// ExtraClass is a class that no timetable lists, on one date.
type ExtraClass struct {
	Module    string `json:"module" most:"500"`
	Activity  string `json:"activity,omitempty" most:"500"`
	Group     string `json:"group,omitempty" most:"500"`
	Date      Date   `json:"date"`
	StartTime string `json:"startTime" most:"100"`
	EndTime   string `json:"endTime" most:"100"`
	Venue     string `json:"venue,omitempty" most:"500"`
	Notes     string `json:"notes,omitempty" most:"500"`
}

const (
	maxChanges     = 400
	maxExtras      = 200
	maxTextOfClass = 500
)

// changeTexts are what a student says in changes and extra classes.
func (o *Options) changeTexts() []string {
	var texts []string
	for _, c := range o.Changes {
		texts = append(texts, c.Event, c.Venue, c.Notes)
	}
	for _, x := range o.Extra {
		texts = append(texts, x.Module, x.Activity, x.Group, x.Venue, x.Notes)
	}
	return texts
}

// checkChanges refuses changes and extra classes that make no sense.
func (o Options) checkChanges() error {
	if len(o.Changes) > maxChanges {
		return invalid("there are more than %d changes. Send fewer", maxChanges)
	}
	if len(o.Extra) > maxExtras {
		return invalid("there are more than %d extra classes. Send fewer", maxExtras)
	}
	seen := make(map[Change]bool, len(o.Changes))
	for n, c := range o.Changes {
		if err := c.check(); err != nil {
			return invalid("changes[%d]: %v", n, err)
		}
		key := Change{Event: c.Event, Date: c.Date}
		if seen[key] {
			return invalid("changes[%d]: %s is changed twice on %s. Give one change for each date", n, c.Event, c.Date)
		}
		seen[key] = true
	}
	for n, x := range o.Extra {
		if err := x.check(); err != nil {
			return invalid("extra[%d]: %v", n, err)
		}
	}
	return nil
}

func (c Change) check() error {
	switch {
	case c.Event == "" || utf8.RuneCountInString(c.Event) > maxTextOfClass:
		return invalid("no lecture is named. Give its id in event")
	case !c.Date.inBounds():
		return invalid("no date is given. Write the day on which the lecture would be held")
	case !c.NewDate.IsZero() && c.NewDate.Year != c.Date.Year:
		return invalid("newDate is in another year than date. Choose a day of %d", c.Date.Year)
	case c.Cancelled && c != (Change{Event: c.Event, Date: c.Date, Cancelled: true, Notes: c.Notes}):
		return invalid("a cancelled class has no other date, time or venue. Leave these out")
	case !c.Cancelled && c == (Change{Event: c.Event, Date: c.Date}):
		return invalid("it changes nothing. Give cancelled, newDate, startTime, endTime, venue or notes")
	}
	return checkClass(c.StartTime, c.EndTime, c.Venue, c.Notes)
}

func (x ExtraClass) check() error {
	switch {
	case strings.TrimSpace(x.Module+x.Activity) == "":
		return invalid("the class has no module. Add one")
	case !x.Date.inBounds():
		return invalid("the class has no date. Add one")
	case x.StartTime == "" || x.EndTime == "":
		return invalid("the class has no startTime or no endTime. Add both")
	}
	return checkClass(x.StartTime, x.EndTime, x.Venue, x.Notes, x.Module, x.Activity, x.Group)
}

// checkClass refuses times that no clock shows or that run backwards, and text without end.
func checkClass(start, end string, texts ...string) error {
	for _, text := range []string{start, end} {
		if _, ok := minutesOf(text); text != "" && !ok {
			return invalid("%q is not a time. Write times as in \"08:30\"", shorten(text))
		}
	}
	from, _ := minutesOf(start)
	to, _ := minutesOf(end)
	if start != "" && end != "" && to <= from {
		return invalid("it ends at %s, before it starts at %s. Check both times", end, start)
	}
	if slices.ContainsFunc(texts, func(s string) bool { return utf8.RuneCountInString(s) > maxTextOfClass }) {
		return invalid("a text is longer than %d characters. Shorten it", maxTextOfClass)
	}
	return nil
}

func (d Date) inBounds() bool { return d.Year >= firstYear && d.Year <= lastYear }

// changes are the student's, and which of them a class was found for.
type changes struct {
	list []Change
	used []bool
	on   map[Date][]int // places in list
}

func newChanges(list []Change) changes {
	all := changes{list: list, used: make([]bool, len(list)), on: make(map[Date][]int)}
	for n, c := range list {
		all.on[c.Date] = append(all.on[c.Date], n)
	}
	return all
}

// changeOf gives the place of the change of an event on a date, or -1.
func (b *builder) changeOf(e Event, d Date) int {
	for _, n := range b.changes.on[d] {
		if id := b.changes.list[n].Event; id == e.ID || id == b.names[e.ID] {
			return n
		}
	}
	return -1
}

// change makes the item of one date what the student says of it; held is false where it is not held.
func (b *builder) change(item Item, d Date, at clock) (changed Item, held bool) {
	n := b.changeOf(item.Event, d)
	if n < 0 {
		return item, true
	}
	b.changes.used[n] = true
	c := b.changes.list[n]
	if c.Cancelled {
		return item, false
	}
	now := c.clock(at)
	if now.end <= now.start {
		item.Warnings = append(item.Warnings, Warning{Code: timetable.EndBeforeStart, Message: fmt.Sprintf("Your change of %s would end at %s, before the class starts, so its time stays. Check the change.", d, c.EndTime)})
		now = at
	}
	day := d
	if !c.NewDate.IsZero() {
		day = c.NewDate
	}
	if day != d || now.start != at.start {
		item.Remark = joinLines(item.Remark, fmt.Sprintf("Moved from %s, %s.", d.longForm(), hoursAndMinutes(at.start)))
	}
	item.Start, item.End = day.At(now.start), day.At(now.end)
	item.Event.StartTime, item.Event.EndTime = hoursAndMinutes(now.start), hoursAndMinutes(now.end)
	if c.Venue != "" {
		item.Event.Venue, item.Event.Venues, item.Event.Location = c.Venue, []string{c.Venue}, ""
	}
	item.Remark = joinLines(item.Remark, c.Notes)
	return item, true
}

// clock is when the class is held instead. One that only starts at another time lasts as long as ever.
func (c Change) clock(at clock) clock {
	now := at
	if start, ok := minutesOf(c.StartTime); ok {
		now = clock{start, start + at.end - at.start}
	}
	if end, ok := minutesOf(c.EndTime); ok {
		now.end = end
	}
	return now
}

func joinLines(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// warnUnusedChanges warns of changes for which there is no class, once.
func (b *builder) warnUnusedChanges() {
	const most = 5
	var dates []string
	for n, c := range b.changes.list {
		if !b.changes.used[n] {
			dates = append(dates, c.Date.String())
		}
	}
	if len(dates) == 0 {
		return
	}
	b.calendar.Warnings = append(b.calendar.Warnings, Warning{
		Code:    ChangeUnused,
		Message: fmt.Sprintf("%d of your changes have no class to change (%s). Check the lecture and the date of each.", len(dates), joinNames(dates[:min(most, len(dates))])),
	})
}

// addExtras adds the student's own classes.
func (b *builder) addExtras() {
	if len(b.opts.Extra) == 0 {
		return
	}
	modules := make([]string, 0, len(b.opts.Extra))
	for _, x := range b.opts.Extra {
		modules = append(modules, NormalModule(x.Module))
	}
	colors := assignColors(modules, b.colors) // the timetable's modules keep theirs
	taken := make(map[string]bool)
	for _, x := range b.opts.Extra {
		e := x.event()
		e.ID = freeID(e, func(id string) bool { return taken[id] })
		taken[e.ID] = true
		from, _ := minutesOf(x.StartTime)
		to, _ := minutesOf(x.EndTime)
		b.addItem(Item{
			UID: e.ID + "-" + strconv.Itoa(x.Date.Year) + "@schedgen", Event: e, Summary: b.label(e), Color: colors[NormalModule(x.Module)],
			Start: x.Date.At(from), End: x.Date.At(to), Remark: "An extra class that you added.",
		})
	}
}

// event is the class as an event: a lecture with a date, which no timetable has.
func (x ExtraClass) event() Event {
	e := Event{
		Kind: timetable.Lecture, Module: NormalModule(x.Module), Activity: cmp.Or(strings.TrimSpace(x.Activity), "Extra class"), Group: normalGroup(x.Group),
		Date: x.Date.String(), StartTime: x.StartTime, EndTime: x.EndTime, Venue: x.Venue, Venues: distinct(nil, []string{x.Venue}), Notes: x.Notes,
	}
	return e
}

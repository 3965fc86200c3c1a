package calendar

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/schedgen/schedgen/shared/timetable"
)

// ZoneName is the IANA name of [Zone], as calendars name it.
const ZoneName = "Africa/Johannesburg"

const (
	localTime = "20060102T150405"
	utcTime   = "20060102T150405Z"
)

// Recurrence gives the item's RRULE and EXDATE lines of RFC 5545, unfolded; none for an item that
// happens once. UNTIL is in UTC, for the start has a zone (section 3.3.10), and each EXDATE has the
// start's zone and time of day, for it excludes nothing otherwise. There is one EXDATE a line: some
// programs read only the first of a list.
func (i Item) Recurrence() []string {
	if i.Until.IsZero() {
		return nil
	}
	lines := make([]string, 0, 1+len(i.Excluded))
	lines = append(lines, "RRULE:FREQ=WEEKLY;UNTIL="+i.Until.UTC().Format(utcTime))
	for _, t := range i.Excluded {
		lines = append(lines, "EXDATE;TZID="+ZoneName+":"+t.In(Zone).Format(localTime))
	}
	return lines
}

// Location is where the item happens: where its caller says, its rooms, or at least the campus.
func (i Item) Location() string { return cmp.Or(i.Event.Location, i.Event.Venue, i.Event.Campus) }

// Tentative tells a paper that is not final yet from one that is.
func (i Item) Tentative() bool {
	e := i.Event
	return e.Kind == timetable.Exam && e.Status != "" && !strings.EqualFold(e.Status, "FINAL")
}

// Description writes everything the timetable says of the item that has no property of its own.
func (i Item) Description() string {
	e := i.Event
	var b strings.Builder
	for _, field := range [][2]string{
		{"Module", e.Module}, {"Activity", e.Activity}, {"Group", e.Group}, {"Semester", e.Semester},
		{"Test", e.Test}, {"Paper", e.Paper}, {"Status", e.Status},
		{venueText(e), e.Venue}, {"Campus", e.Campus}, {"Module campus", e.ModuleCampus},
		{"Language", e.Lang}, {"Study programme", e.StudyProg}, {"Notes", e.Notes},
	} {
		if field[1] != "" && !(field[0] == "Test" && e.Test == e.Activity) {
			fmt.Fprintf(&b, "%s: %s\n", field[0], field[1])
		}
	}
	if e.EndTimeEstimated {
		b.WriteString("The end time is an estimate: the timetable does not print one.\n")
	}
	if i.Remark != "" {
		fmt.Fprintln(&b, i.Remark)
	}
	for _, w := range e.Warnings {
		fmt.Fprintf(&b, "Please check: %s (page %d, row %d)\n", w.Message, w.Page, w.Row)
	}
	for _, w := range i.Warnings {
		fmt.Fprintf(&b, "Please check: %s\n", w.Message)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func venueText(e Event) string {
	if len(e.Venues) > 1 {
		return "Rooms"
	}
	return "Room"
}

// Year is the academic year of the item, which is the one that it happens in.
func (i Item) Year() int { return i.Start.In(Zone).Year() }

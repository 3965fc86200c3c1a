package plan

import (
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// ScopeOf is the scope of an event in a calendar, from the scope written in it and its start. Scopes
// were once kinds and years alone ("exam/2026"): there the part is that of the event's date, as it is for all
// but lectures of year modules.
func ScopeOf(written, start string) string {
	kind, year, _ := strings.Cut(written, "/")
	date, err := calendar.ParseDate(start)
	if strings.Contains(year, "/") || year == "" || err != nil {
		return written
	}
	e := calendar.Event{Kind: timetable.Kind(kind), Date: date.String()}
	if e.Kind == timetable.Lecture {
		e.Date, e.Semester = "", "S1" // a lecture with a date is an extra class
		if date.Month > time.June {
			e.Semester = "S2"
		}
	}
	scope, _ := calendar.ScopeOf(e, date.Year, nil)
	return scope.String()
}

// past reports whether the event is a test or an exam that ended before now.
func (e Existing) past(now time.Time) bool {
	if kind, _, _ := strings.Cut(e.Scope, "/"); kind == string(timetable.Lecture) {
		return false
	}
	if end, err := time.Parse(time.RFC3339, e.Fields.Time.End); err == nil {
		return end.Before(now)
	}
	end, err := calendar.ParseDate(e.Fields.Time.End)
	return err == nil && end.At(0).Before(now)
}

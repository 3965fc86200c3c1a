package calendar

import (
	"cmp"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Event is what a calendar shows: one or more printed rows that are one meeting, in the form in
// which the API gives and takes it. A lecture has a Day and recurs in its Semester; a test or an
// exam has a Date. An Event may lack what a calendar needs (see its Warnings): it is still listed.
type Event struct {
	ID               string              `json:"id"`                            // stable, see Events
	Kind             timetable.Kind      `json:"kind" most:"100"`               // lecture, test or exam
	Module           string              `json:"module"`                        // "COS 214"
	Activity         string              `json:"activity"`                      // "L1"; tests: "PTest 1"; exams: "Exam Written"
	Group            string              `json:"group"`                         // lectures: G01, P01...
	Day              string              `json:"day,omitempty" most:"100"`      // English weekday
	Date             string              `json:"date,omitempty" most:"100"`     // YYYY-MM-DD
	StartTime        string              `json:"startTime" most:"100"`          // HH:MM in Zone
	EndTime          string              `json:"endTime" most:"100"`            // HH:MM in Zone
	EndTimeEstimated bool                `json:"endTimeEstimated"`              // the PDF prints no end
	Venue            string              `json:"venue"`                         // Venues, joined by "; "
	Venues           []string            `json:"venues"`                        // in printed order; never nil
	IsRecurring      bool                `json:"isRecurring"`                   // lectures recur weekly
	Semester         string              `json:"semester,omitempty" most:"100"` // S1, S2, Q1..Q4, Y
	Campus           string              `json:"campus,omitempty"`              // where it is held
	ModuleCampus     string              `json:"moduleCampus,omitempty"`        // exams: the module's campus
	Lang             string              `json:"lang,omitempty"`                // "E L"
	StudyProg        string              `json:"studyProg,omitempty"`           // study programme
	Test             string              `json:"test,omitempty"`                // tests: "PTest 1"
	Paper            string              `json:"paper,omitempty"`               // exams: "1"
	Status           string              `json:"status,omitempty"`              // exams: "FINAL"
	Notes            string              `json:"notes,omitempty"`               // exams: the printed comments; else a person's own
	Summary          string              `json:"summary,omitempty"`             // a caller's own title, instead of one made of Module and Activity
	Location         string              `json:"location,omitempty"`            // a caller's own place, instead of Venue
	ColorID          string              `json:"colorId,omitempty" most:"100"`  // a caller's own colour, by Google's id: "1" to "11"
	Warnings         []timetable.Warning `json:"warnings,omitempty"`            // what a person should look at

	Year int `json:"-"` // the academic year, where [Merge] says it; else that of [Options]
}

// Events gives a document's events in reading order. Rows of the same module, group, activity, day
// and time are one event in several rooms; rows of different groups are never merged, for a student
// takes one of them. A row that lacks its day, date or time is an event of its own.
//
// Each event's id is made of what it is (module, term, group, activity, test, paper), not of when
// and where, so that moving a lecture keeps its id. Only where that names several events are their
// days, then their times, then their order added.
func Events(doc timetable.Document) []Event {
	events := make([]Event, 0, len(doc.Entries))
	seen := make(map[meeting]int, len(doc.Entries))
	for _, entry := range doc.Entries {
		event := eventOf(doc.Kind, entry)
		key, whole := meetingOf(event)
		if at, ok := seen[key]; ok && whole {
			events[at].join(event)
			continue
		}
		if whole {
			seen[key] = len(events)
		}
		events = append(events, event)
	}
	for i := range events {
		events[i].Venue = strings.Join(events[i].Venues, venueSeparator)
	}
	setIDs(events)
	return events
}

// venueSeparator is not a comma, because one printed venue may hold commas: "CBT Labs 1,2,3".
const venueSeparator = "; "

// eventOf turns one row into an event of its own.
func eventOf(kind timetable.Kind, e timetable.Entry) Event {
	activity := e.Activity
	if activity == "" {
		activity = e.Test
	}
	return Event{
		Kind: kind, Module: e.Module, Activity: activity, Group: e.Group,
		Day: e.Day, Date: e.Date, StartTime: e.StartTime, EndTime: e.EndTime,
		EndTimeEstimated: e.EndTimeEstimated, Venues: distinct(nil, e.Venues),
		IsRecurring: kind == timetable.Lecture, Semester: e.Offered, Campus: e.Campus,
		ModuleCampus: e.ModuleCampus, Lang: e.Lang, StudyProg: e.StudyProg, Test: e.Test,
		Paper: e.Paper, Status: e.Status, Notes: e.Comments, Warnings: slices.Clone(e.Warnings),
	}
}

// meeting is what rows of one event have in common.
type meeting struct {
	kind                                                                  timetable.Kind
	module, semester, group, activity, test, paper, day, date, start, end string
}

// meetingOf gives the event's meeting, and whether enough is known to merge it with others: two
// rows without a time may or may not be one meeting.
func meetingOf(e Event) (meeting, bool) {
	when := e.Day
	if !e.IsRecurring {
		when = e.Date
	}
	whole := e.Module != "" && when != "" && e.StartTime != "" && e.EndTime != ""
	return meeting{e.Kind, e.Module, e.Semester, e.Group, e.Activity, e.Test, e.Paper,
		e.Day, e.Date, e.StartTime, e.EndTime}, whole
}

// join adds the rooms and remarks of another row of the same meeting.
func (e *Event) join(other Event) {
	e.Venues = distinct(e.Venues, other.Venues)
	e.Campus = joinText(e.Campus, other.Campus)
	e.ModuleCampus = joinText(e.ModuleCampus, other.ModuleCampus)
	e.Lang = joinText(e.Lang, other.Lang)
	e.StudyProg = joinText(e.StudyProg, other.StudyProg)
	e.Status = joinText(e.Status, other.Status)
	e.Notes = joinText(e.Notes, other.Notes)
	e.Location = joinText(e.Location, other.Location)
	e.ColorID = cmp.Or(e.ColorID, other.ColorID)
	e.EndTimeEstimated = e.EndTimeEstimated || other.EndTimeEstimated
	e.Warnings = append(e.Warnings, other.Warnings...)
}

// joinText keeps both texts where they differ.
func joinText(a, b string) string {
	switch {
	case b == "" || a == b || slices.Contains(strings.Split(a, venueSeparator), b):
		return a
	case a == "":
		return b
	}
	return a + venueSeparator + b
}

// distinct appends to have what it does not hold yet; it never gives nil.
func distinct(have, more []string) []string {
	if have == nil {
		have = []string{}
	}
	for _, s := range more {
		if s != "" && !slices.Contains(have, s) {
			have = append(have, s)
		}
	}
	return have
}

// Package timetable is the domain: what a University of Pretoria timetable PDF says, as values.
// It does no I/O and imports nothing of ours, so that every part of schedgen can speak it.
package timetable

// Kind is which of the university's three timetables a document is.
type Kind string

// The kinds of timetable, as they are written in JSON.
const (
	Lecture Kind = "lecture"
	Test    Kind = "test"
	Exam    Kind = "exam"
)

// Document is one timetable as it was printed: its kind and its rows in reading order.
type Document struct {
	Kind    Kind    `json:"type"`
	Entries []Entry `json:"entries"`
}

// Entry is one printed row. A field that the row's kind does not have, or that is printed empty, is
// the zero value. Values that make no sense are never dropped or mended in silence. Day, Date,
// StartTime and EndTime hold what they say or nothing: a printed text that is no day, date or time
// is told in Warnings. All other fields are the printed text, and Warnings tell of a Module that
// is no module code and an Offered that is no term.
type Entry struct {
	Module           string    `json:"module"`             // "COS 214"
	Offered          string    `json:"offered"`            // lectures: S1, S2, Q1..Q4 or Y
	Group            string    `json:"group"`              // lectures: G01, P01, T01...
	Lang             string    `json:"lang"`               // lectures: "E L"
	Activity         string    `json:"activity"`           // "L1"; exams: "Exam Written"
	Day              string    `json:"day"`                // English weekday: "Monday"
	Date             string    `json:"date"`               // YYYY-MM-DD; tests and exams
	StartTime        string    `json:"startTime"`          // HH:MM, Africa/Johannesburg
	EndTime          string    `json:"endTime"`            // HH:MM, Africa/Johannesburg
	EndTimeEstimated bool      `json:"endTimeEstimated"`   // the PDF prints no end (exams)
	Venues           []string  `json:"venues"`             // in printed order; never nil
	Campus           string    `json:"campus"`             // exams: the exam's campus
	ModuleCampus     string    `json:"moduleCampus"`       // exams
	StudyProg        string    `json:"studyProg"`          // lectures
	Test             string    `json:"test"`               // tests: "PTest 1"
	Paper            string    `json:"paper"`              // exams: "1"
	Status           string    `json:"status"`             // exams: "FINAL"
	Comments         string    `json:"comments"`           // exams
	Page             int       `json:"page"`               // 1-based page the row begins on
	Warnings         []Warning `json:"warnings,omitempty"` // what a person should look at
}

// Printed returns the values of the entry, in the order of its fields; the venues come last.
func (e *Entry) Printed() []string {
	return append([]string{
		e.Module, e.Offered, e.Group, e.Lang, e.Activity, e.Day, e.Date, e.StartTime, e.EndTime, e.Campus, e.ModuleCampus,
		e.StudyProg, e.Test, e.Paper, e.Status, e.Comments,
	}, e.Venues...)
}

// Warning says what is doubtful about one row and where it is printed.
type Warning struct {
	Code    string `json:"code"`                // stable, e.g. NO_TIME
	Message string `json:"message"`             // one sentence for people
	Page    int    `json:"page" most:"1000000"` // 1-based
	Row     int    `json:"row" most:"1000000"`  // 1-based among the page's printed rows, header excluded
}

// The codes of warnings.
const (
	NoModule            = "NO_MODULE"            // a row without a readable module code
	NoTime              = "NO_TIME"              // no time, or one that cannot be read
	EndBeforeStart      = "END_BEFORE_START"     // the time range runs backwards
	NoDay               = "NO_DAY"               // a lecture without a readable weekday
	NoDate              = "NO_DATE"              // a test or exam without a readable date
	DayMismatch         = "DAY_MISMATCH"         // the printed day is not the printed date's weekday
	VenueWrap           = "VENUE_WRAP"           // a venue line that may belong to the line before it
	UnknownTerm         = "UNKNOWN_TERM"         // Offered is none of S1, S2, Q1..Q4, Y
	StrayText           = "STRAY_TEXT"           // text inside the table that no column claims
	PageIncomplete      = "PAGE_INCOMPLETE"      // a page, or the one after the entry, that could not be read in full
	UncertainVisibility = "UNCERTAIN_VISIBILITY" // text of which it is not certain that a reader sees all of it
	UnusualValue        = "UNUSUAL_VALUE"        // a value that is not like the others of its column, or stands or looks unlike them, or is missing
	UnreadableText      = "UNREADABLE_TEXT"      // text of which the PDF does not say for sure what it shows
)

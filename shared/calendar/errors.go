package calendar

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The codes of an [Error].
const (
	MissingSemesterDates = "MISSING_SEMESTER_DATES" // lectures recur in a term whose dates are not known
	UnknownGroup         = "UNKNOWN_GROUP"          // a choice names a group that the timetable does not have
	UnknownModule        = "UNKNOWN_MODULE"         // a choice names a module that the timetable does not have
	NothingLeft          = "NOTHING_LEFT"           // no event can be placed in a calendar
	InvalidOptions       = "INVALID_OPTIONS"        // an option makes no sense
)

// Error is what a caller can put right by asking differently.
type Error struct {
	Code    string
	Message string // for people, as a fragment that [Sentence] completes
	Details any    // what exists, for a program that offers a choice
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// Sentence begins with a capital and ends with a full stop.
func Sentence(s string) string {
	if s == "" {
		return s
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[size:], ".") + "."
}

func invalid(format string, args ...any) error {
	return &Error{Code: InvalidOptions, Message: fmt.Sprintf(format, args...)}
}

// The codes of a [Warning], besides those of timetable.Warning.
const (
	InvalidDate         = "INVALID_DATE"          // a date that no calendar has
	InvalidTime         = "INVALID_TIME"          // a time that no clock shows
	InvalidDay          = "INVALID_DAY"           // not a weekday's name
	QuarterDatesUnknown = "QUARTER_DATES_UNKNOWN" // the whole semester stands in for a quarter
	AllExcluded         = "ALL_EXCLUDED"          // holidays and recess leave no date
	NotInTerm           = "NOT_IN_TERM"           // the term has no such weekday
	OnPublicHoliday     = "ON_PUBLIC_HOLIDAY"     // a test or exam on a public holiday
	ChangeUnused        = "CHANGE_UNUSED"         // a student's change names no class of that date
	MoreClashes         = "MORE_CLASHES"          // too many clashes to list
)

// Warning is what a person should check, and in which events.
type Warning struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Events  []string `json:"events,omitempty"` // ids
}

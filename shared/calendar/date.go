package calendar

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Zone is Africa/Johannesburg. South Africa has kept UTC+02:00 without daylight saving since 1944,
// so a fixed zone is exact and needs no time zone database in the image.
var Zone = time.FixedZone("Africa/Johannesburg", 2*60*60)

// Date is a day of the calendar, without a time or a zone. The zero Date is no date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf gives the day that t falls on in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads YYYY-MM-DD. It also takes an RFC 3339 timestamp, which browsers make of dates
// (midnight in South Africa becomes 22:00Z of the day before), and gives its day in [Zone].
func ParseDate(s string) (Date, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
		return DateOf(t), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil && t.In(Zone).Year() > 0 && t.In(Zone).Year() < 10000 {
		return DateOf(t.In(Zone)), nil
	}
	return Date{}, invalid("%q is not a date. Write dates as in 2026-02-09", shorten(s))
}

// String writes the date as YYYY-MM-DD, and the zero Date as nothing.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays gives the date n days later.
func (d Date) AddDays(n int) Date { return DateOf(d.utc().AddDate(0, 0, n)) }

// DaysUntil counts the days from d to e; it is negative when e is earlier.
func (d Date) DaysUntil(e Date) int { return int(e.utc().Sub(d.utc()) / (24 * time.Hour)) }

// Weekday gives the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.utc().Before(e.utc()) }

// At gives the moment at which the given number of minutes have passed of that day in [Zone].
func (d Date) At(minutes int) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, minutes, 0, 0, Zone)
}

// MarshalText writes the date as YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDate] reads; empty text is the zero Date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Range is a run of days, both ends included: a term or a recess.
type Range struct {
	Start Date   `json:"start"`
	End   Date   `json:"end"`
	Name  string `json:"name,omitempty" most:"200"`
}

// ParseRange reads "2026-02-09..2026-05-22". One date alone is refused: of a term whose end was forgotten
// nearly every lecture would be missing, without a warning.
func ParseRange(s string) (Range, error) {
	from, to, found := strings.Cut(s, "..")
	start, err := ParseDate(strings.TrimSpace(from))
	if err != nil {
		return Range{}, err
	}
	if !found {
		return Range{}, invalid("%s has no end. Write a range as in 2026-02-09..2026-05-22", start)
	}
	end, err := ParseDate(strings.TrimSpace(to))
	if err != nil {
		return Range{}, err
	}
	r := Range{Start: start, End: end}
	return r, r.check()
}

// ParseDays reads what [ParseRange] reads, or one date as a range of that day: a holiday.
func ParseDays(s string) (Range, error) {
	if strings.Contains(s, "..") {
		return ParseRange(s)
	}
	day, err := ParseDate(strings.TrimSpace(s))
	return Range{Start: day, End: day}, err
}

// Contains reports whether d is one of the range's days.
func (r Range) Contains(d Date) bool { return !d.Before(r.Start) && !r.End.Before(d) }

// semester is the semester in whose half of the year the range lies, or Y where it is longer than a semester.
func (r Range) semester() string {
	const longerThanASemester = 190 // days
	days := r.Start.DaysUntil(r.End)
	switch {
	case days > longerThanASemester:
		return "Y"
	case r.Start.AddDays(days/2).Month > 6:
		return "S2"
	}
	return "S1"
}

// String writes the range as [ParseDays] reads it.
func (r Range) String() string {
	if r.Start == r.End {
		return r.Start.String()
	}
	return r.Start.String() + ".." + r.End.String()
}

// plainRange is a Range in its object form.
type plainRange Range

// JSONForms are the two ways to write a range, see package strictjson.
func (Range) JSONForms() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[plainRange]()}
}

// UnmarshalJSON takes an object {"start","end","name"} or a string as [ParseRange] reads it.
func (r *Range) UnmarshalJSON(data []byte) error {
	read, err := decodeRange(data, ParseRange)
	if err != nil {
		return err
	}
	*r = read
	return r.check()
}

// decodeRange reads an object, which may lack what a range needs, or text.
func decodeRange(data []byte, parse func(string) (Range, error)) (Range, error) {
	if len(data) > 0 && data[0] == '"' {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return Range{}, fmt.Errorf("read a date range: %w", err)
		}
		return parse(s)
	}
	var p plainRange
	if err := json.Unmarshal(data, &p); err != nil {
		return Range{}, fmt.Errorf("read a date range: %w", err)
	}
	return Range(p), nil
}

// Days are ranges of which each may be a single day, as in a list of holidays.
type Days []Range

// JSONForms is a list of ranges, see package strictjson.
func (Days) JSONForms() []reflect.Type { return []reflect.Type{reflect.TypeFor[[]Range]()} }

// UnmarshalJSON takes a list of objects {"start","end","name"}, without an end for one day, and of
// strings as [ParseDays] reads them.
func (d *Days) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("read a list of days: %w", err)
	}
	days := make(Days, 0, len(list))
	for _, item := range list {
		r, err := decodeRange(item, ParseDays)
		if err != nil {
			return err
		}
		if r.End.IsZero() {
			r.End = r.Start
		}
		if err := r.check(); err != nil {
			return err
		}
		days = append(days, r)
	}
	*d = days
	return nil
}

// check refuses what is no range: a missing start, or an end before it.
func (r Range) check() error {
	if r.Start.IsZero() || r.End.IsZero() {
		return invalid("a date range has no start or no end. Give both")
	}
	if r.End.Before(r.Start) {
		return invalid("the date range %s..%s ends before it starts. Check both dates", r.Start, r.End)
	}
	return nil
}

// shorten keeps what a caller sent short enough to be told back.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

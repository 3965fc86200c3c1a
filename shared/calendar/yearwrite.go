package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// yearForm is an academic year as its file has it.
type yearForm struct {
	Origin
	Note          string         `json:"note,omitempty"`
	Covers        string         `json:"covers"`
	Terms         map[string]any `json:"terms,omitempty"`
	Recess        []any          `json:"recess,omitzero"`
	NoLectures    []any          `json:"noLectures,omitzero"`
	Follows       map[string]any `json:"follows,omitzero"`
	Tests         []any          `json:"tests,omitzero"`
	Examinations  []any          `json:"examinations,omitzero"`
	Supplementary []any          `json:"supplementary,omitzero"`
}

// MarshalJSON writes the year in the form of its file: a [Years] in JSON is what [ParseYears] reads.
func (y AcademicYear) MarshalJSON() ([]byte, error) {
	form := yearForm{
		Origin: y.Origin, Note: y.Note, Covers: y.Covers.String(), Recess: y.items(y.Recess), NoLectures: y.items(y.NoLectures),
		Tests: y.items(y.Tests), Examinations: y.items(y.Examinations), Supplementary: y.items(y.Supplementary),
	}
	if y.Terms != nil {
		form.Terms = make(map[string]any, len(y.Terms))
	}
	for name, term := range y.Terms {
		form.Terms[name] = y.item(term)
	}
	if y.Follows != nil {
		form.Follows = make(map[string]any, len(y.Follows))
	}
	for _, swap := range y.Follows {
		form.Follows[swap.Date.String()] = y.swap(swap)
	}
	data, err := json.Marshal(form)
	if err != nil {
		return nil, fmt.Errorf("write the academic year %d: %w", y.Year, err)
	}
	return data, nil
}

func (y AcademicYear) items(list []Period) []any {
	if list == nil {
		return nil
	}
	items := make([]any, len(list))
	for i, p := range list {
		items[i] = y.item(p)
	}
	return items
}

// item is a period in the shortest form that says all of it.
func (y AcademicYear) item(p Period) any {
	if p.Name == "" && p.Origin == y.Origin {
		return p.Range().String()
	}
	return p
}

func (y AcademicYear) swap(s Swap) any {
	if s.Name == "" && s.Origin == y.Origin {
		return s.Weekday.String()
	}
	return struct {
		Weekday string `json:"weekday"`
		Name    string `json:"name,omitempty"`
		Origin
	}{s.Weekday.String(), s.Name, s.Origin}
}

// Fingerprint names what the year does to calendars: it stays the same where only a source, a check or a
// note changed. That of a year that is not known is empty.
func (y AcademicYear) Fingerprint() string {
	if y.Year == 0 {
		return ""
	}
	y.Origin, y.Note = Origin{}, ""
	terms := make(map[string]Period, len(y.Terms))
	for name, term := range y.Terms {
		term.Origin = Origin{}
		terms[name] = term
	}
	y.Terms = terms
	for _, list := range []*[]Period{&y.Recess, &y.NoLectures, &y.Tests, &y.Examinations, &y.Supplementary} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Origin = Origin{}
		}
	}
	y.Follows = slices.Clone(y.Follows)
	for i := range y.Follows {
		y.Follows[i].Origin = Origin{}
	}
	data, err := y.MarshalJSON()
	if err != nil {
		panic(err) // dates and texts can always be written
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Suggest gives the days of the year in which the term lay in the newest other year that has it, moved by
// whole weeks: the same ISO weeks and days of the week. A quarter's come from the year that its semester's come
// from, or there are none. It is a guess for people to correct, and nothing else may use it.
func (y Years) Suggest(year int, term string) (suggested Range, from int, ok bool) {
	semester := term
	if outer := semestersOf[term]; len(outer) == 1 {
		semester = outer[0]
	}
	for _, from := range slices.Backward(y.Numbers()) {
		_, has := y[from].Terms[semester]
		if !has || from == year {
			continue
		}
		p, has := y[from].Terms[term]
		if year == 0 {
			return Range{Start: p.Start, End: p.End}, from, has
		}
		r := Range{Start: sameWeek(p.Start, year), End: sameWeek(p.End, year)}
		return r, from, has && r.Start.Year == year && r.End.Year == year && !r.End.Before(r.Start)
	}
	return Range{}, 0, false
}

// semestersOf are the semesters whose dates do where those of a term are not known; "" is of no term.
var semestersOf = map[string][]string{"Q1": {"S1"}, "Q2": {"S1"}, "Q3": {"S2"}, "Q4": {"S2"}, "Y": {"S1", "S2"}, "": {"S1", "S2"}}

// sameWeek gives the day of another year with the ISO week and the weekday of d.
func sameWeek(d Date, year int) Date {
	_, week := d.utc().ISOWeek()
	if _, last := (Date{year, time.December, 28}).utc().ISOWeek(); week > last {
		week = last
	}
	first := Date{year, time.January, 4} // always in week 1
	monday := first.AddDays(-isoDay(first))
	return monday.AddDays(7*(week-1) + isoDay(d))
}

// isoDay counts from Monday, as ISO 8601 does.
func isoDay(d Date) int { return (int(d.Weekday()) + 6) % 7 }

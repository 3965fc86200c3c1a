package calendargenerate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/years"
)

// yearAnswer is an academic year as callers see it. A list is empty where there are no such days and where
// they are not known; unknown lists the latter.
type yearAnswer struct {
	Year           int                        `json:"year"`
	From           years.Origin               `json:"from"` // database, file or shipped
	Unknown        []string                   `json:"unknown"`
	Note           string                     `json:"note,omitempty"`
	Covers         calendar.Range             `json:"covers"`
	Terms          map[string]calendar.Period `json:"terms"`
	Recess         []calendar.Period          `json:"recess"`
	NoLectures     []calendar.Period          `json:"noLectures"`
	Follows        []swapAnswer               `json:"follows"`
	Tests          []calendar.Period          `json:"tests"`
	Examinations   []calendar.Period          `json:"examinations"`
	Supplementary  []calendar.Period          `json:"supplementary"`
	PublicHolidays []holidayAnswer            `json:"publicHolidays"` // computed from the law
	calendar.Origin
}

// swapAnswer is a day on which another weekday's lectures are held.
type swapAnswer struct {
	Date    calendar.Date `json:"date"`
	Weekday string        `json:"weekday"`
	Name    string        `json:"name,omitempty"`
	calendar.Origin
}

type holidayAnswer struct {
	Date calendar.Date `json:"date"`
	Name string        `json:"name"`
}

// yearList is the answer to GET /api/years.
type yearList struct {
	Years []yearListed `json:"years"` // the oldest first
}

type yearListed struct {
	Year    int          `json:"year"`
	From    years.Origin `json:"from"`
	Unknown []string     `json:"unknown"`
	calendar.Origin
}

// listYears answers GET /api/years: the academic years that are known.
func (f *Function) listYears(w http.ResponseWriter, r *http.Request) {
	known := f.years.Snapshot(r.Context())
	list := yearList{Years: []yearListed{}}
	for _, number := range known.Numbers() {
		y := known.Years[number]
		list.Years = append(list.Years, yearListed{Year: number, From: known.Origins[number], Unknown: y.Unknown(), Origin: y.Origin})
	}
	writeCacheable(w, r, list)
}

// showYear answers GET /api/years/{year}. For a year that is not entered it suggests the dates of another
// year's pattern, marked as suggestions.
func (f *Function) showYear(w http.ResponseWriter, r *http.Request) {
	known := f.years.Snapshot(r.Context())
	number, err := strconv.Atoi(r.PathValue("year"))
	if err != nil || number < 1000 || number > 9999 {
		api.WriteError(w, r, api.New(api.NotFound))
		return
	}
	y, ok := known.Years[number]
	if !ok {
		api.WriteError(w, r, api.New(api.YearNotFound, map[string]any{
			"year": number, "suggestions": known.Suggestions(number, calendar.TermNames()),
		}))
		return
	}
	writeCacheable(w, r, answerOf(y, known.Origins[number]))
}

func answerOf(y calendar.AcademicYear, from years.Origin) yearAnswer {
	answer := yearAnswer{
		Year: y.Year, From: from, Unknown: y.Unknown(), Note: y.Note, Covers: y.Covers, Origin: y.Origin,
		Terms: make(map[string]calendar.Period), Recess: listOf(y.Recess), NoLectures: listOf(y.NoLectures), Follows: []swapAnswer{},
		Tests: listOf(y.Tests), Examinations: listOf(y.Examinations), Supplementary: listOf(y.Supplementary), PublicHolidays: []holidayAnswer{},
	}
	maps.Copy(answer.Terms, y.Terms)
	for _, s := range y.Follows {
		answer.Follows = append(answer.Follows, swapAnswer{s.Date, s.Weekday.String(), s.Name, s.Origin})
	}
	for date, name := range calendar.PublicHolidays(y.Year) {
		answer.PublicHolidays = append(answer.PublicHolidays, holidayAnswer{date, name})
	}
	slices.SortFunc(answer.PublicHolidays, func(a, b holidayAnswer) int { return b.Date.DaysUntil(a.Date) })
	return answer
}

func listOf(periods []calendar.Period) []calendar.Period {
	return append([]calendar.Period{}, periods...)
}

// writeCacheable answers with what is the same for everybody, for as long as an imported year may take to be seen.
func writeCacheable(w http.ResponseWriter, r *http.Request, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		api.WriteError(w, r, fmt.Errorf("encode the academic years: %w", err))
		return
	}
	sum := sha256.Sum256(body)
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	header.Set("Cache-Control", "public, max-age=60")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(body, '\n')))
}

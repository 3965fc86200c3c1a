package calendargenerate

import (
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
)

// What the first frontend sends of an event, and around it. Its ids are random.
const (
	itsPractical = `{"id":"3f2b9c9e-4e0b-4df1-9b62-0c2f5a8e7d11","summary":"COS 226 Practical (P01)","location":"Netlab 2","startTime":"11:30","endTime":"14:20","day":"Tuesday","isRecurring":true,"colorId":"2","notes":"room has no plugs"}`
	itsTest      = `{"id":"3f2b9c9e-4e0b-4df1-9b62-0c2f5a8e7d12","summary":"WTW 285 Semester Test 2","location":"Exam Hall","startTime":"17:30","endTime":"19:30","date":"2026-09-04T00:00:00.000Z","isRecurring":false,"colorId":"10"}`
	itsSemester  = `"semesterStart":"2026-07-20","semesterEnd":"2026-10-23"`
)

// TestFirstFrontendsEventsArriveInTheFile: title, place, colour and note, of weekly and of dated events, under
// UIDs that its random ids do not change.
func TestFirstFrontendsEventsArriveInTheFile(t *testing.T) {
	t.Parallel()
	f := newFunction(t, nowhere)
	var err error
	if f.origins, err = api.NewOrigins("https://timetable.example.org"); err != nil { // TRUSTED_ORIGINS
		t.Fatal(err)
	}
	file := func(body string) string {
		t.Helper()
		return answered(t, call(t, f, "POST", "/api/generate/ics", body, "Accept", axios, "Origin", "https://timetable.example.org"), 200)
	}
	mixed := file(`{"events":[` + itsPractical + `,` + itsTest + `],` + itsSemester + `,"pdfType":"lecture"}`)
	for _, want := range []string{
		"SUMMARY:COS 226 Practical (P01)\r\n", "LOCATION:Netlab 2\r\n", "COLOR:mediumseagreen\r\n", "DESCRIPTION:Notes: room has no plugs\r\n",
		"DTSTART;TZID=Africa/Johannesburg:20260721T113000\r\n", "RRULE:FREQ=WEEKLY;",
		"SUMMARY:WTW 285 Semester Test 2\r\n", "LOCATION:Exam Hall\r\n", "COLOR:seagreen\r\n", "DTSTART;TZID=Africa/Johannesburg:20260904T173000\r\n",
	} {
		if strings.Count(mixed, want) != 1 {
			t.Errorf("want %q once in:\n%s", want, mixed)
		}
	}
	if strings.Contains(mixed, "Unknown") || strings.Contains(mixed, "Please check") {
		t.Errorf("it doubts what was sent:\n%s", mixed)
	}
	again := file(`{"events":[` + strings.NewReplacer("3f2b9c9e", "a1b2c3d4", "Exam Hall", "Rautenbach Hall", `"10"`, `"11"`).Replace(itsTest+`,`+itsPractical) +
		`],` + itsSemester + `,"pdfType":"lecture"}`)
	if got, want := uidsOf(again), uidsOf(mixed); len(want) != 2 || got[0] != want[1] || got[1] != want[0] {
		t.Errorf("in another order, with other ids, another room and colour the UIDs are %q, want those of %q", got, want)
	}
	weekly := file(`{"events":[` + itsPractical + `],` + itsSemester + `,"pdfType":"test"}`)
	if got := uidsOf(weekly); len(got) != 1 || got[0] != uidsOf(mixed)[0] || !strings.Contains(weekly, "RRULE") {
		t.Errorf("a weekly event among tests became:\n%s", weekly)
	}
}

func uidsOf(file string) []string {
	var all []string
	for line := range strings.SplitSeq(file, "\r\n") {
		if uid, ok := strings.CutPrefix(line, "UID:"); ok {
			all = append(all, uid)
		}
	}
	return all
}

// TestFirstFrontendsMistakesAreTold: what it sends wrong is refused or told, never shown as a success.
func TestFirstFrontendsMistakesAreTold(t *testing.T) {
	t.Parallel()
	f := newFunction(t, nowhere)
	for name, c := range map[string]struct{ from, to, field string }{
		"a colour of its own": {`"colorId":"2"`, `"colorId":"12"`, "events[0].colorId"},
		"a CSS colour":        {`"colorId":"2"`, `"colorId":"#33b679"`, "events[0].colorId"},
		"a kind of its own":   {`"day"`, `"kind":"party","day"`, "events[0].kind"},
	} {
		body := `{"events":[` + strings.Replace(itsPractical, c.from, c.to, 1) + `],` + itsSemester + `,"pdfType":"lecture"}`
		res := call(t, f, "POST", "/api/generate/ics", body)
		if text := answered(t, res, 400); !strings.Contains(text, c.field) || !strings.Contains(text, api.ValidationFailed) {
			t.Errorf("%s: got %s, want %s named", name, text, c.field)
		}
	}
	refused(t, call(t, f, "POST", "/api/generate/ics", `{"events":[`+itsPractical+`],"pdfType":"lecture"}`), 400, api.MissingSemesterDates)
}

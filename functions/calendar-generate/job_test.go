package calendargenerate

import (
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestJobGivesItsCalendar(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	id := s.uploaded(tabletest.Lectures())
	body := `{"jobId":"` + id + `","year":2026,"groups":{"PHY 131":"P02","MLB 112":["T01"]},"reminders":[15]}`
	res := s.call("POST", "/api/generate/ics", body)
	file := answered(t, res, 200)
	if n := strings.Count(file, "BEGIN:VEVENT"); n != tabletest.LectureEvents-3-1 {
		t.Errorf("%d events, want the 12 of the chosen groups", n)
	}
	if n := strings.Count(file, "TRIGGER:-PT15M"); n != tabletest.LectureEvents-4 {
		t.Errorf("%d reminders, want 12", n)
	}
	s.f.now = func() time.Time { return time.Now().Add(time.Hour) } // the stamp is the job's, not the clock's
	if again := answered(t, s.call("POST", "/api/generate/ics", body), 200); again != file {
		t.Error("the same job gives another file")
	}
	if strings.Contains(file, "PHY 131 P1 (P01)") || !strings.Contains(file, "PHY 131 P1 (P02)") {
		t.Error("the group that was not chosen is in, or the chosen one is not")
	}
	form := s.call("POST", "/api/generate/ics", "jobId="+id+"&term=S1%3D2026-02-09..2026-05-22&term=S2%3D2026-07-13..2026-10-16", "Content-Type", "application/x-www-form-urlencoded")
	if n := strings.Count(answered(t, form, 200), "BEGIN:VEVENT"); n != tabletest.LectureEvents {
		t.Errorf("the form gives %d events, want %d", n, tabletest.LectureEvents)
	}
}

// TestJobTakesAllOptions holds each option of the request against the file.
func TestJobTakesAllOptions(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	id := s.uploaded(tabletest.Lectures())
	body := `{"jobId":"` + id + `","groups":{"PHY 131":"P02"},"modules":["PHY 131","MLB 112"],
		"terms":{"S1":{"start":"2027-02-09","end":"2027-05-21"},"S2":{"start":"2027-07-12","end":"2027-10-15"}},
		"exclude":[{"start":"2027-04-05","end":"2027-04-09","name":"Recess"}],"reminders":[30,5],"colors":{"mlb112":"Tomato"}}`
	file := answered(t, s.call("POST", "/api/generate/ics", body), 200)
	for want, count := range map[string]int{
		"BEGIN:VEVENT\r\n": 8, "COLOR:tomato\r\n": 4, "TRIGGER:-PT5M\r\n": 8, "TRIGGER:-PT30M\r\n": 8, "(P02)\r\n": 3, "(P01)": 0, "FSK": 0,
		"DTSTART;TZID=Africa/Johannesburg:20270215T073000\r\n": 1, // the Monday after the term's first Tuesday
		"RRULE:FREQ=WEEKLY;UNTIL=20270517T053000Z\r\n":         1,
		"EXDATE;TZID=Africa/Johannesburg:20270322T073000\r\n":  1, // Human Rights Day, observed
		"EXDATE;TZID=Africa/Johannesburg:20270329T073000\r\n":  1, // Family Day
		"EXDATE;TZID=Africa/Johannesburg:20270405T073000\r\n":  1, // recess
		"-2027@schedgen\r\n": 8,
	} {
		if got := strings.Count(file, want); got != count {
			t.Errorf("%q is there %d times, want %d, in:\n%s", want, got, count, file)
		}
	}
	for name, refusedBody := range map[string]string{
		"misspelled term": `"terms":{"Semester 1":{"start":"2026-02-09","end":"2026-05-22"}}`,
		"no such day":     `"terms":{"S1":{"start":"2026-02-29","end":"2026-05-22"}}`,
		"no color":        `"colors":{"PHY 131":"#ff0000"}`,
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, s.call("POST", "/api/generate/ics", `{"jobId":"`+id+`",`+refusedBody+`}`), 400, api.ValidationFailed)
		})
	}
	refused(t, s.call("POST", "/api/generate/ics", `{"jobId":"`+id+`","year":2031}`), 400, api.MissingSemesterDates)
}

func TestAnothersJobIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"jobId":"` + w.student().uploaded(tabletest.Tests()) + `"}`
	refused(t, w.student().call("POST", "/api/generate/ics", body), 404, api.JobNotFound)
	refused(t, call(t, w.f, "POST", "/api/generate/ics", body), 404, api.JobNotFound)
	refused(t, w.student().call("POST", "/api/generate/ics", `{"jobId":"../etc"}`), 404, api.JobNotFound)
}

func TestUnfinishedJobHasNoCalendar(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	refused(t, s.call("POST", "/api/generate/ics", `{"jobId":"`+s.pending()+`"}`), 400, api.JobNotCompleted)
}

func TestDatabaseAwayIsSaid(t *testing.T) {
	t.Parallel()
	s := student{world{t, newFunction(t, nowhere)}, "018f4d6e-0000-7000-8000-000000000000"}
	refused(t, s.call("POST", "/api/generate/ics", `{"jobId":"018f4d6e-0000-7000-8000-000000000001"}`), 503, api.DatabaseUnavailable)
	refused(t, s.call("GET", "/api/feeds/x.ics", ""), 503, api.DatabaseUnavailable)
	refused(t, s.call("POST", "/api/feeds", `{}`), 503, api.DatabaseUnavailable)
	refused(t, s.call("DELETE", "/api/feeds/x", ""), 503, api.DatabaseUnavailable)
	event := `{"specversion":"1.0","id":"1","type":"dev.schedgen.timetable.parsed.v1","source":"/x","data":{"jobId":"018f4d6e-0000-7000-8000-000000000001"}}`
	refused(t, s.call("POST", "/events/timetable", event, "Content-Type", "application/cloudevents+json"), 503, api.DatabaseUnavailable)
}

// TestJobOfNothingUsable: a job may be completed and yet hold nothing for a calendar.
func TestJobOfNothingUsable(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	id := s.uploaded(timetable.Document{Kind: timetable.Test, Entries: []timetable.Entry{{Module: "COS 212", Test: "Test1"}}})
	says := refused(t, s.call("POST", "/api/generate/ics", `{"jobId":"`+id+`"}`), 400, api.ValidationFailed)
	if !strings.Contains(says, "None of the events") {
		t.Errorf("it says %q", says)
	}
}

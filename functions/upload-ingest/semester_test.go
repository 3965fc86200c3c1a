package uploadingest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// offered is a lecture for each of the terms.
func offered(terms ...string) timetable.Document {
	doc := timetable.Document{Kind: timetable.Lecture}
	for i, term := range terms {
		doc.Entries = append(doc.Entries, timetable.Entry{Module: fmt.Sprintf("COS %d", 100+i), Offered: term, Activity: "L1",
			Day: "Monday", StartTime: "08:30", EndTime: "09:20", Venues: []string{}, Page: 1})
	}
	return doc
}

// TestSemesterIsTheTimetablesOwn: where all lectures are of one, with its dates beside those of the year's terms.
func TestSemesterIsTheTimetablesOwn(t *testing.T) {
	t.Parallel()
	terms := map[string]calendar.Range{"S1": mustRange(t, "2026-02-09..2026-05-22"), "S2": mustRange(t, "2026-07-13..2026-10-16")}
	for printed, want := range map[string]string{"S1": "S1", "S1 S1": "S1", "s2": "S2", "S1 Q1 Q2": "S1", "Q3 Q4": "S2", "S1 S2": "", "S1 Y": "", "Y": "", "S1 XX": "", "XX": "", "": ""} {
		got := datesOf(semesterOf(calendar.Events(offered(strings.Fields(printed)...))), terms)
		if len(got) != 5 || got["S1"] != terms["S1"] || got["S2"] != terms["S2"] {
			t.Errorf("%q: the year's terms are not there: %v", printed, got)
		}
		if want == "" {
			if got["semester"] != nil || got["startDate"] != nil || got["endDate"] != nil {
				t.Errorf("%q: got %v, want null for what is not known", printed, got)
			}
			continue
		}
		if got["semester"] != semester(want) || got["startDate"] != terms[want].Start || got["endDate"] != terms[want].End {
			t.Errorf("%q: got %v, want %s with its dates", printed, got, want)
		}
	}
	if got := datesOf("S1", nil); len(got) != 3 || got["semester"] != semester("S1") || got["startDate"] != nil {
		t.Errorf("of a year that nobody knows: got %v", got)
	}
}

func mustRange(t *testing.T, dates string) calendar.Range {
	t.Helper()
	r, err := calendar.ParseRange(dates)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSemesterThatIsAskedForIsAllThatComes, in the upload's answer and in the result.
func TestSemesterThatIsAskedForIsAllThatComes(t *testing.T) {
	w := newWorld(t)
	w.reader.set(func(r *reader) { r.doc = offered("S1", "S2", "Q1", "Q4", "Y", "XX") })
	s := w.student()
	for query, want := range map[string]string{"": "S1 S2 Q1 Q4 Y XX", "S1": "S1 Q1 Y XX", "S2": "S2 Q4 Y XX"} {
		form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
		path := "?semester=" + query
		if query == "" {
			path = ""
		}
		a := s.do(s.client, "POST", "/api/upload"+path, form, "Content-Type", contentType, "Authorization", "Bearer "+s.token()).Want(http.StatusCreated)
		got := functest.Read[readAnswer](a)
		result := functest.Read[struct{ Events []calendar.Event }](s.call("GET", "/api/jobs/"+got.JobID+"/result"+path).Want(http.StatusOK))
		for _, events := range [][]calendar.Event{got.Events, result.Events} {
			var terms []string
			for _, e := range events {
				terms = append(terms, e.Semester)
			}
			if strings.Join(terms, " ") != want {
				t.Errorf("semester=%s: got %q, want %q", query, terms, want)
			}
		}
		if query != "" && (got.SemesterDates["semester"] != query || !strings.HasSuffix(got.Message, "4 of them in "+query+".")) {
			t.Errorf("semester=%s: got %v, %q", query, got.SemesterDates, got.Message)
		}
	}
	form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
	s.do(s.client, "POST", "/api/upload?semester=S3", form, "Content-Type", contentType).Refused(400, api.ValidationFailed)
	s.call("GET", "/api/jobs/018f4d6e-0000-7000-8000-000000000000/result?semester=first").Refused(400, api.ValidationFailed)
}

// TestFirstFrontendGetsItsEventsAtOnce: it sends one form from another site, without saying how long it waits,
// and never asks again.
func TestFirstFrontendGetsItsEventsAtOnce(t *testing.T) {
	const frontend = "https://timetable.example.org"
	w := newWorld(t, with(func(c *Config) { c.TrustedOrigins = []string{frontend} }))
	form, contentType := formOf(t, field{"file", "UP_MOD_XLS.pdf", pdf()})
	a := w.do(w.client, "POST", "/api/upload", form, "Content-Type", contentType, "Origin", frontend, "Sec-Fetch-Site", "cross-site",
		"Accept", "application/json, text/plain, */*").Want(http.StatusCreated)
	got := functest.Read[readAnswer](a)
	if len(got.Events) != 2 || got.SemesterDates["semester"] != "S1" || a.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("got %s with %v", a.Body, a.Header)
	}
}

package uploadingest

import (
	"context"
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// plainPage is what a browser without script gets of its PDF: a title and what there is to say or to do. The
// page with all that schedgen can do is that of the function web.
const plainPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
%s<title>%[2]s – schedgen</title>
</head>
<body>
<main>
<h1>%[2]s</h1>
%s<p><a href="/">Another PDF</a></p>
</main>
</body>
</html>
`

// plainForm downloads the calendar of a job; between its parts stand fields for dates.
//
//go:embed plainform.html
var plainForm string

const plainDates = `<p>Not all of these lectures say when they begin and end. When does your semester? Its dates then hold for all lectures of that half of the year.</p>
<p><label for="start">First day of lectures</label> <input id="start" type="date" name="semesterStart" required></p>
<p><label for="end">Last day of lectures</label> <input id="end" type="date" name="semesterEnd" required></p>
`

// plainUpload takes the form of a page without script, and leads to what became of it.
func (f *Function) plainUpload(r *http.Request) (any, error) {
	header := http.Header{}
	job, err := f.accept(r, f.sessions.Ensure(header, r), 10*time.Second)
	if err != nil {
		return nil, err
	}
	header.Set("Location", "/upload/"+job.ID)
	return api.Response{Status: http.StatusSeeOther, Header: header}, nil
}

// plainJob says that a PDF is being read, or why it cannot be, or gives the way to its calendar.
func (f *Function) plainJob(r *http.Request) (any, error) {
	job, err := f.owned(r)
	if err != nil {
		return nil, err
	}
	switch job.Status {
	case jobs.Completed:
		content, err := f.plainCalendar(r.Context(), job)
		if err != nil {
			return nil, err
		}
		return plain("", kindName(job.Kind), content), nil
	case jobs.Failed:
		return plain("", "This PDF could not be read", "<p role=\"alert\">"+html.EscapeString(job.ErrorMessage)+"</p>\n"), nil
	}
	return plain("<meta http-equiv=\"refresh\" content=\"2\">\n", "Reading your PDF",
		"<p role=\"status\">This takes a moment. The page looks again by itself.</p>\n"), nil
}

// plainCalendar is the form that downloads a job's calendar, and asks for the dates that nobody here knows.
func (f *Function) plainCalendar(ctx context.Context, job jobs.Job) (string, error) {
	events, err := f.eventsOf(ctx, job)
	if err != nil {
		return "", err
	}
	if len(events) == 0 {
		return "<p>This PDF holds no events.</p>\n", nil
	}
	dates := ""
	if job.Kind == timetable.Lecture {
		_, known := f.years.Snapshot(ctx).Years[job.CreatedAt.In(calendar.Zone).Year()]
		if !known || slices.ContainsFunc(events, func(e calendar.Event) bool { return e.Semester == "" }) {
			dates = plainDates
		}
	}
	doubts := 0
	for _, e := range events {
		doubts += len(e.Warnings)
	}
	var say strings.Builder
	fmt.Fprintf(&say, "<p>We found %s in %s.</p>\n", count(len(events), "event"), html.EscapeString(nameOf(job)))
	if doubts > 0 {
		fmt.Fprintf(&say, "<p>We could not read %s there for certain. Each is marked in the calendar: please check it.</p>\n", count(doubts, "value"))
	}
	fmt.Fprintf(&say, plainForm, html.EscapeString(job.ID), dates)
	return say.String(), nil
}

// count is a number of things: "1 event", "2 events".
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func nameOf(job jobs.Job) string {
	if job.Filename == "" {
		return "your PDF"
	}
	return job.Filename
}

// kindName is a kind of timetable in words.
func kindName(k timetable.Kind) string {
	switch k {
	case timetable.Lecture:
		return "Lectures"
	case timetable.Test:
		return "Semester tests"
	case timetable.Exam:
		return "Exams"
	}
	return "Timetable"
}

// plain is a page that loads nothing.
func plain(meta, title, content string) api.Response {
	header := http.Header{}
	header.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	// Not "no-referrer": forms would then hide their origin, and be taken for another site's.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	return api.Response{Header: header, ContentType: "text/html; charset=utf-8",
		Body: fmt.Appendf(nil, plainPage, meta, html.EscapeString(title), content)}
}

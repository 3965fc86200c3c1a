package uploadingest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// layout is the page's template and the policy that allows it nothing but its own style.
type layout struct {
	*template.Template
	policy string
}

// pageLayout is parsed with the first page: most processes never show one.
var pageLayout = sync.OnceValues(func() (layout, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(pageCSS) },
		"kind":  kindName,
	}).Parse(pageHTML)
	sum := sha256.Sum256([]byte(pageCSS))
	return layout{t, "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}, err
})

// view is what the page shows.
type view struct {
	Title   string
	Job     *jobs.Job
	Events  []calendar.Event
	Problem string
	Waiting bool
	// AskDates says that lectures have no term whose dates are known here: the student knows them.
	AskDates bool
	MaxMB    int64 // of a file
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

// forPeople serves a page whose errors are pages too.
func (f *Function) forPeople(next func(*http.Request) (any, error)) http.Handler {
	return api.Handler(f.asPage(next))
}

// asPage turns an error into a page that says it in plain language.
func (f *Function) asPage(next func(*http.Request) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		answer, err := next(r)
		if err == nil || r.Context().Err() != nil {
			return answer, err
		}
		e := api.From(err)
		if e.Status() >= http.StatusInternalServerError {
			api.Logger(r.Context()).ErrorContext(r.Context(), "request failed", "code", e.Code, "error", err)
		}
		header := http.Header{}
		if retry := e.Retry(); retry > 0 {
			header.Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
		}
		return f.render(e.Status(), view{Title: "Something went wrong", Problem: e.Message}, header)
	}
}

// page answers the page on which a PDF is chosen. It needs no script.
func (f *Function) page(*http.Request) (any, error) {
	return f.render(http.StatusOK, view{Title: "Your timetable as a calendar"}, http.Header{})
}

// pageUpload takes the page's form and leads to what it made.
func (f *Function) pageUpload(r *http.Request) (any, error) {
	header := http.Header{}
	const patience = 10 * time.Second
	job, err := f.accept(r, f.sessions.Ensure(header, r), patience)
	if err != nil {
		return nil, err
	}
	return seeOther(header, "/jobs/"+job.ID), nil
}

func seeOther(header http.Header, to string) api.Response {
	header.Set("Location", to)
	return api.Response{Status: http.StatusSeeOther, Header: header}
}

// pageJob shows what a PDF says, or that it is being read, or why it cannot be.
func (f *Function) pageJob(r *http.Request) (any, error) {
	job, err := f.owned(r)
	if err != nil {
		return nil, err
	}
	v := view{Job: &job}
	switch job.Status {
	case jobs.Completed:
		v.Title = kindName(job.Kind)
		if v.Events, err = f.eventsOf(r.Context(), job); err != nil {
			return nil, err
		}
		if job.Kind == timetable.Lecture {
			_, known := f.years.Snapshot(r.Context()).Years[job.CreatedAt.In(calendar.Zone).Year()]
			v.AskDates = !known || slices.ContainsFunc(v.Events, func(e calendar.Event) bool { return e.Semester == "" })
		}
	case jobs.Failed:
		v.Title, v.Problem = "This PDF could not be read", job.ErrorMessage
	default:
		v.Title, v.Waiting = "Reading your PDF", true
	}
	return f.render(http.StatusOK, v, http.Header{})
}

// pageDelete deletes an upload and leads back to the beginning.
func (f *Function) pageDelete(r *http.Request) (any, error) {
	job, err := f.owned(r)
	if err != nil {
		return nil, err
	}
	if err := f.erase(r.Context(), job); err != nil {
		return nil, err
	}
	return seeOther(http.Header{}, "/"), nil
}

func (f *Function) render(status int, v view, header http.Header) (any, error) {
	l, err := pageLayout()
	if err != nil {
		return nil, fmt.Errorf("read the page's template: %w", err)
	}
	v.MaxMB = f.cfg.MaxFile >> 20
	var out bytes.Buffer
	if err := l.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	header.Set("Content-Security-Policy", l.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	// Not "no-referrer": forms would then hide their origin, and be taken for another site's.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	return api.Response{Status: status, Header: header, ContentType: "text/html; charset=utf-8", Body: out.Bytes()}, nil
}

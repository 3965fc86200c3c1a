package calendargenerate

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
)

// request is the body of POST /api/generate/ics: events, as the first frontend sends them, a job, or neither.
type request struct{ calendarhttp.Request }

// maxForm is the longest form: a job's id and some choices.
const maxForm = 64 << 10

// readRequest reads JSON, or the form of a page without script.
func (f *Function) readRequest(r *http.Request) (request, error) {
	var req request
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == "application/x-www-form-urlencoded" {
		form, err := api.ParseForm(r, maxForm)
		if err != nil {
			return req, err
		}
		if req, err = fromForm(form); err != nil {
			return req, calendarhttp.APIError(err)
		}
	} else if err := calendarhttp.ReadJSON(r, f.cfg.BodyLimit, &req); err != nil {
		return req, err
	}
	return req, req.Check(f.cfg.EventsLimit)
}

// fromForm reads fields that may each come several times: group "COS 212=P02", module, term
// "S1=2026-02-09..2026-05-22", exclude, reminder.
func fromForm(form url.Values) (request, error) {
	req := request{calendarhttp.Request{JobID: form.Get("jobId"), Choices: calendarhttp.Choices{
		Options:       calendar.Options{Name: form.Get("name"), Modules: nonEmpty(form["module"])},
		SemesterStart: form.Get("semesterStart"), SemesterEnd: form.Get("semesterEnd"),
	}}}
	for _, text := range nonEmpty(form["group"]) {
		module, group, ok := strings.Cut(text, "=")
		if !ok {
			return req, api.New(api.ValidationFailed).WithMessage("We could not read the chosen group. Write it as in \"COS 212=P02\".")
		}
		if req.Groups == nil {
			req.Groups = make(map[string]calendar.Choice)
		}
		req.Groups[module] = append(req.Groups[module], group)
	}
	for _, text := range nonEmpty(form["term"]) {
		name, dates, _ := strings.Cut(text, "=")
		term, err := calendar.ParseTerm(name, dates)
		if err != nil {
			return req, err
		}
		if req.Terms == nil {
			req.Terms = make(map[string]calendar.Range)
		}
		req.Terms[name] = term
	}
	for _, text := range nonEmpty(form["exclude"]) {
		dates, err := calendar.ParseDays(text)
		if err != nil {
			return req, err
		}
		req.Exclude = append(req.Exclude, dates)
	}
	for _, text := range nonEmpty(form["reminder"]) {
		minutes, err := strconv.Atoi(text)
		if err != nil {
			return req, api.New(api.ValidationFailed).WithMessage("We could not read the reminder. Write it as a number of minutes.")
		}
		req.Reminders = append(req.Reminders, minutes)
	}
	return req, nil
}

// nonEmpty leaves out the fields that a person did not fill in.
func nonEmpty(values []string) []string {
	var all []string
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// Package calendarhttp reads requests for calendars: of the events they send or of a job, with a
// student's choices. ICS files, feeds and Google calendars are asked for in the same form, which is also that
// of the first frontend.
package calendarhttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Choices are a student's options as callers send them: with the semester's dates as its terms, or as the one
// range that the first frontend sends.
type Choices struct {
	calendar.Options
	SemesterStart string `json:"semesterStart" most:"100"`
	SemesterEnd   string `json:"semesterEnd" most:"100"`
}

// Request is the body: events, as the first frontend sends them, or a job.
type Request struct {
	Choices
	JobID   string           `json:"jobId" most:"100"`
	Events  []calendar.Event `json:"events" most:"5000"`
	PDFType timetable.Kind   `json:"pdfType" most:"100"`
}

// ReadJSON reads a body as [api.DecodeJSON] does, and tells what is wrong with a date or a choice in it.
func ReadJSON(r *http.Request, limit int64, into any) error {
	return APIError(api.DecodeJSON(r, limit, into))
}

// Check holds the request's bounds, and turns the first frontend's fields into options.
func (req *Request) Check(mostEvents int) error {
	if len(req.Events) > mostEvents {
		return api.New(api.ValidationFailed, map[string]int{"limit": mostEvents}).
			WithMessage(fmt.Sprintf("One calendar can hold %d events at most. Send fewer.", mostEvents))
	}
	if err := checkKind("pdfType", req.PDFType); err != nil {
		return err
	}
	for i := range req.Events {
		if err := req.checkEvent(&req.Events[i], fmt.Sprintf("events[%d]", i)); err != nil {
			return err
		}
	}
	return req.ApplySemester()
}

// checkEvent gives an event its kind and checks what only a frontend sends. The pdfType speaks for events that
// look like it: a dated event among lectures stays what it is, and so does a weekly one among tests.
func (req *Request) checkEvent(e *calendar.Event, field string) error {
	e.Summary, e.Location = strings.TrimSpace(e.Summary), strings.TrimSpace(e.Location)
	if err := checkKind(field+".kind", e.Kind); err != nil {
		return err
	}
	if e.ColorID != "" && !calendar.IsGoogleColor(e.ColorID) {
		return api.New(api.ValidationFailed, map[string]string{"field": field + ".colorId"}).
			WithMessage("We do not know this colorId. Use one of Google's, from \"1\" to \"11\".")
	}
	switch dated := e.Date != ""; {
	case e.Kind != "":
	case dated && !e.IsRecurring && req.PDFType == timetable.Lecture:
		// Which of the others it is, package calendar tells.
	case !dated && e.IsRecurring:
		e.Kind = timetable.Lecture
	default:
		e.Kind = req.PDFType
	}
	return nil
}

func checkKind(field string, k timetable.Kind) error {
	switch k {
	case "", timetable.Lecture, timetable.Test, timetable.Exam:
		return nil
	}
	return api.New(api.ValidationFailed, map[string]string{"field": field}).WithMessage("We do not know this kind of timetable. Use lecture, test or exam.")
}

// ApplySemester puts the semester's one range among the options, which can be kept then. A half of it is as good
// as none.
func (c *Choices) ApplySemester() error {
	if c.SemesterStart == "" && c.SemesterEnd == "" {
		return nil
	}
	if c.SemesterStart == "" || c.SemesterEnd == "" {
		return api.New(api.MissingSemesterDates)
	}
	semester, err := calendar.ParseRange(c.SemesterStart + ".." + c.SemesterEnd)
	var e *calendar.Error
	if errors.As(err, &e) {
		return api.New(api.InvalidSemesterDates).WithMessage(calendar.Sentence(e.Message))
	}
	c.UseSemester(semester)
	return nil
}

// APIError is what package calendar found wrong, as the caller sees it. Any other error, and none, stays as it is.
func APIError(err error) error {
	var e *calendar.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Code == calendar.NothingLeft {
		return api.New(api.ValidationFailed, map[string]any{"reason": e.Code, "warnings": e.Details}).WithMessage(calendar.Sentence(e.Message))
	}
	code := api.ValidationFailed
	if e.Code == calendar.MissingSemesterDates {
		code = api.MissingSemesterDates
	}
	return api.New(code, map[string]any{"reason": e.Code, "choices": e.Details}).WithMessage(calendar.Sentence(e.Message))
}

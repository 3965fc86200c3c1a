package calendargenerate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/newest"
)

// generate answers POST /api/generate/ics with the calendar of the request's events, of a job, or, where it names
// neither, of all that the caller uploaded: the same that a feed shows.
//
// The counts of events, clashes and warnings are in the headers X-Schedgen-Events, -Clashes and
// -Warnings. A caller who accepts application/json and neither text/calendar nor everything gets the
// calendar itself as JSON, with its clashes and warnings in full.
func (f *Function) generate(r *http.Request) (any, error) {
	req, err := f.readRequest(r)
	if err != nil {
		return nil, err
	}
	source, stamp, err := f.source(r, &req)
	if err != nil {
		return nil, err
	}
	cal, err := f.build(r, source, req.Options)
	if err != nil {
		return nil, calendarhttp.APIError(err)
	}
	if err := cal.CheckNotEmpty(); err != nil {
		return nil, calendarhttp.APIError(err)
	}
	header := counts(cal)
	if wantsJSON(r) {
		return api.Response{Status: http.StatusOK, Header: header, ContentType: "application/json; charset=utf-8", Body: writer(func(w io.Writer) error {
			return writeJSON(w, cal)
		})}, nil
	}
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": filename(cal)}))
	return api.Response{Status: http.StatusOK, Header: header, ContentType: ics.ContentType, Body: writer(func(w io.Writer) error {
		return ics.Write(w, cal, stamp)
	})}, nil
}

// writer is an answer that is written in pieces, because it may be many times as long as its calendar.
type writer func(io.Writer) error

// WriteTo reports no length, because no caller uses it.
func (f writer) WriteTo(w io.Writer) (int64, error) { return 0, f(w) }

// writeJSON writes a calendar item by item.
func writeJSON(w io.Writer, cal calendar.Calendar) error {
	items := cal.Items
	cal.Items = []calendar.Item{}
	var rest bytes.Buffer
	if err := api.EncodeJSON(&rest, cal); err != nil {
		return fmt.Errorf("encode the calendar: %w", err)
	}
	const list = `"items":[` // the first of these is no part of a text, in which quotes are escaped
	begin, end, _ := bytes.Cut(rest.Bytes(), []byte(list))
	out := bufio.NewWriterSize(w, 32<<10)
	out.Write(begin) // the first error comes again at the end
	out.WriteString(list)
	for n, item := range items {
		if n > 0 {
			out.WriteByte(',')
		}
		if err := api.EncodeJSON(out, item); err != nil {
			return fmt.Errorf("write the calendar: %w", err)
		}
	}
	out.Write(end)
	return out.Flush()
}

// maker makes a calendar by some options.
type maker func(calendar.Options) (calendar.Calendar, error)

func makerOf(events []calendar.Event) maker {
	return func(o calendar.Options) (calendar.Calendar, error) { return calendar.Build(events, o) }
}

// source finds what the calendar is made of, and the time that it is stamped with: a file that is made of the same jobs
// again has the same bytes.
func (f *Function) source(r *http.Request, req *request) (maker, time.Time, error) {
	switch {
	case req.JobID != "":
		return f.jobEvents(r, req)
	case req.Events != nil:
		return makerOf(req.Events), f.now(), nil
	}
	source, stamp, err := f.allUploads(r)
	if err == nil && stamp.IsZero() {
		err = api.New(api.ValidationFailed).WithMessage("There is no timetable yet. Upload one first, or send events or a jobId.")
	}
	return source, stamp, err
}

// allUploads is all that the caller uploaded, and when the newest of it was read: never, where that is nothing.
func (f *Function) allUploads(r *http.Request) (maker, time.Time, error) {
	owner, _ := f.sessions.Owner(r)
	all, err := newest.Of(r.Context(), f.jobs, owner)
	if err != nil {
		return nil, time.Time{}, err
	}
	source := func(o calendar.Options) (calendar.Calendar, error) { return all.Build(r.Context(), o, f.now()) }
	if len(all.Jobs) == 0 {
		return source, time.Time{}, nil
	}
	return source, *all.Jobs[len(all.Jobs)-1].CompletedAt, nil
}

// build makes the calendar by the academic years as they are now, with dates that the caller typed before.
func (f *Function) build(r *http.Request, source maker, options calendar.Options) (cal calendar.Calendar, err error) {
	owner, _ := f.sessions.Owner(r)
	known, given := f.years.Snapshot(r.Context()), options.Terms
	err = f.typed.Build(r.Context(), known, owner, &options, func(o calendar.Options) (err error) {
		cal, err = source(o)
		return err
	})
	if err == nil {
		f.typed.Save(r.Context(), known, owner, given)
	}
	return cal, err
}

// jobEvents gives the events of the caller's job, and the time of its end. The year of the upload is that of the
// timetable, unless the request says another.
func (f *Function) jobEvents(r *http.Request, req *request) (maker, time.Time, error) {
	job, err := f.ownJob(r, req.JobID)
	if err != nil {
		return nil, time.Time{}, err
	}
	events, err := newest.JobEvents(r.Context(), f.jobs, job)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the job's events: %w", err)
	}
	req.Options.UseYear(job.CreatedAt.In(calendar.Zone).Year())
	return makerOf(events), *job.CompletedAt, nil
}

// ownJob is the caller's completed job. Another owner's job is not found, like one that does not exist.
func (f *Function) ownJob(r *http.Request, id string) (jobs.Job, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return jobs.Job{}, api.New(api.JobNotFound)
	}
	return newest.CompletedJob(r.Context(), f.jobs, owner, id)
}

// counts are the headers of a calendar: the counts that a caller who only saves the file would not see.
func counts(cal calendar.Calendar) http.Header {
	warnings := len(cal.Warnings)
	for _, item := range cal.Items {
		warnings += len(item.Warnings) + len(item.Event.Warnings)
	}
	header := api.NoStore()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Schedgen-Events", strconv.Itoa(len(cal.Items)))
	header.Set("X-Schedgen-Clashes", strconv.Itoa(len(cal.Clashes)))
	header.Set("X-Schedgen-Warnings", strconv.Itoa(warnings))
	return header
}

// wantsJSON reports whether the caller asks for JSON and for nothing else: browsers' libraries put
// application/json before */* without meaning it.
func wantsJSON(r *http.Request) bool {
	json := false
	for accepted := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, _, err := mime.ParseMediaType(accepted)
		if err != nil {
			continue
		}
		switch media {
		case "application/json":
			json = true
		case "text/calendar", "text/*", "*/*":
			return false
		}
	}
	return json
}

// filename names the file after the calendar and the year of its first event: "UP lectures 2026.ics".
func filename(cal calendar.Calendar) string {
	first := cal.Items[0].Start
	for _, item := range cal.Items {
		if item.Start.Before(first) {
			first = item.Start
		}
	}
	name := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) || r == 0x7f {
			return '-' // what some file system does not take
		}
		return r
	}, strings.ToValidUTF8(cal.Name, ""))
	return strings.TrimLeft(name, ". ") + " " + strconv.Itoa(first.Year()) + ".ics"
}

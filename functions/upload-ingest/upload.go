package uploadingest

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/tracing"
)

// uploadAnswer is what an accepted upload is answered with.
type uploadAnswer struct {
	JobID   string      `json:"jobId"`
	Status  jobs.Status `json:"status"`
	Message string      `json:"message"`
}

// readAnswer is what an upload that was read at once is answered with.
type readAnswer struct {
	uploadAnswer
	PDFType       timetable.Kind   `json:"pdfType"`
	Events        []calendar.Event `json:"events"`
	SemesterDates semesterDates    `json:"semesterDates"`
}

// upload answers 201 with the events, 202 when they take longer than the caller waits, or 422.
func (f *Function) upload(r *http.Request) (any, error) {
	header := api.NoStore()
	only, err := askedSemester(r)
	if err != nil {
		return nil, err
	}
	wait, asked := waitOf(r)
	if asked {
		header.Set("Preference-Applied", fmt.Sprintf("wait=%d", int(wait.Seconds())))
	}
	job, err := f.accept(r, f.sessions.Ensure(header, r), wait)
	if err != nil && job.ID == "" {
		return nil, err
	}
	header.Set("Location", "/api/jobs/"+job.ID)
	if err != nil {
		return nil, api.From(err).WithHeader(header) // the job may be read yet: its owner must be able to ask
	}
	answer := uploadAnswer{JobID: job.ID, Status: job.Status}
	switch job.Status {
	case jobs.Completed:
		read, err := f.readAnswer(r.Context(), job, only)
		if err != nil {
			// It is read, and only the answer is not to be had now: the caller asks for it.
			api.Logger(r.Context()).WarnContext(r.Context(), "events of an upload unavailable", "job", job.ID, "error", err)
			return later(header, answer), nil
		}
		return api.Response{Status: http.StatusCreated, Header: header, Body: read}, nil
	case jobs.Failed:
		return nil, verdict(job).WithHeader(header)
	}
	return later(header, answer), nil
}

// readAnswer is the answer of a completed job with its events, or those of one semester.
func (f *Function) readAnswer(ctx context.Context, job jobs.Job, only semester) (readAnswer, error) {
	all, err := f.eventsOf(ctx, job)
	if err != nil {
		return readAnswer{}, err
	}
	read := readAnswer{uploadAnswer: uploadAnswer{JobID: job.ID, Status: job.Status}, PDFType: job.Kind}
	read.Message = fmt.Sprintf("Found %d events.", len(all))
	if read.Events = only.of(slices.Clone(all)); len(read.Events) < len(all) {
		read.Message = fmt.Sprintf("Found %d events, %d of them in %s.", len(all), len(read.Events), only)
	}
	var terms map[string]calendar.Range
	if job.Kind == timetable.Lecture {
		terms = f.years.Snapshot(ctx).Years[job.CreatedAt.In(calendar.Zone).Year()].TermRanges()
	}
	read.SemesterDates = datesOf(cmp.Or(only, semesterOf(all)), terms)
	return read, nil
}

// later tells where to ask again.
func later(header http.Header, answer uploadAnswer) api.Response {
	header.Set("Retry-After", "1")
	answer.Message = "We are still reading your PDF. Ask again at the address in Location."
	return api.Response{Status: http.StatusAccepted, Header: header, Body: answer}
}

// verdict is why a job failed, as an answer.
func verdict(job jobs.Job) *api.Error {
	code := job.ErrorCode
	if api.Status(code) != http.StatusUnprocessableEntity {
		code = api.ProcessingFailed // a code of another version, or of what is not the file's fault
	}
	details := map[string]string{"jobId": job.ID}
	if code != job.ErrorCode {
		details["code"] = job.ErrorCode
	}
	e := api.New(code, details)
	if job.ErrorMessage != "" {
		e = e.WithMessage(job.ErrorMessage)
	}
	return e
}

var preferWait = regexp.MustCompile(`(?i)(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})`)

// waitOf is how long the caller waits (RFC 7240, section 4.3), at most 20 s. Who does not say how long knows
// nothing of jobs, and cannot ask again: it gets as long as anybody may.
func waitOf(r *http.Request) (wait time.Duration, asked bool) {
	const most = 20
	m := preferWait.FindStringSubmatch(strings.Join(r.Header.Values("Prefer"), ","))
	if m == nil {
		return most * time.Second, false
	}
	seconds, _ := strconv.Atoi(m[1]) // digits only
	return time.Duration(min(seconds, most)) * time.Second, true
}

// accept takes a form's PDF, and gives its job as it is when it has ended or the wait is over.
func (f *Function) accept(r *http.Request, owner string, wait time.Duration) (jobs.Job, error) {
	u, err := f.receive(r)
	if err != nil {
		f.metrics.uploads.WithLabelValues("refused").Inc()
		return jobs.Job{}, err
	}
	defer u.discard()
	priority := f.allowed(r, u.priority)
	leave, err := f.backlog.enter(r.Context(), priority)
	if err != nil {
		return jobs.Job{}, f.notAdmitted(r.Context(), err)
	}
	defer leave()
	id, err := uuid.NewV7()
	if err != nil {
		return jobs.Job{}, fmt.Errorf("make the job's id: %w", err)
	}
	var woken <-chan struct{}
	if wait > 0 {
		// Before anybody can know of the job, so that no news of it is missed.
		news, end := f.cache.Wait(r.Context(), jobs.Topic(id.String()))
		defer end()
		woken = news
	}
	// The file has come whole: it is kept even if the caller goes away now.
	job, err := f.keep(context.WithoutCancel(r.Context()), u, jobs.NewJob{
		ID: id.String(), Owner: owner, Share: f.share(r), Priority: priority, Filename: u.name, Size: u.size,
		SHA256: hex.EncodeToString(u.sum.Sum(nil)), Cause: tracing.CauseOf(r.Context()),
		Quota: jobs.Quota{Bytes: f.cfg.StorageQuota, Jobs: f.cfg.JobsPerOwner},
	})
	if err != nil {
		return job, f.notKept(err)
	}
	f.backlog.accepted.Add(1)
	leave()
	f.metrics.uploads.WithLabelValues("accepted").Inc()
	f.metrics.uploadBytes.Observe(float64(u.size))
	return f.await(r.Context(), job, wait, woken), nil
}

// notKept counts an upload that was not stored, and tells why.
func (f *Function) notKept(err error) error {
	outcome, why := "unavailable", f.quotaError(err)
	if why != err {
		outcome = "refused"
	}
	f.metrics.uploads.WithLabelValues(outcome).Inc()
	return why
}

// share is whose turns an upload takes if its owner has no account: those of its address, where addresses can be told
// apart. Else anybody could have as many turns as they make owners.
func (f *Function) share(r *http.Request) string {
	if address := faas.Client(r.Context()); address.IsValid() {
		return f.sessions.Pseudonym("address " + address.String())
	}
	return ""
}

// allowed is the priority asked for, or normal where that is high and the request does not carry the token.
func (f *Function) allowed(r *http.Request, asked jobs.Priority) jobs.Priority {
	given, token := []byte(r.Header.Get("Priority-Token")), []byte(f.cfg.PriorityToken.Reveal())
	if asked == jobs.High && (len(token) == 0 || subtle.ConstantTimeCompare(given, token) != 1) {
		return jobs.Normal
	}
	return asked
}

// keep writes the row, then the object, then the note that the object is there. Whatever stops it in
// between, the sweep either finds the object and has the job done, or fails the job.
func (f *Function) keep(ctx context.Context, u *received, n jobs.NewJob) (jobs.Job, error) {
	job, err := f.jobs.Create(ctx, n)
	if err != nil {
		return job, err
	}
	_, err = f.blob.Put(ctx, job.ObjectKey, u.body(), u.size, "application/pdf", map[string]string{
		"Job-Id": job.ID, "Priority": string(job.Priority), "Traceparent": job.Traceparent, "Request-Id": job.RequestID,
	})
	var full *blob.FullError
	if errors.As(err, &full) {
		return jobs.Job{}, errors.Join(err, f.jobs.Delete(ctx, job.Owner, job.ID)) // nothing was stored
	}
	if err != nil {
		// Whether the object is there is not known: the answer may have been lost.
		return job, api.New(api.StorageUnavailable).Wrap(err)
	}
	// From here on the upload is accepted: an event or the sweep finds it without this note.
	err = f.jobs.Uploaded(ctx, job.ID)
	if errors.Is(err, jobs.ErrNotFound) {
		// The sweep had given it up, or the owner has deleted it: no object may stay behind.
		err = f.blob.Delete(ctx, job.ObjectKey)
		return job, api.New(api.StorageUnavailable).Wrap(errors.Join(errGivenUp, err))
	}
	if err != nil {
		api.Logger(ctx).WarnContext(ctx, "the upload was not noted, the sweep will", "job", job.ID, "error", err)
	}
	if f.cfg.OwnEvents {
		f.own.publish(ctx, job)
	}
	return job, nil
}

var errGivenUp = errors.New("the object was stored after its job was given up")

// await gives the job when it has ended or the wait is over. Redis wakes it; it also looks from time
// to time, for Redis may be away, or lose the news.
func (f *Function) await(ctx context.Context, job jobs.Job, wait time.Duration, woken <-chan struct{}) jobs.Job {
	if wait <= 0 {
		return job
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	look := time.NewTicker(f.cfg.Poll)
	defer look.Stop()
	for {
		select {
		case _, open := <-woken:
			if !open {
				woken = nil // Redis is away
			}
		case <-look.C:
		case <-over.C:
			return job
		case <-ctx.Done():
			return job
		}
		if now, err := f.jobs.Find(ctx, job.ID); err == nil {
			job = now
		}
		if job.Done() {
			return job
		}
	}
}

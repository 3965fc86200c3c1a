package uploadingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestAnUploadIsAnsweredWithItsEvents(t *testing.T) {
	s := newWorld(t).student()
	a := s.upload(pdf(), "Prefer", "respond-async, wait=20").Want(http.StatusCreated)
	got := functest.Read[readAnswer](a)
	if got.Status != jobs.Completed || got.PDFType != timetable.Lecture || len(got.Events) != 2 || got.Message == "" {
		t.Errorf("got %s", a.Body)
	}
	if e := got.Events[0]; e.Module != "COS 212" || e.Day != "Monday" || e.StartTime != "08:30" || !e.IsRecurring ||
		e.Venue != "IT 4-4" || !slices.Equal(e.Venues, []string{"IT 4-4"}) || e.Semester != "S1" || e.Lang != "E" || e.ID == "" {
		t.Errorf("the first event: got %+v", e)
	}
	year := s.find(got.JobID).CreatedAt.In(calendar.Zone).Year()
	if terms := calendar.Shipped()[year].TermRanges(); len(got.SemesterDates) != len(terms)+3 {
		t.Errorf("semester dates: got %v, want %v and those of the semester", got.SemesterDates, terms)
	}
	if a.Header.Get("Location") != "/api/jobs/"+got.JobID || a.Header.Get("Preference-Applied") != "wait=20" {
		t.Errorf("headers: got %v", a.Header)
	}

	status := functest.Read[jobAnswer](s.call("GET", "/api/jobs/"+got.JobID).Want(http.StatusOK))
	if status.Status != jobs.Completed || status.CompletedAt == nil || status.Error != nil || status.PDFType == nil || *status.PDFType != timetable.Lecture {
		t.Errorf("the job: got %+v", status)
	}
	result := functest.Read[struct {
		ID     string
		Events []calendar.Event
	}](s.call("GET", "/api/jobs/"+got.JobID+"/result").Want(http.StatusOK))
	if result.ID != got.JobID || len(result.Events) != 2 || result.Events[0].ID != got.Events[0].ID {
		t.Errorf("the result: got %+v", result)
	}
	job := s.find(got.JobID)
	if job.Size != int64(len(pdf())) || len(job.SHA256) != 64 || job.Filename != "timetable.pdf" || job.Traceparent == "" || !s.stored(job.ObjectKey) {
		t.Errorf("the row: got %+v", job)
	}
}

func TestWhoDoesNotWaitAsksAgain(t *testing.T) {
	w := newWorld(t)
	hold := make(chan struct{})
	w.reader.set(func(r *reader) { r.hold = hold })
	s := w.student()
	a := s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	got := functest.Read[uploadAnswer](a)
	at := "/api/jobs/" + got.JobID
	if a.Header.Get("Location") != at || a.Header.Get("Retry-After") != "1" || a.Header.Get("Preference-Applied") != "wait=0" || bytes.Contains(a.Body, []byte("events")) {
		t.Errorf("got %v %s", a.Header, a.Body)
	}
	testkit.Eventually(s, "the job is worked on", func() bool { return s.find(got.JobID).Status == jobs.Processing })
	open := s.call("GET", at).Want(http.StatusOK)
	if fields := functest.Read[map[string]any](open); len(fields) != 7 || fields["pdfType"] != nil {
		t.Errorf("while it is read: got %s, want each field, and null for what is not known", open.Body)
	}
	if status := functest.Read[jobAnswer](open); status.Status != jobs.Processing || status.CompletedAt != nil {
		t.Errorf("while it is read: got %+v", status)
	}
	s.call("GET", at+"/result").Refused(http.StatusBadRequest, api.JobNotCompleted)
	close(hold)
	testkit.Eventually(s, "the job is completed", func() bool {
		return functest.Read[jobAnswer](s.call("GET", at).Want(http.StatusOK)).Status == jobs.Completed
	})
	s.call("GET", at+"/result").Want(http.StatusOK)
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		code, want string
		told       any // of the code, in the details: only what error does not say
	}{
		{"PDF_ENCRYPTED", "PDF_ENCRYPTED", nil}, {"MIXED_TIMETABLES", "MIXED_TIMETABLES", nil},
		{"OF_A_LATER_VERSION", api.ProcessingFailed, "OF_A_LATER_VERSION"},
	} {
		w.reader.set(func(r *reader) { r.code = c.code })
		form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
		// Without a session: the answer must give one, for the job is the caller's.
		a := w.do(w.client, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=20")
		object := a.Refused(http.StatusUnprocessableEntity, c.want)
		if object.Message != "This file is "+c.code+"." || len(a.Cookies()) != 1 {
			t.Errorf("%s: got %s with cookies %v", c.code, a.Body, a.Cookies())
		}
		details, _ := object.Details.(map[string]any)
		if details["code"] != c.told || "/api/jobs/"+fmt.Sprint(details["jobId"]) != a.Header.Get("Location") {
			t.Errorf("%s: got details %v at %s, want the job and code %v", c.code, details, a.Header.Get("Location"), c.told)
		}
		cookie := a.Cookies()[0].String()
		job := functest.Read[jobAnswer](w.do(w.client, "GET", a.Header.Get("Location"), nil, "Cookie", cookie).Want(http.StatusOK))
		if job.Status != jobs.Failed || job.Error == nil || *job.Error != "This file is "+c.code+"." || *job.ErrorCode != c.code || job.CompletedAt == nil {
			t.Errorf("%s: the job: got %+v", c.code, job)
		}
		w.do(w.client, "GET", a.Header.Get("Location")+"/result", nil, "Cookie", cookie).Refused(http.StatusBadRequest, api.JobNotCompleted)
	}
}

func TestPriorityReachesTheStore(t *testing.T) {
	w := newWorld(t, with(func(c *Config) { c.PriorityToken = secret.New("priority-token") }))
	for _, fields := range [][]field{
		{{"priority", "", []byte(" High ")}, {"file", "a.pdf", pdf()}},
		{{"file", "a.pdf", pdf()}, {"priority", "", []byte("high")}, {"unknown", "", []byte("x")}}, // after the file
	} {
		form, contentType := formOf(t, fields...)
		// As a person types it, which the description does not promise to be taken.
		a := w.do(http.DefaultClient, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=20",
			"Priority-Token", "priority-token").Want(http.StatusCreated)
		job := w.find(functest.Read[uploadAnswer](a).JobID)
		if job.Priority != jobs.High || job.ObjectKey != "uploads/high/"+job.ID+".pdf" {
			t.Errorf("got %+v", job)
		}
	}
	if told := w.reader.told(events.TypeObjectCreated); len(told) != 2 || !strings.HasPrefix(told[0], "uploads/high/") {
		t.Errorf("told of %v", told)
	}
}

// counted is a body of which it is known how much was read.
type counted struct {
	io.Reader
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

// TestAPartsHeaderCostsLittle: mime/multipart alone keeps all of it.
func TestAPartsHeaderCostsLittle(t *testing.T) {
	text := &counted{Reader: strings.NewReader("--b\r\nContent-Disposition: form-data; name=x; y=" + strings.Repeat("y", 9<<20))}
	form, err := openForm(multipartRequest(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if part, err := form.next(); part != nil || err == nil || text.read > 2*maxHeader {
		t.Errorf("%d bytes were read, then %v, %v", text.read, part, err)
	}
}

func multipartRequest(t *testing.T, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/upload", body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	return r
}

func TestFormsThatMakeNoSense(t *testing.T) {
	w := newWorld(t, with(func(c *Config) { c.MaxFile = 1 << 20 }))
	big := append(slices.Clone(pdf()), make([]byte, 1<<20)...)
	for name, c := range map[string]struct {
		fields []field
		status int
		code   string
	}{
		"no file":            {[]field{{"priority", "", []byte("high")}}, 400, api.MissingFile},
		"a file of no bytes": {[]field{{"file", "a.pdf", nil}}, 422, api.NotPDF},
		"no PDF":             {[]field{{"file", "a.pdf", []byte("<!doctype html>")}}, 422, api.NotPDF},
		"a late header":      {[]field{{"file", "a.pdf", append(make([]byte, 2000), "%PDF-1.7"...)}}, 422, api.NotPDF},
		"too large":          {[]field{{"file", "a.pdf", big}}, 413, api.FileTooLarge},
		"two files":          {[]field{{"file", "a.pdf", pdf()}, {"file", "b.pdf", pdf()}}, 400, api.InvalidRequest},
		"unknown priority":   {[]field{{"priority", "", []byte("urgent")}, {"file", "a.pdf", pdf()}}, 400, api.InvalidPriority},
		"a long priority":    {[]field{{"priority", "", []byte("high" + strings.Repeat(" ", 100) + "x")}, {"file", "a.pdf", pdf()}}, 400, api.InvalidPriority},
	} {
		form, contentType := formOf(t, c.fields...)
		a := w.do(w.client, "POST", "/api/upload", form, "Content-Type", contentType)
		a.Refused(c.status, c.code)
		if len(a.Cookies()) != 0 {
			t.Errorf("%s: a session was made for nothing", name)
		}
	}
	w.do(w.client, "POST", "/api/upload", strings.NewReader("{}"), "Content-Type", "application/json").Refused(400, api.MissingFile)
	for name, text := range map[string]string{
		"junk":           "--b\r\njunk",
		"a long header":  "--b\r\nContent-Disposition: form-data; name=x; y=" + strings.Repeat("y", 9<<20),
		"many headers":   "--b\r\n" + strings.Repeat("A: b\r\n", 1<<20),
		"no first part":  strings.Repeat("x\r\n", 1<<20),
		"many parts":     strings.Repeat("--b\r\nContent-Disposition: form-data; name=x\r\n\r\nx\r\n", 1<<16),
		"a part in part": "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + strings.Repeat("--c\r\nA: b\r\n", 1<<18) + "\r\n--b--",
	} {
		got, err := w.f.receive(multipartRequest(t, strings.NewReader(text)))
		if known := api.From(err); got != nil || known.Status() != 400 {
			t.Errorf("%s: got %v, %v; want a refusal", name, got, err)
		}
	}
	w.do(w.client, "POST", "/api/upload", strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n%PDF-1.4 cut off"),
		"Content-Type", "multipart/form-data; boundary=b").Refused(400, api.InvalidRequest)
	if n := w.sql("delete from jobs"); n != 0 {
		t.Errorf("%d jobs were made of forms that were refused", n)
	}
}

func TestACallerThatHangsUpLeavesNothing(t *testing.T) {
	w := newWorld(t)
	long := append(pdf(), make([]byte, 1<<20)...) // its upload begins before all of it is here
	form, contentType := formOf(t, field{"file", "a.pdf", long})
	half := form.Bytes()[:form.Len()/2]
	ctx, hangUp := context.WithCancel(t.Context())
	body, send := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, "POST", w.url+"/api/upload", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	over := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		over <- err
	}()
	if _, err := send.Write(half); err != nil {
		t.Fatal(err)
	}
	hangUp()
	_ = send.CloseWithError(ctx.Err()) // the client may wait for who reads the body, who may wait for us
	if err := <-over; err == nil {
		t.Error("the request went through")
	}
	testkit.Eventually(w, "the server has noticed", func() bool { return metric(w, `schedgen_uploads_total{outcome="refused"}`) == "1" })
	if n := w.sql("delete from jobs"); n != 0 {
		t.Errorf("%d jobs were made of half an upload", n)
	}
}

// A caller that goes away while it waits has sent all: its upload is kept.
func TestACallerThatGoesAwayWhileItWaits(t *testing.T) {
	w := newWorld(t)
	hold := make(chan struct{})
	w.reader.set(func(r *reader) { r.hold = hold })
	form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
	ctx, goAway := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "POST", w.url+"/api/upload", form)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Prefer", "wait=20")
	over := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		over <- err
	}()
	testkit.Eventually(w, "it is being read", func() bool { return w.sql("update jobs set updated_at = now() where status = 'processing'") == 1 })
	goAway()
	if err := <-over; err == nil {
		t.Error("the request was answered")
	}
	close(hold)
	testkit.Eventually(w, "it is read", func() bool { return w.sql("update jobs set updated_at = now() where status = 'completed'") == 1 })
}

// Whether an answer comes from Redis is nothing that a caller can see.
func TestAKeptAnswerIsAsAFreshOne(t *testing.T) {
	s := newWorld(t).student()
	at := "/api/jobs/" + idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))
	fresh := s.call("GET", at).Want(200)
	if _, ok := s.f.cache.Get(t.Context(), cacheKey(s.owner, strings.TrimPrefix(at, "/api/jobs/"))); !ok {
		t.Fatal("the answer was not kept")
	}
	kept := s.call("GET", at).Want(200)
	for _, a := range []functest.Answer{fresh, kept} {
		for _, own := range []string{"Date", "X-Request-Id", "Traceparent"} {
			a.Header.Del(own)
		}
	}
	if !maps.EqualFunc(fresh.Header, kept.Header, slices.Equal) || !bytes.Equal(fresh.Body, kept.Body) {
		t.Errorf("got %v %s, want %v %s", kept.Header, kept.Body, fresh.Header, fresh.Body)
	}
	if kept.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got %v, want nosniff", kept.Header)
	}
}

// metric is the value of a line of /metrics.
func metric(w *world, line string) string {
	for _, l := range strings.Split(string(w.do(http.DefaultClient, "GET", "/metrics", nil).Body), "\n") {
		if value, ok := strings.CutPrefix(l, line+" "); ok {
			return value
		}
	}
	return ""
}

func TestHowLongACallerWaits(t *testing.T) {
	t.Parallel()
	for prefer, want := range map[string]string{
		"": "20s", "wait=5": "5s", "wait=0": "0s", "wait=999999999999": "20s", `respond-async;x=1, Wait = "7"`: "7s",
		"await=9": "20s", "wait=": "20s", "wait=-1": "20s", "return=minimal": "20s", "respond-async": "20s",
	} {
		wait, asked := waitOf(&http.Request{Header: http.Header{"Prefer": {prefer}}})
		if wait.String() != want || asked != (want != "20s" || strings.Contains(prefer, "999")) {
			t.Errorf("%q: got %v, %v; want %s", prefer, wait, asked, want)
		}
	}
}

func TestNamesArePeoples(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "", ".": ".", "a/b/rooster.pdf": "rooster.pdf", `C:\x\tt.pdf`: "tt.pdf", "a\x00\x1f\u202efdp.exe": "afdp.exe",
		"Róoster é.pdf": "Róoster é.pdf", "\xff.pdf": ".pdf", strings.Repeat("é", 150): strings.Repeat("é", 100), "a/": "",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("a/b\\c\x00.pdf")
	f.Add(strings.Repeat("é", 200))
	f.Fuzz(func(t *testing.T, name string) {
		got := cleanName(name)
		if len(got) > 200 || strings.ContainsAny(got, "/\\\x00\n\r") || strings.ToValidUTF8(got, "?") != got || cleanName(got) != got {
			t.Errorf("%q: got %q", name, got)
		}
	})
}

func FuzzPrefer(f *testing.F) {
	f.Add("respond-async, wait=10")
	f.Fuzz(func(t *testing.T, prefer string) {
		if wait, _ := waitOf(&http.Request{Header: http.Header{"Prefer": {prefer}}}); wait < 0 || wait.Seconds() > 20 {
			t.Errorf("%q: got %v", prefer, wait)
		}
	})
}

// FuzzReceive feeds forms of any bytes: each is a file within the limit or an error for the caller.
func FuzzReceive(f *testing.F) {
	form, _ := formOf(f, field{"priority", "", []byte("low")}, field{"file", "a.pdf", []byte("%PDF-1.4 x")})
	body := form.String()
	boundary := body[2:strings.Index(body, "\r\n")]
	f.Add([]byte(strings.ReplaceAll(body, boundary, "b")))
	dir := f.TempDir()
	function := &Function{cfg: settings.WithDefaults(Config{MaxFile: 1 << 10}),
		tempFile: func() (*os.File, error) { return newTempFile(dir) }}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &http.Request{Method: "POST", Header: http.Header{"Content-Type": {"multipart/form-data; boundary=b"}},
			Body: io.NopCloser(bytes.NewReader(body))}
		u, err := function.receive(r)
		if err != nil {
			if e := api.From(err); e.Status() < 400 || e.Status() >= 500 {
				t.Errorf("got %v, want an error of the caller's", err)
			}
			return
		}
		defer u.discard()
		kept, err := io.ReadAll(u.body())
		if err != nil || int64(len(kept)) != u.size || u.size > function.cfg.MaxFile || !bytes.Contains(kept, []byte("%PDF-")) {
			t.Errorf("got %q of %d bytes, %v", kept, u.size, err)
		}
	})
}

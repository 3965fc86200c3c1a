package uploadingest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// browser is a plain HTTP client with a jar for cookies, that follows redirects and runs no script.
func (w *world) browser() *http.Client {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// open reads a page, and checks what every page must be.
func (w *world) open(client *http.Client, method, path string, body io.Reader, headers ...string) (functest.Answer, *html.Node) {
	w.Helper()
	a := w.do(client, method, path, body, headers...)
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || a.Header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || a.Header.Get("Cache-Control") != "no-store" {
		w.Errorf("%s %s: got headers %v", method, path, a.Header)
	}
	page, err := html.Parse(bytes.NewReader(a.Body))
	if err != nil {
		w.Fatalf("%s %s: %v", method, path, err)
	}
	for _, tag := range []string{"script", "img", "iframe", "b"} {
		if found := all(page, tag); len(found) != 0 {
			w.Errorf("%s %s: the page has a <%s>: %s", method, path, tag, a.Body)
		}
	}
	if len(all(page, "h1")) != 1 || len(all(page, "title")) != 1 || !bytes.Contains(a.Body, []byte(`name="viewport" content="width=device-width`)) {
		w.Errorf("%s %s: want one heading, a title and a viewport: %s", method, path, a.Body)
	}
	labels := map[string]bool{}
	for _, label := range all(page, "label") {
		labels[attribute(label, "for")] = true
	}
	for _, input := range all(page, "input") {
		if attribute(input, "type") != "hidden" && !labels[attribute(input, "id")] {
			w.Errorf("%s %s: an input has no label: %s", method, path, a.Body)
		}
	}
	return a, page
}

// all are the elements of a tag below n.
func all(n *html.Node, tag string) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			found = append(found, d)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			out.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// form is the page's form with that action, and its fields as they are.
func form(t *testing.T, page *html.Node, action string) url.Values {
	t.Helper()
	for _, f := range all(page, "form") {
		if attribute(f, "action") == action {
			values := url.Values{}
			for _, input := range all(f, "input") {
				values.Set(attribute(input, "name"), attribute(input, "value"))
			}
			if attribute(f, "method") != "post" || len(all(f, "button")) != 1 {
				t.Errorf("the form %s is not one that posts with a button", action)
			}
			return values
		}
	}
	t.Fatalf("the page has no form that posts to %s: %s", action, text(page))
	return nil
}

// choose sends the page's form with a file.
func (w *world) choose(client *http.Client, name string, file []byte) (functest.Answer, *html.Node) {
	w.Helper()
	body, contentType := formOf(w.T, field{"file", name, file})
	return w.open(client, "POST", "/upload", body, "Content-Type", contentType, "Sec-Fetch-Site", "same-origin", "Accept", "text/html")
}

func TestAPDFBecomesACalendarWithoutScript(t *testing.T) {
	w := newWorld(t)
	browser := w.browser()
	a, page := w.choose(browser, "<b>tt.pdf", pdf())
	at := a.Request.URL.Path
	id := strings.TrimPrefix(at, "/upload/")
	if a.Want(200); w.find(id).Status != jobs.Completed {
		t.Fatalf("it led to %s", at)
	}
	seen := text(page)
	for _, want := range []string{"Lectures", "2 events in <b>tt.pdf", "We could not read 1 value there for certain"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not show %q: %s", want, seen)
		}
	}
	if fields := form(t, page, "/api/generate/ics"); fields.Get("jobId") != id {
		t.Errorf("the calendar's form: got %v", fields)
	}
	other, page := w.open(w.browser(), "GET", at, nil) // without the cookie
	if other.StatusCode != 404 || !strings.Contains(text(page), "cannot find this upload") {
		t.Errorf("another saw %d %s", other.StatusCode, text(page))
	}
}

func TestThePlainFormSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t, with(func(c *Config) { c.MaxFile = 1 << 20 }))
	browser := w.browser()
	for want, file := range map[string][]byte{
		"This file is empty": nil, "not a PDF": []byte("<html>"), "larger than 1 MB": append([]byte("%PDF-1.7"), make([]byte, 2<<20)...),
	} {
		if a, page := w.choose(browser, "a.pdf", file); a.StatusCode < 400 || !strings.Contains(text(page), want) {
			t.Errorf("got %d %s, want %q", a.StatusCode, text(page), want)
		}
	}
	w.reader.set(func(r *reader) { r.code = "PDF_NO_TEXT" })
	if _, page := w.choose(browser, "a.pdf", pdf()); !strings.Contains(text(page), "This file is PDF_NO_TEXT.") || len(all(page, "form")) != 0 {
		t.Errorf("a PDF that cannot be read: got %s", text(page))
	}
	w.reader.set(func(r *reader) { r.code, r.doc = "", timetable.Document{Kind: timetable.Exam} })
	if _, page := w.choose(browser, "a.pdf", pdf()); !strings.Contains(text(page), "This PDF holds no events") || len(all(page, "form")) != 0 {
		t.Errorf("a PDF without events: got %s", text(page))
	}
	w.store.set(func(s *storeProxy) { s.all = away })
	if a, page := w.choose(browser, "a.pdf", pdf()); a.StatusCode != 503 || a.Header.Get("Retry-After") != "5" || !strings.Contains(text(page), "storage is not available") {
		t.Errorf("got %d %s", a.StatusCode, text(page))
	}
}

func TestThePlainPageWaitsForAJob(t *testing.T) {
	w := newWorld(t, silent)
	s := w.student()
	at := "/upload/" + idOf(s.upload(pdf(), "Prefer", "wait=0").Want(202))
	a, page := w.open(http.DefaultClient, "GET", at, nil, "Authorization", "Bearer "+s.token())
	refresh := regexp.MustCompile(`<meta http-equiv="refresh" content="\d+">`)
	if !refresh.Match(a.Body) || !strings.Contains(text(page), "Reading your PDF") {
		t.Errorf("got %s", a.Body)
	}
	w.age(w.f.cfg.Redeliver)
	w.swept()
	if a, _ := w.open(http.DefaultClient, "GET", at, nil, "Authorization", "Bearer "+s.token()); refresh.Match(a.Body) {
		t.Errorf("it still waits: %s", a.Body)
	}
}

// Of a year whose terms are not known the student is asked.
func TestThePlainPageAsksForDatesItDoesNotKnow(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	id := idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))
	for at, want := range map[string]bool{"2026-03-01": false, "2019-03-01": true} {
		w.sql("update jobs set created_at = $1::timestamptz", at)
		_, page := w.open(http.DefaultClient, "GET", "/upload/"+id, nil, "Authorization", "Bearer "+s.token())
		fields := form(t, page, "/api/generate/ics")
		if fields.Has("semesterStart") != want || fields.Has("semesterEnd") != want {
			t.Errorf("%s: got fields %v, want dates: %v", at, fields, want)
		}
	}
}

// So is the student whose lectures name no term, in whatever year.
func TestThePlainPageAsksForDatesOfLecturesWithoutATerm(t *testing.T) {
	w := newWorld(t)
	w.reader.set(func(r *reader) {
		r.doc = timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
			{Module: "COS 212", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"},
		}}
	})
	_, page := w.choose(w.browser(), "a.pdf", pdf())
	if fields := form(t, page, "/api/generate/ics"); !fields.Has("semesterStart") || !fields.Has("semesterEnd") {
		t.Errorf("got fields %v, want dates", fields)
	}
}

package pdfparse

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/uuid"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestAnEventInEachFormGivesTheEntries(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	for name, send := range map[string]func(jobs.Job) answer{
		"MinIO's notification": w.notify,
		"binary mode": func(job jobs.Job) answer {
			e := decoded(t, job)
			header := http.Header{}
			events.Encode(header, e[0])
			var pairs []string
			for name, values := range header {
				pairs = append(pairs, name, values[0])
			}
			return w.send(e[0].Data(), pairs...)
		},
		"structured mode": func(job jobs.Job) answer {
			body, err := json.Marshal(decoded(t, job)[0])
			if err != nil {
				t.Fatal(err)
			}
			return w.send(body, "Content-Type", "application/cloudevents+json")
		},
	} {
		job := w.lectures()
		if a := send(job); a.StatusCode != http.StatusNoContent {
			t.Errorf("%s: got %d %s", name, a.StatusCode, a.Body)
		}
		w.completed(job.ID, truth)
	}
	told := w.told.all()
	if len(told) != 3 || told[0].Owner != w.owner || told[0].Kind != string(timetable.Lecture) || told[0].Entries != len(truth.Entries) {
		t.Errorf("told of %+v", told)
	}
	if n := w.count("select count(*) from jobs where announced_at is not null"); n != 3 {
		t.Errorf("%d jobs are noted as announced, want 3", n)
	}
}

func decoded(t *testing.T, job jobs.Job) []event.Event {
	t.Helper()
	list, err := events.Notification(notification(record(t, job)))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestOneEventManyTimesAtOnceGivesOneSetOfEntries(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Concurrency = 20 })
	_, truth := lecture()
	job := w.lectures()
	_, other := w.instance(nil)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			url := w.url
			if i%2 == 0 {
				url = other
			}
			if a, err := w.post(url, notification(record(t, job))); err != nil || a.StatusCode != http.StatusNoContent {
				t.Errorf("got %d %s, %v", a.StatusCode, a.Body, err)
			}
		})
	}
	all.Wait()
	w.completed(job.ID, truth)
	if got := w.find(job.ID); got.Attempts != 1 || len(w.told.all()) != 1 {
		t.Errorf("got %d attempts and %d announcements, want one of each", got.Attempts, len(w.told.all()))
	}
}

func TestLateAndReorderedEventsAreHarmless(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	first, second := w.lectures(), w.lectures()
	for _, job := range []jobs.Job{second, first, second, first} {
		w.notify(job).Want(204)
	}
	w.completed(first.ID, truth)
	w.completed(second.ID, truth)

	deleted := w.lectures()
	if err := w.f.jobs.Delete(t.Context(), w.owner, deleted.ID); err != nil {
		t.Fatal(err)
	}
	w.notify(deleted).Want(204)
	w.notify(jobs.Job{ID: uuid.NewString(), Priority: jobs.Low, ObjectKey: "uploads/low/x.pdf"}).Want(204)
	w.notify(jobs.Job{ID: "junk", Priority: "junk", ObjectKey: "uploads/low/x.pdf"}).Want(204)

	// An event may overtake the note that the object is stored.
	early := w.lectures()
	w.sql("update jobs set uploaded_at = null where id = $1::uuid", early.ID)
	w.notify(early).Want(204)
	w.completed(early.ID, truth)
}

func TestOneBadRecordTakesNoOtherWithIt(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	first, second, locked := w.lectures(), w.lectures(), w.upload(passworded(t), jobs.Low)
	removed := json.RawMessage(strings.ReplaceAll(string(record(t, first)), "ObjectCreated:Put", "ObjectRemoved:Delete"))
	w.send(notification(json.RawMessage(`{"s3":7}`), record(t, first), record(t, locked), removed, record(t, second))).Want(204)
	w.completed(first.ID, truth)
	w.completed(second.ID, truth)
	w.failed(locked.ID, parse.Encrypted)
	letters, err := w.f.jobs.DeadLetters(t.Context(), math.MaxInt64, 10)
	if err != nil || len(letters) != 2 || letters[0].Source != "pdf-parse" || strings.Count(string(letters[0].Event), "eventName") > 1 {
		t.Errorf("got %+v, %v; want the two bad ones, each alone", letters, err)
	}
	// What says something of a job goes with it.
	if err := w.f.jobs.Delete(t.Context(), w.owner, first.ID); err != nil {
		t.Fatal(err)
	}
	if n := w.count("select count(*) from dead_letters"); n != 1 {
		t.Errorf("%d letters are kept after the job of one was deleted, want the other", n)
	}
}

func passworded(t *testing.T) []byte {
	t.Helper()
	pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Seed: 1, Encrypt: true, UserPassword: "opensesame"})
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func TestWhatIsNoEvent(t *testing.T) {
	w := newWorld(t)
	w.send(nil).Want(204) // an object store that tries the address
	for _, body := range []string{"junk", "{}", `{"Records":[]}`, `"\u0000"`} {
		w.send([]byte(body)).Want(204) // it would be the same the next time
	}
	if n := w.count("select count(*) from dead_letters"); n != 4 {
		t.Errorf("%d letters are kept, want 4", n)
	}
	a, err := w.post(w.url+"/other", nil)
	if err != nil || a.StatusCode != http.StatusNotFound {
		t.Errorf("another address: got %d, %v", a.StatusCode, err)
	}
	w.send(make([]byte, 2<<20)).Want(413)
}

// What the file itself is guilty of ends its job at once, with a code and a sentence.
func TestFilesThatAreNoTimetableFailAtOnce(t *testing.T) {
	w := newWorld(t)
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]string{"password AES-256": parse.Encrypted, "scan": parse.NoText, "letter": parse.NoTimetable, "plain text": parse.NotPDF, "101 pages": parse.TooManyPages}
	for _, file := range files {
		code, ok := wanted[file.Name]
		if !ok {
			continue
		}
		delete(wanted, file.Name)
		job := w.upload(file.PDF, jobs.Normal)
		w.notify(job).Want(204)
		w.failed(job.ID, code)
		if got := w.find(job.ID); got.Attempts != 1 {
			t.Errorf("%s: got %d attempts, want one", file.Name, got.Attempts)
		}
	}
	if len(wanted) != 0 {
		t.Errorf("no such files: %v", wanted)
	}
	if told := w.told.all(); len(told) != 0 {
		t.Errorf("told of %v", told)
	}
}

// Every code that a file's fault may have must reach people as one of theirs.
func TestTheParsersCodesAreInTheTable(t *testing.T) {
	t.Parallel()
	for _, code := range []string{parse.NotPDF, parse.TooLarge, parse.Encrypted, parse.NoPages, parse.TooManyPages, parse.NoText,
		parse.Damaged, parse.TooComplex, parse.NoTimetable, parse.Mixed, jobs.CodePDFMissing} {
		if got := api.Status(code); got != http.StatusUnprocessableEntity {
			t.Errorf("%s: got status %d, want 422", code, got)
		}
	}
	// A file that is refused on its way is told of in the same words as one that is refused when it is read.
	if got, want := api.Sentence(api.NotPDF), parse.New(parse.NotPDF).Message; got != want {
		t.Errorf("%s: got %q, want the parser's %q", api.NotPDF, got, want)
	}
}

func TestWhoMaySendEvents(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Events.Token, c.OpenPaths = secret.New("token"), nil })
	_, truth := lecture()
	job := w.lectures()
	body := notification(record(t, job))
	for _, token := range []string{"", "Bearer ", "Bearer x", "token"} {
		w.send(body, "Authorization", token).Want(401)
	}
	_, closed := w.instance(func(c *Config) { c.Events.Token = secret.String{} })
	if a, err := w.post(closed, body, "Authorization", "Bearer "); err != nil || a.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token of its own: got %d, %v, want 401", a.StatusCode, err)
	}
	w.send(body, "Authorization", "Bearer token").Want(204)
	w.completed(job.ID, truth)
}

func TestLowPriorityYieldsFirst(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Concurrency, c.Reserve = 4, 1 })
	g := newGate()
	w.f.Parse = g.parse
	var all sync.WaitGroup
	work := func(priority jobs.Priority) jobs.Job {
		job := w.upload([]byte("%PDF-"), priority)
		all.Go(func() {
			if a, err := w.post(w.url, notification(record(t, job))); err != nil || a.StatusCode != http.StatusNoContent {
				t.Errorf("%s: got %d %s, %v", priority, a.StatusCode, a.Body, err)
			}
		})
		<-g.entered
		return job
	}
	busy := func(priority jobs.Priority) {
		t.Helper()
		job := w.upload([]byte("%PDF-"), priority)
		w.notify(job).refused(429, api.Busy)
		if got := w.find(job.ID); got.Status != jobs.Pending || got.Attempts != 0 {
			t.Errorf("%s: got %+v, want it untouched", priority, got)
		}
	}
	work(jobs.Low)
	work(jobs.Low)
	busy(jobs.Low)
	first := work(jobs.Normal)
	busy(jobs.Normal)
	work(jobs.High)
	busy(jobs.High)
	// What asks for nothing is done with, however busy it is.
	w.notify(jobs.Job{ID: uuid.NewString(), Priority: jobs.Low, ObjectKey: "uploads/low/x.pdf"}).Want(204)
	w.notify(first).refused(429, api.Busy)
	close(g.open)
	all.Wait()
	w.notify(w.upload([]byte("%PDF-"), jobs.Low)).Want(204)
}

func TestTheRateIsShared(t *testing.T) {
	server := redistest.New(t)
	w := newWorld(t, withRedis(server.URL()), func(c *Config) { c.Rate, c.Burst, c.RateReserve, c.Concurrency = 1, 3, 0, 20 })
	g := newGate()
	close(g.open)
	w.f.Parse = g.parse
	other, url := w.instance(nil)
	other.Parse = w.f.Parse
	allowed, refused := 0, 0
	for i := range 8 {
		job := w.upload([]byte("%PDF-"), jobs.Normal)
		a, err := w.post([]string{w.url, url}[i%2], notification(record(t, job)))
		if err != nil {
			t.Fatal(err)
		}
		if a.StatusCode == http.StatusNoContent {
			allowed++
			continue
		}
		refused++
		a.refused(429, api.RateLimited)
	}
	// Three at once, and one more for each second that this may have taken.
	if allowed < 3 || refused == 0 {
		t.Errorf("%d were allowed and %d refused of 8, at a burst of 3", allowed, refused)
	}
	server.Stop()
	w.sql("delete from jobs where status = 'pending'")
	w.notify(w.lectures()).Want(204) // each instance counts alone now, and work goes on
}

func TestRedisAwayIsSlowerAndNotWrong(t *testing.T) {
	server := redistest.New(t)
	w := newWorld(t, withRedis(server.URL()))
	_, truth := lecture()
	server.Stop()
	for range 3 {
		job := w.lectures()
		w.notify(job).Want(204)
		w.completed(job.ID, truth)
	}
	server.Start()
	woken, stop := w.f.cache.Wait(t.Context(), "job:any")
	defer stop()
	w.f.cache.Wake(t.Context(), "job:any")
	select {
	case <-woken:
	case <-time.After(patience):
		t.Error("nobody was woken after Redis came back")
	}
}

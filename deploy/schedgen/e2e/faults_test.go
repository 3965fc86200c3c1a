package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/timetable"
)

// How much is uploaded through the faults, by how many at once, and after how many accepted uploads
// the next fault comes.
const (
	stormUploads = 1000
	stormCallers = 12
	stormEvery   = 60
)

// TestNothingAcceptedIsLost uploads a thousand PDFs while everything that can go away goes away:
// functions are killed, PostgreSQL, Redis and MinIO stop, crash and come back, notifications are lost
// and come ten times at once. Every accepted upload ends completed, with its own entries exactly
// once, or failed with a reason that is the file's.
func TestNothingAcceptedIsLost(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	storm := &storm{t: t, fleet: f, papers: papers(t)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	sweeping, stopSweeping := context.WithCancel(ctx)
	var sweeps sync.WaitGroup
	sweeps.Go(func() { f.sweepEvery(sweeping, time.Second) })
	defer sweeps.Wait()
	defer stopSweeping()

	done := make(chan struct{})
	var faults sync.WaitGroup
	faults.Go(func() { storm.faults(done) })
	began := time.Now()
	storm.uploads(ctx)
	close(done)
	faults.Wait()
	took := time.Since(began)
	storm.settle(ctx)
	storm.check(ctx)
	t.Logf("%d uploads accepted in %s, %d refused or broken off and sent again; %d notifications lost, %d delivered ten times; faults: %s",
		len(storm.accepted), took.Round(time.Second), storm.again.Load(), f.webhook.lost.Load(), f.webhook.doubled.Load(), strings.Join(storm.log, ", "))
}

// paper is what is uploaded, with what must come of it.
type paper struct {
	printed
	code string // the error of a file that is none
}

// papers are some timetables of each kind, and some files that are none.
func papers(t *testing.T) []paper {
	t.Helper()
	var all []paper
	for seed := range uint64(24) {
		kind := []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam}[seed%3]
		all = append(all, paper{printed: generated(t, fixture.Options{Kind: kind, Seed: seed + 1, Modules: 1 + int(seed%4)})})
	}
	locked, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Seed: 1, Encrypt: true, UserPassword: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return append(all, paper{printed: printed{name: "locked", pdf: locked}, code: "PDF_ENCRYPTED"})
}

// storm is the uploads and the faults of one test.
type storm struct {
	t      *testing.T
	fleet  *fleet
	papers []paper

	next  atomic.Int64 // number of the next upload
	count atomic.Int64 // accepted
	again atomic.Int64 // not accepted, and sent again
	mu    sync.Mutex
	// What was accepted, by job.
	accepted map[string]acceptance
	log      []string // the faults, in order
}

// acceptance is one accepted upload: what it was and whose.
type acceptance struct {
	paper  *paper
	client *http.Client
}

// uploads sends everything, each until it is accepted.
func (s *storm) uploads(ctx context.Context) {
	s.accepted = map[string]acceptance{}
	var callers sync.WaitGroup
	for range stormCallers {
		jar, err := cookiejar.New(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		client := &http.Client{Jar: jar, Timeout: 30 * time.Second}
		callers.Go(func() {
			for n := s.next.Add(1); n <= stormUploads && ctx.Err() == nil; n = s.next.Add(1) {
				s.uploadUntilAccepted(ctx, client, &s.papers[n%int64(len(s.papers))])
			}
		})
	}
	callers.Wait()
}

func (s *storm) uploadUntilAccepted(ctx context.Context, client *http.Client, p *paper) {
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		job, err := s.uploadOnce(ctx, client, p)
		if err == nil {
			s.mu.Lock()
			s.accepted[job] = acceptance{p, client}
			s.mu.Unlock()
			s.count.Add(1)
			return
		}
		s.again.Add(1)
		select {
		case <-ctx.Done():
			s.t.Errorf("an upload was never accepted: %v", err)
			return
		case <-pause.C:
		}
	}
}

// uploadOnce gives the job of an accepted upload; an error says that it was not accepted.
func (s *storm) uploadOnce(ctx context.Context, client *http.Client, p *paper) (job string, err error) {
	contentType, body := form(p.pdf)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.fleet.ingest.url+"/api/upload", body)
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Prefer", "wait=1")
	got, err := send(client, request)
	if err != nil {
		return "", err
	}
	var told struct {
		JobID   string
		Details struct{ JobID string }
	}
	if err := json.Unmarshal(got.body, &told); err != nil {
		return "", err
	}
	switch got.StatusCode {
	case http.StatusCreated, http.StatusAccepted:
		return told.JobID, nil
	case http.StatusUnprocessableEntity:
		return told.Details.JobID, nil
	}
	return "", fmt.Errorf("got %d %.200s", got.StatusCode, got.body)
}

// fault is something that goes away, and how it comes back.
type fault struct {
	name       string
	begin, end func() error
}

// faults are all that can go away.
func (f *fleet) faults() []fault {
	all := []fault{
		{"upload-ingest killed", f.ingest.kill, f.ingest.start},
		{"PostgreSQL stopped", f.database.stop, func() error { return f.database.start() }},
		{"Redis stopped", func() error { f.redis.Stop(); return nil }, func() error { f.redis.Start(); return nil }},
		{"MinIO stopped", f.minio.Stop, f.minio.Start},
		{"PostgreSQL killed", f.database.kill, func() error { return f.database.start() }},
		{"calendar-generate killed", f.calendar.kill, f.calendar.start},
	}
	for _, p := range f.parse {
		all = append(all, fault{"pdf-parse killed", p.kill, p.start})
	}
	return all
}

// faults causes one fault after the other, each a while after the last, until the uploads are done.
func (s *storm) faults(done <-chan struct{}) {
	all := s.fleet.faults()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		for s.count.Load() < int64(n+1)*stormEvery {
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
		fault := all[n%len(all)]
		if err := fault.begin(); err != nil {
			s.t.Errorf("%s: %v", fault.name, err)
		}
		<-time.After(time.Duration(300+n%3*500) * time.Millisecond) // that long it is away
		if err := fault.end(); err != nil {
			s.t.Errorf("after %q: %v", fault.name, err)
		}
		s.log = append(s.log, fault.name)
	}
}

// sweepEvery does what a platform's schedule does.
func (f *fleet) sweepEvery(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	client := &http.Client{Timeout: time.Minute}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.ingest.url+"/tasks/sweep", nil)
		if err != nil {
			f.t.Error(err)
			return
		}
		request.Header.Set("Authorization", "Bearer "+eventToken)
		_, _ = send(client, request) // it may be away just now; the next one does it
	}
}

// settle waits until no job is open, those of uploads that were not accepted among them.
func (s *storm) settle(ctx context.Context) {
	s.t.Helper()
	conn := s.connect(ctx)
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	eventually(s.t, func() error {
		var open int
		err := conn.QueryRow(ctx, "select count(*) from jobs where status in ('pending', 'processing')").Scan(&open)
		if err == nil && open > 0 {
			err = fmt.Errorf("%d jobs are still open", open)
		}
		return err
	})
}

func (s *storm) connect(ctx context.Context) *pgx.Conn {
	s.t.Helper()
	conn, err := pgx.Connect(ctx, s.fleet.database.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// check looks at every accepted upload as its owner does, and at what is stored of it.
func (s *storm) check(ctx context.Context) {
	s.t.Helper()
	if len(s.accepted) != stormUploads {
		s.t.Errorf("%d uploads were accepted, want %d", len(s.accepted), stormUploads)
	}
	ends := map[string]int{}
	for job, a := range s.accepted {
		end, err := s.endOf(ctx, job, a)
		if err != nil {
			s.t.Errorf("job %s (%s): %v", job, a.paper.name, err)
		}
		ends[end]++
	}
	s.t.Logf("how they ended: %v", ends)
	s.checkRows(ctx)
	s.checkObjects(ctx)
}

// endOf gives how a job ended, and an error if that is not how its paper must end.
func (s *storm) endOf(ctx context.Context, job string, a acceptance) (string, error) {
	address := s.fleet.ingest.url + "/api/jobs/" + job
	got, err := get(ctx, a.client, address)
	if err != nil {
		return "unknown", err
	}
	var state struct {
		Status, Error, ErrorCode string
	}
	if err := json.Unmarshal(got.body, &state); err != nil || got.StatusCode != http.StatusOK {
		return "unknown", fmt.Errorf("got %d %.200s", got.StatusCode, got.body)
	}
	if state.Status == "failed" {
		if state.Error == "" || state.ErrorCode == "" {
			return "failed", fmt.Errorf("it failed without a reason: %.200s", got.body)
		}
		// Three attempts that all met a fault are a reason too, as long as it is told.
		fair := []string{a.paper.code, "ATTEMPTS_EXHAUSTED", "PROCESSING_FAILED"}
		if !slices.Contains(fair, state.ErrorCode) {
			return state.ErrorCode, fmt.Errorf("it failed with %s, want one of %q", state.ErrorCode, fair)
		}
		return state.ErrorCode, nil
	}
	if state.Status != "completed" || a.paper.code != "" {
		return state.Status, fmt.Errorf("it is %s, want an end with %q", state.Status, a.paper.code)
	}
	got, err = get(ctx, a.client, address+"/result")
	if err != nil {
		return state.Status, err
	}
	var result struct{ Events []event }
	if err := json.Unmarshal(got.body, &result); err != nil {
		return state.Status, err
	}
	if !slices.Equal(told(a.paper.doc.Kind, result.Events), meetings(a.paper.doc)) {
		return state.Status, fmt.Errorf("its events are not the timetable's: %.500s", got.body)
	}
	return state.Status, nil
}

// checkRows looks for entries that are there twice or not at all: a completed job has those of its
// timetable, any other has none.
func (s *storm) checkRows(ctx context.Context) {
	s.t.Helper()
	conn := s.connect(ctx)
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	rows, err := conn.Query(ctx, "select j.id::text, j.status, count(e.job_id) from jobs j left join entries e on e.job_id = j.id group by j.id")
	if err != nil {
		s.t.Fatal(err)
	}
	var id, status string
	var entries int
	_, err = pgx.ForEachRow(rows, []any{&id, &status, &entries}, func() error {
		want := 0
		a, known := s.accepted[id]
		switch {
		case status != "completed":
		case known:
			want = len(a.paper.doc.Entries)
		default:
			return nil // nobody was told of it, but it was done all the same
		}
		if entries != want {
			s.t.Errorf("job %s (%s) has %d entries, want %d", id, status, entries, want)
		}
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
}

// checkObjects looks for objects without a job.
func (s *storm) checkObjects(ctx context.Context) {
	s.t.Helper()
	conn := s.connect(ctx)
	defer conn.Close(context.WithoutCancel(ctx)) // only asked
	rows, err := conn.Query(ctx, "select object_key from jobs")
	if err != nil {
		s.t.Fatal(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	known := map[string]bool{}
	for _, key := range keys {
		known[key] = true
	}
	client, err := minio.New(strings.TrimPrefix(s.fleet.minio.URL, "http://"), &minio.Options{Creds: credentials.NewStaticV4(s3test.AccessKey, s3test.SecretKey, "")})
	if err != nil {
		s.t.Fatal(err)
	}
	objects := 0
	for object := range client.ListObjects(ctx, s.fleet.minio.Config().Bucket, minio.ListObjectsOptions{Recursive: true}) {
		if object.Err != nil {
			s.t.Fatal(object.Err)
		}
		objects++
		if !known[object.Key] {
			s.t.Errorf("the object %s has no job", object.Key)
		}
	}
	s.t.Logf("%d objects, %d jobs", objects, len(keys))
}

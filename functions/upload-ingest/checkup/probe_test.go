package checkup

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

var update = flag.Bool("update", false, "write probe.pdf")

// TestTheProbeIsATimetable compares probe.pdf with what the generator makes; -update writes it.
func TestTheProbeIsATimetable(t *testing.T) {
	t.Parallel()
	made, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Modules: 1, Plain: true, Compress: true})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("probe.pdf", made, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(PDF, made) || len(PDF) > 8<<10 {
		t.Errorf("probe.pdf has %d bytes, and the generator makes %d: run go test ./checkup -run Probe -update", len(PDF), len(made))
	}
}

func TestWhatProbesTell(t *testing.T) {
	t.Parallel()
	now := time.Now()
	job := func(status jobs.Status, created, ended time.Duration, code string) jobs.Job {
		stored := now.Add(-created)
		j := jobs.Job{Status: status, CreatedAt: stored, UploadedAt: &stored, ErrorCode: code}
		if at := now.Add(-ended); j.Done() {
			j.CompletedAt = &at
		}
		return j
	}
	read := job(jobs.Completed, 50*time.Second, 49*time.Second, "")
	onItsWay := job(jobs.Pending, 6*time.Minute, 0, "")
	onItsWay.UploadedAt = nil
	for name, c := range map[string]struct {
		list    []jobs.Job
		status  Status
		problem string
	}{
		"none yet":             {nil, Unknown, ""},
		"the first is on":      {[]jobs.Job{job(jobs.Processing, time.Second, 0, "")}, Unknown, ""},
		"read":                 {[]jobs.Job{read}, OK, ""},
		"read before, one on":  {[]jobs.Job{job(jobs.Pending, time.Second, 0, ""), read}, OK, ""},
		"failed":               {[]jobs.Job{job(jobs.Failed, time.Minute, time.Second, jobs.CodeTimeout), read}, Down, jobs.CodeTimeout},
		"waits long":           {[]jobs.Job{job(jobs.Pending, time.Second, 0, ""), job(jobs.Pending, 2*time.Minute, 0, ""), read}, Degraded, "it was not read within a minute"},
		"waits for minutes":    {[]jobs.Job{job(jobs.Pending, time.Second, 0, ""), job(jobs.Pending, 6*time.Minute, 0, "")}, Down, "none was read for minutes"},
		"waits and failed":     {[]jobs.Job{job(jobs.Pending, 2*time.Minute, 0, ""), job(jobs.Failed, 3*time.Minute, time.Second, jobs.CodeTimeout)}, Down, jobs.CodeTimeout},
		"not stored yet":       {[]jobs.Job{onItsWay}, Unknown, ""},
		"not stored, but read": {[]jobs.Job{onItsWay, read}, OK, ""},
		"never stored":         {[]jobs.Job{job(jobs.Failed, 2*time.Minute, time.Second, jobs.CodeUploadIncomplete), read}, Unknown, jobs.CodeUploadIncomplete},
		"its PDF is gone":      {[]jobs.Job{job(jobs.Failed, time.Minute, time.Second, jobs.CodePDFMissing)}, Unknown, jobs.CodePDFMissing},
		"read an hour ago":     {[]jobs.Job{job(jobs.Completed, time.Hour, time.Hour, "")}, Unknown, ""},
		"failed an hour ago":   {[]jobs.Job{job(jobs.Failed, time.Hour, time.Hour, jobs.CodeTimeout)}, Unknown, ""},
		"an hour ago, and on":  {[]jobs.Job{job(jobs.Pending, time.Second, 0, ""), job(jobs.Completed, time.Hour, time.Hour, "")}, Unknown, ""},
		"given up, then is on": {[]jobs.Job{job(jobs.Pending, time.Second, 0, ""), job(jobs.Failed, 70*time.Second, 10*time.Second, jobs.CodeAttempts)}, Down, jobs.CodeAttempts},
	} {
		if got := judge(c.list, now); got.Status != c.status || got.Problem != c.problem {
			t.Errorf("%s: got %+v, want %s %q", name, got, c.status, c.problem)
		}
	}
}

func TestWhatTheReportSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts map[string]Status
		whole Status
		want  Services
	}{
		"all is well":              {nil, OK, Services{OK, OK, OK, OK}},
		"nothing is known yet":     {map[string]Status{"parser": Unknown, "calendar-generate": Unknown, "google-sync": Unknown, "backup": Unknown}, OK, Services{OK, Unknown, Unknown, Unknown}},
		"Redis is away":            {map[string]Status{"redis": Degraded}, Degraded, Services{OK, OK, OK, OK}},
		"the database is away":     {map[string]Status{"postgres": Down, "parser": Unknown}, Down, Services{Down, Down, Down, Down}},
		"the object store is away": {map[string]Status{"s3": Down}, Down, Services{Down, Down, OK, OK}},
		"the disk is full":         {map[string]Status{"disk": Down}, Down, Services{Down, OK, OK, OK}},
		"nothing is read":          {map[string]Status{"parser": Down}, Down, Services{OK, Down, OK, OK}},
		"probes wait":              {map[string]Status{"parser": Degraded}, Degraded, Services{OK, Degraded, OK, OK}},
		"the queue is long":        {map[string]Status{"queue": Degraded}, Degraded, Services{OK, Degraded, OK, OK}},
		"no backup":                {map[string]Status{"backup": Degraded}, Degraded, Services{OK, OK, OK, OK}},
		"no syncs":                 {map[string]Status{"google-sync": Degraded}, Degraded, Services{OK, OK, OK, Degraded}},
	} {
		parts := map[string]Part{}
		for _, name := range []string{"postgres", "s3", "redis", "disk", "queue", "parser", "calendar-generate", "google-sync", "backup", "sweep"} {
			parts[name] = Part{Status: OK}
		}
		for name, status := range c.parts {
			parts[name] = Part{Status: status}
		}
		got := sumUp(parts, time.Now())
		if got.Status != c.whole || got.Services != c.want || (got.Status == OK) != (got.Message == "Everything works.") {
			t.Errorf("%s: got %s %+v %q, want %s %+v", name, got.Status, got.Services, got.Message, c.whole, c.want)
		}
	}
}

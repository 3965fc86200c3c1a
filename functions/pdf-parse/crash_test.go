package pdfparse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/childtest"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// stuck is the function, as its command runs it, whose reading takes for ever.
func stuck(ctx context.Context, cfg Config) (faas.Function, error) {
	f, err := New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	f.Parse = func(ctx context.Context, pdf []byte) (timetable.Document, error) {
		// Half of the PDF, then nothing: a reader waits for the rest.
		return sandbox.Parse(ctx, io.MultiReader(bytes.NewReader(pdf[:1000]), hang{ctx}), cfg.Sandbox)
	}
	return f, nil
}

// hang is a reader that gives nothing until its context ends.
type hang struct{ ctx context.Context }

func (h hang) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// parsers are the processes that read PDFs for a parent.
func parsers(t *testing.T, parent int) (pids []string) {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	pids = strings.Fields(string(children))
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", parent))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		if children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", parent, thread.Name())); err == nil {
			pids = append(pids, strings.Fields(string(children))...)
		}
	}
	return pids
}

func TestAWorkerThatIsKilledLosesNoJob(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	job := w.lectures()
	child, url := childtest.Start(t, "OPEN_PATHS=/", "DATABASE_URL="+w.cfg.Postgres.URL.Reveal(), "S3_URL="+w.cfg.Blob.URL,
		"S3_BUCKET="+w.cfg.Blob.Bucket, "S3_ACCESS_KEY="+w.cfg.Blob.AccessKey, "S3_SECRET_KEY="+w.cfg.Blob.SecretKey.Reveal())
	over := make(chan error, 1)
	go func() {
		_, err := w.post(url, notification(record(t, job)))
		over <- err
	}()
	var reading []string
	testkit.Eventually(w, "the PDF is being read in a process of its own, and a reader waits", func() bool {
		reading = parsers(t, child.Process.Pid)
		return len(reading) > 1 && w.find(job.ID).Status == jobs.Processing
	})
	if got := w.find(job.ID); got.Attempts != 1 {
		t.Fatalf("got %+v, want its first attempt", got)
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-over; err == nil {
		t.Error("the event was answered by a dead process")
	}
	testkit.Eventually(w, "the reading process is gone as well", func() bool {
		for _, pid := range reading {
			if state, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil && !strings.Contains(string(state), ") Z ") {
				return false
			}
		}
		return true
	})
	// While the lease lasts the job is the dead worker's.
	w.notify(job).Want(http.StatusNoContent)
	if got := w.find(job.ID); got.Status != jobs.Processing {
		t.Errorf("got %+v, want it processing", got)
	}
	w.sql("update jobs set lease_until = now() - interval '1 second'")
	due, err := w.f.jobs.Due(t.Context(), time.Minute, 10)
	if err != nil || len(due) != 1 || due[0].ID != job.ID {
		t.Fatalf("the sweep finds %+v, %v; want the job", due, err)
	}
	w.notify(job).Want(http.StatusNoContent)
	w.completed(job.ID, truth)
	if got := w.find(job.ID); got.Attempts != 2 {
		t.Errorf("got %d attempts, want 2", got.Attempts)
	}
}

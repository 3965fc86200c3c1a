package pdfparse

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// serve is the child's main: the function, as its command runs it, whose reading takes for ever. It
// tells its address on standard output.
func serve() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var cfg Config
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fail(envconfig.Process(ctx, &cfg))
	f, err := New(ctx, cfg)
	fail(err)
	parse := f.Parse
	f.Parse = func(ctx context.Context, pdf io.Reader) (timetable.Document, error) {
		// Half of the PDF, then nothing: the parser's own child waits for the rest.
		return parse(ctx, io.MultiReader(io.LimitReader(pdf, 1000), hang{ctx}))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	fmt.Println(listener.Addr())
	fail(faas.Serve(ctx, "pdf-parse", f, listener, slog.New(slog.DiscardHandler), faas.Config{}))
}

// hang is a reader that gives nothing until its context ends.
type hang struct{ ctx context.Context }

func (h hang) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// start runs the child and gives its address.
func (w *world) start() (child *exec.Cmd, url string) {
	w.Helper()
	self, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	child = exec.CommandContext(w.Context(), self)
	child.Env = append(os.Environ(), serveEnv+"=1", "DATABASE_URL="+w.cfg.Postgres.URL, "S3_URL="+w.cfg.Blob.URL,
		"S3_BUCKET="+w.cfg.Blob.Bucket, "S3_ACCESS_KEY="+w.cfg.Blob.AccessKey, "S3_SECRET_KEY="+w.cfg.Blob.SecretKey)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := child.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		_ = child.Process.Kill() // it is dead already, if all went well
		_ = child.Wait()
	})
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		w.Fatalf("the child did not tell its address: %v", err)
	}
	return child, "http://" + address
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
	child, url := w.start()
	over := make(chan error, 1)
	go func() {
		_, err := w.post(url, notification(record(t, job)))
		over <- err
	}()
	var reading []string
	w.eventually("the PDF is being read in a process of its own", func() bool {
		reading = parsers(t, child.Process.Pid)
		return len(reading) > 0
	})
	if got := w.find(job.ID); got.Status != jobs.Processing || got.Attempts != 1 {
		t.Fatalf("got %+v, want it processing", got)
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-over; err == nil {
		t.Error("the event was answered by a dead process")
	}
	w.eventually("the reading process is gone as well", func() bool {
		for _, pid := range reading {
			if state, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil && !strings.Contains(string(state), ") Z ") {
				return false
			}
		}
		return true
	})
	// While the lease lasts the job is the dead worker's.
	w.notify(job).want(http.StatusNoContent)
	if got := w.find(job.ID); got.Status != jobs.Processing {
		t.Errorf("got %+v, want it processing", got)
	}
	w.sql("update jobs set lease_until = now() - interval '1 second'")
	due, err := w.f.jobs.Due(t.Context(), time.Minute, 10)
	if err != nil || len(due) != 1 || due[0].ID != job.ID {
		t.Fatalf("the sweep finds %+v, %v; want the job", due, err)
	}
	w.notify(job).want(http.StatusNoContent)
	w.completed(job.ID, truth)
	if got := w.find(job.ID); got.Attempts != 2 {
		t.Errorf("got %d attempts, want 2", got.Attempts)
	}
}

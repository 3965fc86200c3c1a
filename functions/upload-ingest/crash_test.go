package uploadingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/childtest"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
)

func TestMain(m *testing.M) {
	childtest.Main(faas.Config{Concurrency: 80, RequestTimeout: patience}, func(ctx context.Context, cfg Config) (faas.Function, error) {
		return New(ctx, cfg)
	})
	os.Exit(m.Run())
}

// start runs the function in a process of its own over the world's data.
func (w *world) start(settings ...string) (child *exec.Cmd, url string) {
	w.Helper()
	return childtest.Start(w, append(settings, "DATABASE_URL="+w.cfg.Postgres.URL.Reveal(), "S3_URL="+w.cfg.Blob.URL, "S3_BUCKET="+w.cfg.Blob.Bucket,
		"S3_ACCESS_KEY="+w.cfg.Blob.AccessKey, "S3_SECRET_KEY="+w.cfg.Blob.SecretKey.Reveal(), "SESSION_KEY="+w.cfg.Session.Keys[0].Reveal(), "LIMIT_UPLOADS=off", "LIMIT_ALL=off", "TMPDIR="+w.TempDir())...)
}

// A process that dies between the row and the object, or between the object and the note of it,
// leaves a job that the sweep ends: without an object it fails, with one it is done.
func TestAProcessThatIsKilledInTheMiddleOfAnUpload(t *testing.T) {
	for name, stored := range map[string]bool{"before the object": false, "after the object": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, silent)
			child, url := w.start()
			w.store.set(func(s *storeProxy) {
				s.put = func(_ http.ResponseWriter, _ *http.Request, forward func(http.ResponseWriter)) {
					if stored {
						forward(&swallowed{http.Header{}})
					}
					if err := child.Process.Signal(syscall.SIGKILL); err != nil {
						t.Errorf("kill the process: %v", err)
					}
					panic(http.ErrAbortHandler)
				}
			})
			form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
			response, err := http.Post(url+"/api/upload", contentType, form)
			if err == nil {
				t.Errorf("a dead process answered %s", response.Status)
				_ = response.Body.Close() // it says nothing
			}
			w.store.set(func(s *storeProxy) { s.put = nil })
			w.age(time.Hour)
			got := w.swept()
			if stored && got.Adopted != 1 || !stored && got.Abandoned != 1 {
				t.Errorf("first sweep: got %+v", got)
			}
			w.age(time.Hour)
			w.swept()
			want := map[bool]int64{true: w.sql("update jobs set updated_at = now() where status = 'completed'"),
				false: w.sql("update jobs set updated_at = now() where status = 'failed' and error_code = $1", jobs.CodeUploadIncomplete)}
			if want[stored] != 1 || want[!stored] != 0 {
				t.Errorf("got %d completed and %d given up", want[true], want[false])
			}
		})
	}
}

// slowUpload sends a form with a file of the size, and stops before its end until it is let go on.
func slowUpload(url string, size int, reached func(), goOn <-chan struct{}) error {
	body, into := io.Pipe()
	form := multipart.NewWriter(into)
	go func() {
		part, err := form.CreateFormFile("file", "a.pdf")
		if err == nil {
			_, err = part.Write([]byte("%PDF-1.7\n"))
		}
		block := bytes.Repeat([]byte{' '}, 64<<10)
		for left := size; left > 0 && err == nil; left -= len(block) {
			_, err = part.Write(block)
		}
		reached()
		<-goOn
		into.CloseWithError(errors.Join(err, form.Close()))
	}()
	request, err := http.NewRequest("POST", url+"/api/upload", body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Prefer", "wait=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("got %s, want 202", response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// peak is the most memory that a process ever had, in bytes (proc_pid_status(5): VmHWM).
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("the kernel does not tell the peak of memory")
	return 0
}

// Many uploads of nearly the largest size are under way at once, all of them received but for their
// last bytes; then all are stored at once. The process must hold none of them in memory.
func TestMemoryDoesNotGrowWithUploads(t *testing.T) {
	w := newWorld(t, silent)
	child, url := w.start()
	const uploads, size = 40, 9 << 20
	if err := slowUpload(url, 1<<20, func() {}, closed); err != nil { // what it costs to have served at all
		t.Fatal(err)
	}
	before := peak(t, child.Process.Pid)
	goOn := make(chan struct{})
	var received, over sync.WaitGroup
	received.Add(uploads)
	for range uploads {
		over.Go(func() {
			if err := slowUpload(url, size, received.Done, goOn); err != nil {
				t.Errorf("an upload: %v", err)
			}
		})
	}
	received.Wait()
	close(goOn)
	over.Wait()
	const most = uploads * size / 6
	if grown := peak(t, child.Process.Pid) - before; grown > most {
		t.Errorf("memory grew by %d MiB over %d MiB for %d uploads of %d MiB, want less than %d", grown>>20, before>>20, uploads, size>>20, most>>20)
	} else {
		t.Logf("memory grew by %d MiB over %d MiB for %d uploads of %d MiB", grown>>20, before>>20, uploads, size>>20)
	}
	if n := w.sql("delete from jobs where uploaded_at is not null"); n != uploads+1 {
		t.Errorf("%d uploads were stored, want %d", n, uploads+1)
	}
}

// closed lets everybody go on.
var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

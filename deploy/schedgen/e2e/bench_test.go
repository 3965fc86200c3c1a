package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// BenchmarkUploadToEvents is one user who uploads one timetable after the other and waits for the
// events of each.
func BenchmarkUploadToEvents(b *testing.B) {
	address, stop := serving(b)
	defer stop()
	paper := generated(b, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5})
	client := newClient(b)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if err := uploadAndWait(b.Context(), client, address, paper); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[len(took)*95/100]), "p95-ms")
}

// BenchmarkHundredAtOnce is a hundred users who upload in the same moment: the time until the last of
// them has its events.
func BenchmarkHundredAtOnce(b *testing.B) {
	paper := generated(b, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5})
	for b.Loop() {
		b.StopTimer()
		address, stop := serving(b) // a new system: the rate limit lets a hundred through after a quiet time
		b.StartTimer()
		var users sync.WaitGroup
		for range 100 {
			client := newClient(b)
			users.Go(func() {
				if err := uploadAndWait(b.Context(), client, address, paper); err != nil {
					b.Error(err)
				}
			})
		}
		users.Wait()
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}

// BenchmarkColdStart is the time from exec to the first answer, without any dependency being up,
// beside a bare net/http server; with the size of the binary and the idle process's memory.
func BenchmarkColdStart(b *testing.B) {
	dir, err := programs()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"bare", "upload-ingest", "pdf-parse", "calendar-generate"} {
		b.Run(name, func(b *testing.B) {
			program := filepath.Join(dir, name)
			info, err := os.Stat(program)
			if err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			var memory float64
			for b.Loop() {
				d, rss := coldStart(b, program)
				took, memory = append(took, d), max(memory, rss)
			}
			slices.Sort(took)
			b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
			b.ReportMetric(milliseconds(took[len(took)-1]), "max-ms")
			b.ReportMetric(memory, "idle-MiB")
			b.ReportMetric(float64(info.Size())/(1<<20), "binary-MiB")
		})
	}
}

// coldStart starts a program whose dependencies are all away, and ends it after its first answer.
func coldStart(b *testing.B, program string) (took time.Duration, memory float64) {
	b.Helper()
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	if err := listener.Close(); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	spec := process.Spec{Path: program, Dir: dir, Env: append(nowhere(), "PORT="+port), Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM}
	began := time.Now()
	child, err := process.Start(spec)
	if err != nil {
		b.Fatal(err)
	}
	for {
		got, err := get(b.Context(), http.DefaultClient, "http://127.0.0.1:"+port+"/health")
		if err == nil {
			took = time.Since(began)
			if got.StatusCode != http.StatusOK {
				b.Fatalf("%s answered %d", program, got.StatusCode)
			}
			break
		}
		if time.Since(began) > patience {
			b.Fatal(err)
		}
	}
	memory = residentMemory(b, child.Pid())
	if err := child.Kill(); err != nil {
		b.Fatal(err)
	}
	return took, memory
}

// nowhere is a configuration whose servers do not exist.
func nowhere() []string {
	return []string{
		"DATABASE_URL=postgres://nobody:secret@127.0.0.1:1/none", "REDIS_URL=redis://127.0.0.1:1/0",
		"S3_URL=http://127.0.0.1:1", "S3_ACCESS_KEY=none", "S3_SECRET_KEY=none", "SESSION_KEY=" + sessionKey,
	}
}

// residentMemory is what a process holds, in MiB.
func residentMemory(t testing.TB, pid int) float64 {
	t.Helper()
	stat, err := statOf(strconv.Itoa(pid))
	if err != nil {
		t.Fatal(err)
	}
	return stat.mebibytes
}

// serving is the address of a system on servers of its own, until it is stopped.
func serving(b *testing.B) (address string, stop func()) {
	b.Helper()
	system, err := stack.Start(b.Context(), stack.Config{Data: dataDir(b), Settings: envconfig.MapLookuper(unlimitedSettings())})
	if err != nil {
		b.Fatal(err)
	}
	return system.URL(), func() {
		if err := system.Stop(); err != nil {
			b.Error(err)
		}
	}
}

func newClient(b *testing.B) *http.Client {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{}}
}

// uploadAndWait fails where the answer is not 201 with all events.
func uploadAndWait(ctx context.Context, client *http.Client, address string, paper printed) error {
	contentType, body := form(paper.pdf)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/api/upload", body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Prefer", "wait=20")
	got, err := send(client, request)
	if err != nil {
		return err
	}
	var up uploaded
	if err := json.Unmarshal(got.body, &up); err != nil {
		return err
	}
	if got.StatusCode != http.StatusCreated || !slices.Equal(told(paper.doc.Kind, up.Events), meetings(paper.doc)) {
		return fmt.Errorf("got %d %.300s", got.StatusCode, got.body)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// hostileUploads is how many TestHostileUploads sends where SCHEDGEN_TEST_HOSTILE does not say (`make hostile` does).
const hostileUploads = 300

// TestHostileUploads sends mutants, bombs and garbage to a whole system in a process of its own. Each must be answered,
// each job must end, and afterwards the process must have what it had before: no child, file, goroutine or temporary
// file more, but for readers that stay ready. Then it reads a timetable.
func TestHostileUploads(t *testing.T) {
	t.Parallel()
	count := hostileUploads
	if text := os.Getenv("SCHEDGEN_TEST_HOSTILE"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatalf("SCHEDGEN_TEST_HOSTILE: %v", err)
		}
	}
	system, temporary := systemInAProcess(t, unlimited...)
	w := newWorld(t, system.url)
	maker := newHostileMaker(t)
	send := func(from, to int) map[string]int {
		t.Helper()
		return sendHostile(t, w, maker, from, to)
	}
	send(0, 20) // what is made once, such as connections and readers that stay, is there now
	http.DefaultClient.CloseIdleConnections()
	before := leftovers(t, system, temporary)
	codes := send(20, count)
	http.DefaultClient.CloseIdleConnections()
	t.Logf("answers of %d uploads: %v", count, codes)
	nothingLeft(t, system, temporary, before)
	w.student(t).upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf)
}

// nothingLeft waits until a process has no more than before, but for connections and readers that stay.
func nothingLeft(t *testing.T, system *instance, temporary string, before map[string]int) {
	t.Helper()
	eventually(t, func() error {
		after := leftovers(t, system, temporary)
		for what, n := range after {
			if room := map[string]int{"goroutines": 30, "files": 40, "children": 5}[what]; n > before[what]+room {
				return fmt.Errorf("%d %s, before %d", n, what, before[what])
			}
		}
		return nil
	})
}

// systemInAProcess is `schedgen up` with some settings and flags (--name=value), and a folder of its own for temporary files.
func systemInAProcess(t *testing.T, settings ...string) (system *instance, temporary string) {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	port, temporary := freePort(t), t.TempDir()
	system = &instance{t: t, url: "http://127.0.0.1:" + port, spec: process.Spec{
		Path: filepath.Join(dir, "schedgen"), Args: []string{"up", "--port", port, "--data", dataDir(t)}, Dir: t.TempDir(),
		Env: []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + temporary},
		Log: filepath.Join(t.TempDir(), "log"), Death: syscall.SIGTERM,
	}}
	for _, given := range settings {
		if strings.HasPrefix(given, "--") {
			system.spec.Args = append(system.spec.Args, given)
		} else {
			system.spec.Env = append(system.spec.Env, given)
		}
	}
	if err := system.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.process.Stop(patience); err != nil {
			t.Errorf("the system did not end by itself: %v", err)
		}
		if said, err := os.ReadFile(system.spec.Log); err == nil && bytes.Contains(said, []byte(`"msg":"panic"`)) {
			t.Error("something panicked")
		}
	})
	return system, temporary
}

// sendHostile sends some of the uploads, several at once, and counts how they ended.
func sendHostile(t *testing.T, w *world, maker *hostileMaker, from, to int) map[string]int {
	t.Helper()
	codes, next := map[string]int{}, make(chan int)
	var mu sync.Mutex
	var senders sync.WaitGroup
	for range 6 {
		s := w.student(t)
		senders.Go(func() {
			for n := range next {
				code := s.endOf(maker.request(n))
				mu.Lock()
				codes[code]++
				mu.Unlock()
			}
		})
	}
	for n := from; n < to; n++ {
		next <- n
	}
	close(next)
	senders.Wait()
	return codes
}

// endOf sends an upload and says how it ended: by an error's code, or with the job. It fails the test where there is no
// answer, or one that blames the service.
func (s *student) endOf(contentType string, body []byte) string {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.world.url+"/api/upload", bytes.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return "no request"
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Prefer", "wait=20")
	got, err := send(&http.Client{Jar: s.client.Jar}, request)
	if err != nil {
		s.t.Errorf("no answer: %v", err)
		return "no answer"
	}
	if got.StatusCode >= 500 {
		s.t.Errorf("got %d %.300s", got.StatusCode, got.body)
	}
	var answered struct{ Error, JobID, Status string }
	got.into(s.t, &answered)
	if got.StatusCode != http.StatusAccepted {
		return strings.TrimSpace(fmt.Sprint(got.StatusCode, " ", answered.Error))
	}
	var job struct{ Status, ErrorCode string }
	eventually(s.t, func() error {
		read, err := get(s.t.Context(), &http.Client{Jar: s.client.Jar}, s.world.url+"/api/jobs/"+answered.JobID)
		if err != nil {
			return err
		}
		read.into(s.t, &job)
		if job.Status != "completed" && job.Status != "failed" {
			return fmt.Errorf("the job is %s", job.Status)
		}
		return nil
	})
	return "202 " + job.ErrorCode
}

// hostileMaker makes uploads, each by its number, so that one that fails can be made again.
type hostileMaker struct {
	seed  uint64
	files [][]byte // small enough to be changed a thousand times
	whole [][]byte
}

func newHostileMaker(t *testing.T) *hostileMaker {
	t.Helper()
	m := &hostileMaker{seed: tabletest.Seed(t)}
	t.Logf("SCHEDGEN_TEST_SEED=%d makes the same uploads again", m.seed)
	hostile, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	const small = 256 << 10
	for _, file := range hostile {
		m.whole = append(m.whole, file.PDF)
		if len(file.PDF) <= small {
			m.files = append(m.files, file.PDF)
		}
	}
	for seed := range uint64(20) {
		pdf, _, err := fixture.Generate(fixture.Random(m.seed + seed))
		if err != nil {
			t.Fatal(err)
		}
		m.files = append(m.files, pdf)
	}
	return m
}

// request is an upload: a file of its kind once in thirty, else a mutant, garbage, or a form that is none.
func (m *hostileMaker) request(n int) (contentType string, body []byte) {
	rng := rand.New(rand.NewPCG(m.seed, uint64(n)))
	file := m.files[rng.IntN(len(m.files))]
	switch {
	case n%30 == 0:
		file = m.whole[n/30%len(m.whole)]
	case n%30 < 24:
		file = mutant(rng, file, m.files[rng.IntN(len(m.files))])
	case n%30 < 27:
		file = append([]byte("%PDF-1.7\n"), garbage(rng, 1+rng.IntN(64<<10))...)
	default:
		contentType, form := form(file, "priority", "low")
		all, _ := io.ReadAll(form) // a buffer gives everything
		return contentType, mutant(rng, all, all)
	}
	contentType, form := form(file)
	body, _ = io.ReadAll(form)
	return contentType, body
}

func garbage(rng *rand.Rand, n int) []byte {
	all := make([]byte, n)
	for i := range all {
		all[i] = byte(rng.Uint32())
	}
	return all
}

// number finds what a mutant makes larger.
var number = regexp.MustCompile(`[0-9]{1,9}`)

// mutant is a file with some changes: bytes flipped, parts cut, doubled, taken from another, numbers replaced.
func mutant(rng *rand.Rand, file, other []byte) []byte {
	all := bytes.Clone(file)
	for range 1 + rng.IntN(8) {
		if len(all) < 2 {
			return all
		}
		at := rng.IntN(len(all))
		end := at + rng.IntN(min(len(all)-at, 4096))
		switch rng.IntN(6) {
		case 0:
			all[at] ^= 1 << rng.IntN(8)
		case 1:
			all = append(all[:at:at], all[end:]...)
		case 2:
			all = append(all[:end:end], all[at:]...)
		case 3:
			from := rng.IntN(max(1, len(other)))
			all = append(all[:at:at], append(bytes.Clone(other[from:min(len(other), from+4096)]), all[end:]...)...)
		case 4:
			copy(all[at:end], garbage(rng, end-at))
		case 5:
			values := []string{"0", "-1", "2147483648", "999999999999999999999", "1e308"}
			if found := number.FindIndex(all[at:]); found != nil {
				all = append(all[:at+found[0]:at+found[0]], append([]byte(values[rng.IntN(len(values))]), all[at+found[1]:]...)...)
			}
		}
	}
	return all
}

// goroutines finds their number in the metrics.
var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

// leftovers counts what a process has.
func leftovers(t *testing.T, system *instance, temporary string) map[string]int {
	t.Helper()
	proc := filepath.Join("/proc", system.pid())
	count := func(dir string) int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	metrics, err := get(t.Context(), http.DefaultClient, system.url+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	running := 0
	if found := goroutines.FindSubmatch(metrics.body); found != nil {
		running, _ = strconv.Atoi(string(found[1])) // digits
	}
	return map[string]int{"children": len(childrenOf(system.pid())), "files": count(filepath.Join(proc, "fd")), "goroutines": running, "temporary files": count(temporary)}
}

package e2e_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// overload is how long TestOverload sends too much where SCHEDGEN_TEST_OVERLOAD does not say (`make overload` does).
const overload = 2 * time.Second

// refusedWithin is how soon 99 of 100 refusals come where the machine has nothing else to do: `make overload` holds a
// system to it.
const refusedWithin = 250 * time.Millisecond

// TestOverload measures how many uploads a whole system reads, and then sends ten times as many, each from an address of
// its own, with the limits that are on by default. Each must be answered, and what was accepted must be read. Within two
// minutes the process must have no more than before: no child, file, goroutine or temporary file, and no more memory.
func TestOverload(t *testing.T) {
	t.Parallel()
	long := overload
	text, strict := os.LookupEnv("SCHEDGEN_TEST_OVERLOAD")
	if strict {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SCHEDGEN_TEST_OVERLOAD: %v", err)
		}
	}
	system, temporary := systemInAProcess(t, "TRUSTED_PROXIES=127.0.0.0/8", "LIMIT_PENDING=50")
	f := newFlood(t, system.url)
	capacity := f.capacity(max(time.Second, long/10))
	f.client.CloseIdleConnections()
	before, memoryBefore := leftovers(t, system, temporary), memory(t, system)

	f.send(10*capacity, long)
	f.report(capacity, strict)
	f.client.CloseIdleConnections()
	f.allRead()
	f.client.CloseIdleConnections()
	nothingLeft(t, system, temporary, before)
	memoryAfter := memory(t, system)
	t.Logf("memory: %d MiB before, %d MiB after", memoryBefore>>20, memoryAfter>>20)
	if strict && memoryAfter > 2*memoryBefore {
		t.Errorf("memory grew from %d to %d MiB", memoryBefore>>20, memoryAfter>>20)
	}
	newWorld(t, system.url).student(t).upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf)
}

// flood sends uploads from many addresses.
type flood struct {
	*testing.T
	url         string
	client      *http.Client
	contentType string
	body        []byte
	next        atomic.Uint32 // address

	mu       sync.Mutex
	accepted []acceptedUpload
	refused  map[string][]time.Duration // how long refusals took, by code
	late     int                        // uploads that this program did not come to send
}

type acceptedUpload struct {
	id     string
	cookie *http.Cookie
}

func newFlood(t *testing.T, url string) *flood {
	contentType, body := form(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5}).pdf)
	all, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 200}
	return &flood{T: t, url: url, contentType: contentType, body: all, refused: map[string][]time.Duration{},
		client: &http.Client{Transport: transport, Timeout: patience}}
}

// address is one that nobody had before.
func (f *flood) address() string {
	n := f.next.Add(1)
	return netip.AddrFrom4([4]byte{100, byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

// upload sends one upload, and notes what became of it.
func (f *flood) upload(wait string) {
	request, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.url+"/api/upload", bytes.NewReader(f.body))
	if err != nil {
		f.Error(err)
		return
	}
	request.Header.Set("Content-Type", f.contentType)
	request.Header.Set("Prefer", wait)
	request.Header.Set("X-Forwarded-For", f.address())
	began := time.Now()
	got, err := send(f.client, request)
	took := time.Since(began)
	if err != nil {
		f.Errorf("no answer after %s: %v", took, err)
		return
	}
	var answered struct{ Error, JobID string }
	got.into(f.T, &answered)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch got.StatusCode {
	case http.StatusAccepted, http.StatusCreated:
		f.accepted = append(f.accepted, acceptedUpload{answered.JobID, slices.Concat(got.Cookies(), []*http.Cookie{nil})[0]})
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if got.Header.Get("Retry-After") == "" || answered.Error == "" {
			f.Errorf("a refusal does not say when to come back: %d %v", got.StatusCode, got.Header)
		}
		f.refused[answered.Error] = append(f.refused[answered.Error], took)
	default:
		f.Errorf("got %d %.300s", got.StatusCode, got.body)
	}
}

// capacity is how many uploads are read in a second.
func (f *flood) capacity(measured time.Duration) int {
	var senders sync.WaitGroup
	end := time.Now().Add(measured)
	for range 4 {
		senders.Go(func() {
			for time.Now().Before(end) {
				f.upload("wait=20")
			}
		})
	}
	senders.Wait()
	return max(1, int(float64(len(f.accepted))/measured.Seconds()))
}

// send sends so many uploads a second, whether or not those before are answered.
func (f *flood) send(perSecond int, long time.Duration) {
	const most = 200 // on their way at once: more than the system serves of all
	due, end := make(chan struct{}, most), time.NewTimer(long)
	var senders sync.WaitGroup
	for range most {
		senders.Go(func() {
			for range due {
				f.upload("wait=0")
			}
		})
	}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-end.C:
			over = true
		case <-tick.C:
			select {
			case due <- struct{}{}:
			default:
				f.late++
			}
		}
	}
	close(due)
	senders.Wait()
}

// report shows what became of the uploads, and holds refusals to their time if it is strict.
func (f *flood) report(capacity int, strict bool) {
	load, _ := os.ReadFile("/proc/loadavg") // nothing where there is none
	f.Logf("capacity %d uploads a second; %d accepted in all, %d not sent in time; load %s", capacity, len(f.accepted), f.late, bytes.TrimSpace(load))
	var all []time.Duration
	for code, took := range f.refused {
		slices.Sort(took)
		all = append(all, took...)
		f.Logf("%d refused with %s: median %s, p99 %s, longest %s", len(took), code, took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
	}
	if len(all) == 0 {
		f.Error("nothing was refused")
		return
	}
	slices.Sort(all)
	if p99 := all[len(all)*99/100]; strict && p99 >= refusedWithin {
		f.Errorf("p99 of refusals is %s, want less than %s", p99, refusedWithin)
	}
}

// allRead waits for the jobs that were accepted.
func (f *flood) allRead() {
	f.Helper()
	jobs := make(chan acceptedUpload, len(f.accepted))
	for _, job := range f.accepted {
		jobs <- job
	}
	close(jobs)
	var askers sync.WaitGroup
	var lost atomic.Value
	for range 8 {
		askers.Go(func() {
			for job := range jobs {
				if err := f.read(job); err != nil {
					lost.Store(err.Error())
				}
			}
		})
	}
	askers.Wait()
	if why := lost.Load(); why != nil {
		f.Errorf("an accepted upload was lost: %v", why)
	}
}

// read waits for one job.
func (f *flood) read(job acceptedUpload) error {
	if job.cookie == nil {
		return errors.New("its answer gave no session")
	}
	address, problem := f.address(), error(nil)
	for end := time.Now().Add(patience); time.Now().Before(end) && f.Context().Err() == nil; {
		request, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.url+"/api/jobs/"+job.id, nil)
		if err != nil {
			return err
		}
		request.AddCookie(job.cookie)
		request.Header.Set("X-Forwarded-For", address)
		got, err := send(f.client, request)
		if err != nil {
			return err
		}
		var answered struct{ Status, Error string }
		got.into(f.T, &answered)
		if answered.Status == "completed" {
			return nil
		}
		problem = fmt.Errorf("job %s: %d %s", job.id, got.StatusCode, cmp.Or(answered.Status, answered.Error))
		if answered.Status == "failed" || got.StatusCode == http.StatusNotFound {
			return problem
		}
		select {
		case <-time.After(200 * time.Millisecond): // a caller's pause; nothing is right or wrong by it
		case <-f.Context().Done():
		}
	}
	return problem
}

// memory is what a process holds, in bytes.
func memory(t *testing.T, system *instance) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(system.process.Pid()), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

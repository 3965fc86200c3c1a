package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"slices"
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
// minutes the process must have no child, file, goroutine or temporary file more than before. `make overload` also holds
// refusals to their time, and the process to at most twice its memory.
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
	const pending = 50
	system, temporary := systemInAProcess(t, "TRUSTED_PROXIES=127.0.0.0/8", fmt.Sprint("LIMIT_PENDING=", pending))
	f := newFlood(t, system.url)
	capacity := f.capacity(max(time.Second, long/10))
	f.client.CloseIdleConnections()
	before, memoryBefore := leftovers(t, system, temporary), residentMemory(t, system.process.Pid())

	// On a machine that does much else, ten times the capacity of a short run is less than what may wait.
	f.send(max(10*capacity, int(3*pending/long.Seconds())), long)
	f.report(capacity, strict)
	f.client.CloseIdleConnections()
	f.allRead()
	f.client.CloseIdleConnections()
	nothingLeft(t, system, temporary, before)
	memoryAfter := residentMemory(t, system.process.Pid())
	t.Logf("memory: %.0f MiB before, %.0f MiB after", memoryBefore, memoryAfter)
	if strict && memoryAfter > 2*memoryBefore {
		t.Errorf("memory grew from %.0f to %.0f MiB", memoryBefore, memoryAfter)
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
	atOnce   int                        // accepted uploads whose answer had the events
	refused  map[string][]time.Duration // how long refusals took from when they were due, by code
	sent     int
	late     int // uploads that this program did not come to send
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

// upload sends one upload that was due at a moment, and notes what became of it.
func (f *flood) upload(due time.Time, wait string) {
	request, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.url+"/api/upload", bytes.NewReader(f.body))
	if err != nil {
		f.Error(err)
		return
	}
	request.Header.Set("Content-Type", f.contentType)
	request.Header.Set("Prefer", wait)
	request.Header.Set("X-Forwarded-For", f.address())
	got, err := send(f.client, request)
	took := time.Since(due)
	if err != nil {
		f.Errorf("no answer after %s: %v", took, err)
		return
	}
	var answered struct{ Error, JobID string }
	if err := json.Unmarshal(got.body, &answered); err != nil {
		f.Errorf("%v: %.300s", err, got.body)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch got.StatusCode {
	case http.StatusAccepted, http.StatusCreated:
		accepted := acceptedUpload{id: answered.JobID}
		if cookies := got.Cookies(); len(cookies) > 0 {
			accepted.cookie = cookies[0]
		}
		f.accepted = append(f.accepted, accepted)
		if got.StatusCode == http.StatusCreated {
			f.atOnce++
		}
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
	began := time.Now()
	for range 4 {
		senders.Go(func() {
			for time.Since(began) < measured {
				f.upload(time.Now(), "wait=20")
			}
		})
	}
	senders.Wait()
	return max(1, int(float64(f.atOnce)/time.Since(began).Seconds()))
}

// send sends so many uploads a second, as far as 200 of them on their way at once let it.
func (f *flood) send(perSecond int, long time.Duration) {
	const most = 200 // on their way at once: more than the system serves of all
	due, end := make(chan time.Time, most), time.NewTimer(long)
	var senders sync.WaitGroup
	for range most {
		senders.Go(func() {
			for moment := range due {
				f.upload(moment, "wait=0")
			}
		})
	}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-end.C:
			over = true
		case moment := <-tick.C:
			select {
			case due <- moment:
				f.sent++
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
	f.Logf("capacity %d uploads a second; %d sent, %d accepted in all, %d not sent in time; load %s", capacity, f.sent, len(f.accepted), f.late, bytes.TrimSpace(load))
	if strict && f.late > f.sent/10 {
		f.Errorf("%d uploads were not sent in time: the system was not sent what it should have been", f.late)
	}
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
		if err := json.Unmarshal(got.body, &answered); err != nil {
			return err
		}
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

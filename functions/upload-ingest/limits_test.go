package uploadingest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
)

// idle lets jobs pend: the reader takes no event.
func idle(w *world) { w.reader.set(func(r *reader) { r.status = http.StatusServiceUnavailable }) }

// jobsKept counts all jobs.
func (w *world) jobsKept() int64 { return w.sql(`update jobs set size = size`) }

func TestEachOwnerMayUploadTenTimesAnHour(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Guard.Uploads = ratelimit.Rate{} })) // the default
	s := w.student()
	for n := range 10 {
		if got := s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted).Header.Get("RateLimit-Remaining"); got != strconv.Itoa(9-n) {
			t.Errorf("upload %d: %s remain", n+1, got)
		}
	}
	before := w.jobsKept()
	refused := s.upload(pdf(), "Prefer", "wait=0")
	refused.Refused(http.StatusTooManyRequests, api.RateLimited)
	if refused.Header.Get("Retry-After") == "" || w.jobsKept() != before {
		t.Errorf("the eleventh: got %v, and %d jobs instead of %d", refused.Header, w.jobsKept(), before)
	}
	w.student().upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
}

func TestUploadsAreRefusedWhileTooManyJobsArePending(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Pending, c.PriorityToken = 3, secret.New("may") }))
	s := w.student()
	for range 3 {
		s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	}
	puts := w.store.puts.Load()
	refused := s.upload(pdf(), "Prefer", "wait=0")
	refused.Refused(http.StatusServiceUnavailable, api.QueueFull)
	if refused.Header.Get("Retry-After") != "30" {
		t.Errorf("got Retry-After %q, want 30", refused.Header.Get("Retry-After"))
	}
	prioritised := func(priority, token string) functest.Answer {
		form, contentType := formOf(t, field{"file", "a.pdf", pdf()}, field{"priority", "", []byte(priority)})
		return s.do(s.client, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=0", "Priority-Token", token)
	}
	for _, c := range [][2]string{{"low", ""}, {"high", ""}, {"high", "guess"}, {"normal", "may"}} {
		prioritised(c[0], c[1]).Refused(http.StatusServiceUnavailable, api.QueueFull)
	}
	if w.jobsKept() != 3 || w.store.puts.Load() != puts {
		t.Errorf("%d jobs and %d more objects are kept of what was refused", w.jobsKept()-3, w.store.puts.Load()-puts)
	}
	prioritised("high", "may").Want(http.StatusAccepted)
	prioritised("high", "may").Refused(http.StatusServiceUnavailable, api.QueueFull)

	w.sql(`update jobs set status = 'failed', error_code = 'X', completed_at = now(), share = null`)
	w.f.backlog.before.last.Store(nil)
	s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
}

// TestUploadsAtOnceDoNotOverfillTheQueue: those that are stored count for those that come meanwhile.
func TestUploadsAtOnceDoNotOverfillTheQueue(t *testing.T) {
	const most, sent = 3, 12
	w := newWorld(t, silent, with(func(c *Config) { c.Pending = most }))
	stored := make(chan struct{})
	store := sync.OnceFunc(func() { close(stored) })
	t.Cleanup(store)
	w.store.set(func(s *storeProxy) {
		s.put = func(rw http.ResponseWriter, _ *http.Request, forward func(http.ResponseWriter)) {
			<-stored
			forward(rw)
		}
	})
	answers := make(chan int, sent)
	var all sync.WaitGroup
	for range sent {
		s := w.student()
		all.Go(func() { answers <- s.upload(pdf(), "Prefer", "wait=0").StatusCode })
	}
	accepted := 0
	for n := range sent {
		if n == sent-most {
			store() // what is refused has waited for no other
		}
		select {
		case status := <-answers:
			if status == http.StatusAccepted {
				accepted++
			}
		case <-time.After(patience):
			t.Fatalf("%d of %d uploads have their answer: the others wait to be stored", n, sent)
		}
	}
	all.Wait()
	if accepted != most || w.jobsKept() != most {
		t.Errorf("%d uploads at once: %d accepted and %d kept, want %d", sent, accepted, w.jobsKept(), most)
	}
}

// While the database is away nobody knows how many jobs are pending: that is an outage, and no full queue.
func TestAnOutageOfTheDatabaseIsNoFullQueue(t *testing.T) {
	w := newWorldBeside(newWorld(t, silent), func(c *Config) {
		c.Pending, c.Guard.Uploads, c.Guard.Address = 3, ratelimit.Rate{Count: 2, Per: time.Hour}, 1
		c.Postgres.URL = secret.New("postgres://schedgen@127.0.0.1:1/schedgen")
	})
	for range 3 {
		w.student().upload(pdf(), "Prefer", "wait=0").Refused(http.StatusServiceUnavailable, api.DatabaseUnavailable)
	}
	metrics := string(w.do(http.DefaultClient, "GET", "/metrics", nil).Body)
	if !strings.Contains(metrics, `schedgen_uploads_total{outcome="unavailable"} 3`) || strings.Contains(metrics, `policy="pending"`) {
		t.Errorf("the metrics tell of a full queue:\n%s", metrics)
	}
}

// Who goes away while the jobs are counted was not refused for a fault of ours.
func TestACallerWhoGoesAwayIsNoOutage(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Pending = 3 }))
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := w.f.notAdmitted(gone, w.f.backlog.admit(gone, jobs.Normal)); err == nil {
		t.Error("it was admitted without a count")
	}
	if got := metric(w, `schedgen_uploads_total{outcome="unavailable"}`); got != "0" {
		t.Errorf("%s uploads are counted as unavailable, want none", got)
	}
}

// A refusal comes before a byte of the file does.
func TestAFullQueueReadsNothing(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Pending = 1 }))
	w.student().upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("%v; got %+v, want 503", err, res)
	}
	res.Body.Close()
}

// Ten times as much as there is room for comes to a process of its own. It keeps what it accepted, refuses the rest, and
// holds nothing more afterwards than before.
func TestAnOverloadLeavesNothingBehind(t *testing.T) {
	const pending, clients = 20, 8
	const most = 4 * clients // goroutines and files of connections that are kept; 200 uploads came
	w := newWorld(t)
	idle(w)
	child, url := w.start(fmt.Sprintf("LIMIT_PENDING=%d", pending))
	t.Cleanup(func() { _, _ = child.Process.Kill(), child.Wait() })
	away, client := *w, &http.Client{Transport: new(http.Transport)}
	away.url = url
	away.student().upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	before := holdings(away.do(client, "GET", "/metrics", nil))

	var accepted, refused atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range 10 * pending / clients {
				form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
				switch a := away.do(client, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=0"); a.StatusCode {
				case http.StatusAccepted:
					accepted.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					t.Errorf("got %d %s", a.StatusCode, a.Body)
				}
			}
		})
	}
	all.Wait()
	if n := accepted.Load(); n < pending-1 || n > pending+clients || n+refused.Load() != 10*pending {
		t.Errorf("%d accepted and %d refused, want some %d of %d accepted", n, refused.Load(), pending, 10*pending)
	}

	w.reader.set(func(r *reader) { r.status = 0 })
	done := func() int64 { return w.sql(`update jobs set size = size where status = 'completed'`) }
	for end := time.Now().Add(patience); done() <= accepted.Load(); {
		if time.Now().After(end) {
			t.Fatalf("%d of the %d accepted uploads were read", done(), accepted.Load()+1)
		}
		w.age(time.Hour)
		w.swept()
	}
	for end := time.Now().Add(patience); ; {
		after := holdings(away.do(client, "GET", "/metrics", nil))
		if after[0] <= before[0]+most && after[1] <= before[1]+most {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("goroutines and files: %v, before %v", after, before)
		}
		client.CloseIdleConnections()
	}
}

// holdings are the goroutines and the open files of a process, as it tells of them.
func holdings(a functest.Answer) (held [2]float64) {
	a.Helper()
	for line := range strings.Lines(string(a.Body)) {
		for i, name := range []string{"go_goroutines ", "process_open_fds "} {
			if value, ok := strings.CutPrefix(line, name); ok {
				held[i], _ = strconv.ParseFloat(strings.TrimSpace(value), 64)
			}
		}
	}
	if held[0] == 0 || held[1] == 0 {
		a.Fatalf("the metrics tell nothing of goroutines and files")
	}
	return held
}

func TestAnOwnersStorageIsBounded(t *testing.T) {
	size := int64(len(pdf()))
	w := newWorld(t, silent, with(func(c *Config) { c.StorageQuota = 2*size + 1 }))
	s := w.student()
	nobody := functest.Read[storageUsage](w.do(w.client, "GET", "/api/storage/usage", nil).Want(http.StatusOK))
	if nobody != (storageUsage{QuotaBytes: 2*size + 1, AvailableBytes: 2*size + 1}) {
		t.Errorf("nobody's: got %+v", nobody)
	}
	first := functest.Read[uploadAnswer](s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)).JobID
	s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	want := storageUsage{UsedBytes: 2 * size, QuotaBytes: 2*size + 1, AvailableBytes: 1}
	got := functest.Read[storageUsage](s.call("GET", "/api/storage/usage").Want(http.StatusOK))
	want.UsedPercentage = got.UsedPercentage
	if got != want || got.UsedPercentage < 90 || got.UsedPercentage > 100 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	puts := w.store.puts.Load()
	refused := s.upload(pdf(), "Prefer", "wait=0").Refused(http.StatusRequestEntityTooLarge, api.QuotaExceeded)
	if details := fmt.Sprint(refused.Details); !strings.Contains(details, "usedBytes") || !strings.Contains(details, "availableBytes:1") {
		t.Errorf("got the details %s", details)
	}
	if w.store.puts.Load() != puts || w.jobsKept() != 2 {
		t.Error("something of what was refused is stored")
	}
	w.student().upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	s.call("DELETE", "/api/jobs/"+first).Want(http.StatusNoContent)
	s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
}

func TestAnOwnersJobsAreBounded(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.JobsPerOwner = 2 }))
	s := w.student()
	for range 2 {
		s.upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	}
	if got := s.upload(pdf(), "Prefer", "wait=0").Refused(http.StatusConflict, api.Conflict); fmt.Sprint(got.Details) != "map[limit:2]" {
		t.Errorf("got the details %v", got.Details)
	}
	w.student().upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
}

func TestAnOperatorListsAndLiftsBlocks(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Guard.SignIn = ratelimit.Rate{Count: 2, Per: time.Hour} }))
	guess := func() functest.Answer {
		return w.do(w.client, "GET", "/api/admin/limits", nil, "Authorization", "Bearer guess")
	}
	guess().Refused(http.StatusUnauthorized, api.Unauthorized)
	guess().Refused(http.StatusUnauthorized, api.Unauthorized)
	guess().Refused(http.StatusTooManyRequests, api.RateLimited)
	w.admin("GET", "/api/admin/limits").Refused(http.StatusTooManyRequests, api.RateLimited) // the same address

	elsewhere := newWorldBeside(w, func(c *Config) { c.Guard = ratelimit.Unlimited }) // as from another address
	blocks := functest.Read[map[string][]ratelimit.Block](elsewhere.admin("GET", "/api/admin/limits").Want(http.StatusOK))["blocks"]
	if len(blocks) != 1 || blocks[0].Of != "address" {
		t.Fatalf("got %+v, want the block of one address", blocks)
	}
	elsewhere.admin("DELETE", "/api/admin/limits/127.0.0.1").Want(http.StatusNoContent)
	elsewhere.admin("DELETE", "/api/admin/limits/%s", blocks[0].ID).Refused(http.StatusNotFound, api.NotFound)
	w.admin("GET", "/api/admin/limits").Want(http.StatusOK)
}

// The admin token may be tried at health, too, which stays open to all who send none.
func TestGuessesAtHealthAreCounted(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Guard.SignIn = ratelimit.Rate{Count: 2, Per: time.Hour} }))
	health := func(headers ...string) functest.Answer { return w.do(w.client, "GET", "/api/health", nil, headers...) }
	health("Authorization", "Bearer guess").Refused(http.StatusUnauthorized, api.Unauthorized)
	health("Authorization", "Bearer guess").Refused(http.StatusUnauthorized, api.Unauthorized)
	health("Authorization", "Bearer "+adminToken).Refused(http.StatusTooManyRequests, api.RateLimited)
	health().Want(http.StatusOK)
}

// The admin token may be tried at tasks, too.
func TestGuessesAtTasksAreCounted(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Guard.SignIn = ratelimit.Rate{Count: 2, Per: time.Hour} }))
	sweep := func(token string) functest.Answer {
		return w.do(w.client, "POST", "/tasks/sweep", nil, "Authorization", "Bearer "+token)
	}
	sweep("guess").Refused(http.StatusUnauthorized, api.Unauthorized)
	sweep("guess").Refused(http.StatusUnauthorized, api.Unauthorized)
	sweep(adminToken).Refused(http.StatusTooManyRequests, api.RateLimited)
	w.admin("GET", "/api/admin/limits").Refused(http.StatusTooManyRequests, api.RateLimited)
	sweep(eventToken).Want(http.StatusOK)
}

package e2e_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
)

// TestEightCostlyRequestsAtOnceFitIntoTheContainers sends the costliest requests of each operation, eight at once, and then
// each kind of hostile file in the same way, to containers with the scaling table's limits. Each is answered, the kernel
// ends nothing, and no process has eight times the bound of a single request more than idle.
func TestEightCostlyRequestsAtOnceFitIntoTheContainers(t *testing.T) {
	t.Parallel()
	needContainers(t)
	c := newCosts(t, containerSite(t, nil, quickGoogle))
	functions := map[string]*instance{"upload-ingest": c.site.ingest, "pdf-parse": c.site.parse[0], "calendar-generate": c.site.calendar,
		"google-sync": c.site.google, "backup": c.site.backup}
	meters := map[string]*meter{}
	for name, i := range functions {
		meters[name] = newMeter(t, i.pid())
	}
	c.each(c.tryAtOnce)
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	uploadAtOnce(t, c.site.world, files)
	for name, i := range functions {
		used := meters[name].spent().memory
		t.Logf("%s: at most %s above idle", name, mebibytes(used))
		if used > atOnce*costMemory {
			t.Errorf("%s: %s above idle, want at most %s", name, mebibytes(used), mebibytes(atOnce*costMemory))
		}
		if killed := counted(t, i.id(), kills); killed != 0 {
			t.Errorf("%s: the kernel ended %d processes for memory", name, killed)
		}
		if _, err := get(t.Context(), http.DefaultClient, i.url+"/health"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tryAtOnce sends an operation's costliest requests eight at once, each at least once, and as many as that. What is full or
// busy may say so, as long as one is answered as it should be.
func (c *costs) tryAtOnce(tried try, o openapitest.Operation) {
	c.t.Helper()
	c.execute(roomSQL)
	addresses, bodies := tried.requests(c, o)
	var lock sync.Mutex
	statuses := map[int]int{}
	for first := 0; first < len(bodies); first += atOnce {
		var all sync.WaitGroup
		for n := range atOnce {
			all.Go(func() {
				status, answer := c.send(tried, o, addresses[n%len(addresses)], bodies[(first+n)%len(bodies)])
				lock.Lock()
				defer lock.Unlock()
				statuses[status]++
				if status == tried.want {
					c.last[tried.operation] = answer
				}
				if status == http.StatusInternalServerError || status == http.StatusBadGateway {
					c.t.Errorf("%s: %d %.300s", tried.operation, status, answer)
				}
			})
		}
		all.Wait()
		c.settle()
	}
	c.t.Logf("%s: %v answers", tried.operation, statuses)
	if statuses[tried.want] == 0 || statuses[0] > 0 {
		c.t.Errorf("%s: got answers by status %v, want some of %d", tried.operation, statuses, tried.want)
	}
}

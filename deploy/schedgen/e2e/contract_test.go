package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/timetable"
)

// call is one request, to a function's own address or that of what stands in front; its answer's status.
type call func(ctx context.Context, address string) (int, error)

// subjects are the functions, each with a call that cannot be answered without the database. What a call
// needs is made before, while the database answers.
var subjects = map[string]func(*backends) call{
	"upload-ingest": func(b *backends) call {
		pdf := generated(b.t, fixture.Options{Kind: timetable.Test, Seed: 1, Modules: 1}).pdf
		return func(ctx context.Context, address string) (int, error) {
			got, err := upload(ctx, http.DefaultClient, address, pdf)
			if err != nil {
				return 0, err
			}
			return got.StatusCode, nil
		}
	},
	"pdf-parse": func(b *backends) call {
		job := b.uploaded(ownClient(b.t), 1)[0] // several deliveries of it are what a broker does
		return func(ctx context.Context, address string) (int, error) { return deliver(ctx, address, job) }
	},
	"calendar-generate": func(b *backends) call { return getAs(b.t, "/api/feeds") },
	"google-sync":       func(b *backends) call { return getAs(b.t, "/api/auth/status") },
	"backup": func(*backends) call {
		return func(ctx context.Context, address string) (int, error) {
			return ask(ctx, http.MethodPost, address+"/", "", "Authorization", "Bearer "+eventToken)
		}
	},
}

// getAs asks for a path in the name of somebody.
func getAs(t *testing.T, path string) call {
	t.Helper()
	sessions, err := session.New(session.Config{Keys: secret.List(sessionKey)})
	if err != nil {
		t.Fatal(err)
	}
	token := sessions.Token(uuid.NewString())
	return func(ctx context.Context, address string) (int, error) {
		return ask(ctx, http.MethodGet, address+path, "", "Authorization", "Bearer "+token)
	}
}

// contract is a function behind a platform's proxy, and what is expected of the two.
type contract struct {
	*backends
	on    platform
	name  string
	limit int // requests at once, by the scaling table
	pod   *pod
}

// TestEveryFunctionKeepsThePlatformsContracts holds requests of each function behind each platform's proxy, with
// a database that hangs: the limit holds, probes are answered, a timeout cuts, and a drain loses nothing.
func TestEveryFunctionKeepsThePlatformsContracts(t *testing.T) {
	t.Parallel()
	for name, row := range scaling(t) {
		if name == "web" {
			continue // it calls no other service, so nothing can hold its requests
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if subjects[name] == nil {
				t.Fatalf("this test has no call for %s; add it to subjects", name)
			}
			onEachPlatform(t, func(t *testing.T, on platform) {
				c := &contract{backends: newBackends(t), on: on, name: name, limit: row.Concurrency}
				c.pod = on.run(c.backends, name, patience)
				c.limitHolds()
				c.timeoutCuts()
				c.drainLosesNothing()
			})
		})
	}
}

// limitHolds sends one request more than the platform takes: that one is refused, as many as the table says
// are worked on, the others wait, and all but the one are answered in the end. Meanwhile probes are.
func (c *contract) limitHolds() {
	c.t.Helper()
	taken := c.limit * (1 + c.on.waiting)
	call := subjects[c.name](c.backends)
	c.database.shut()
	statuses := c.send(call, c.pod.url, taken+1)
	c.next("beyond the limit", statuses, c.on.beyond)
	c.working(c.pod, c.limit)
	for path, want := range map[string]int{"/health": http.StatusOK, "/ready": http.StatusServiceUnavailable} {
		eventually(c.t, func() error {
			got, err := kubeletProbe(c.t.Context(), c.pod.function+path)
			if err == nil && (got.StatusCode != want || !strings.Contains(string(got.body), `"postgres":{"status":"down"`)) {
				err = fmt.Errorf("%s of a full function: got %s %.300s, want %d", path, got.Status, got.body, want)
			}
			return err
		})
	}
	eventually(c.t, func() error {
		got, err := c.pod.ready(c.t.Context())
		if err == nil && got.StatusCode != c.on.full {
			err = fmt.Errorf("readiness of a full function: got %s, want %d", got.Status, c.on.full)
		}
		return err
	})
	c.working(c.pod, c.limit)
	if c.name != "pdf-parse" { // that asks the database first whether the event must come again
		c.next("one more, to the function itself", c.send(call, c.pod.function, 1), http.StatusTooManyRequests)
	}
	c.database.lift()
	c.answered("within the limit", statuses, taken)
}

// timeoutCuts gives the function a second instance, behind a proxy without patience.
func (c *contract) timeoutCuts() {
	c.t.Helper()
	hasty := c.on.run(c.backends, c.name, time.Second)
	call := subjects[c.name](c.backends)
	c.database.shut()
	c.next("past the timeout", c.send(call, hasty.url, 1), http.StatusGatewayTimeout)
	c.database.lift()
	c.working(hasty, 0) // it holds no lease that others would wait for
	if err := hasty.kill(); err != nil {
		c.t.Error(err)
	}
}

// drainLosesNothing ends the pod while it works. What is in flight is answered, and so is what still comes:
// through the proxy that drains, and to the function after its SIGTERM.
func (c *contract) drainLosesNothing() {
	c.t.Helper()
	call := subjects[c.name](c.backends)
	c.database.shut()
	held := c.send(call, c.pod.url, 1)
	c.working(c.pod, 1)
	ended := make(chan error, 1)
	go func() { ended <- c.pod.end() }()
	eventually(c.t, func() error { return c.pod.draining(c.t.Context()) })
	late := c.send(call, c.pod.url, 1)
	if c.limit == 1 && c.on.waiting == 0 {
		c.next("late, to a proxy with its one request", late, c.on.beyond)
	} else {
		defer c.answered("late", late, 1)
	}
	c.working(c.pod, min(2, c.limit))
	eventually(c.t, func() error { return c.terminated() })
	if c.limit > 1 {
		defer c.answered("after SIGTERM", c.send(call, c.pod.function, 1), 1)
		c.working(c.pod, 3)
	}
	c.database.lift()
	c.answered("in flight", held, 1)
	if err := <-ended; err != nil {
		c.t.Errorf("the end: %v", err)
	}
}

// terminated says whether the function itself has got SIGTERM.
func (c *contract) terminated() error {
	got, err := get(c.t.Context(), http.DefaultClient, c.pod.function+"/ready")
	if err == nil && !strings.Contains(string(got.body), `"draining"`) {
		err = fmt.Errorf("the function is not told to end: %.300s", got.body)
	}
	return err
}

// send makes n calls at once; each answer's status comes out of the channel.
func (b *backends) send(call call, to string, n int) <-chan int {
	statuses := make(chan int, n)
	for range n {
		b.calls.Go(func() {
			status, err := call(b.t.Context(), to)
			if err != nil && b.t.Context().Err() == nil {
				b.t.Errorf("a request got no answer: %v", err)
			}
			statuses <- status
		})
	}
	return statuses
}

// next wants the next answer to have that status.
func (b *backends) next(what string, statuses <-chan int, want int) {
	b.t.Helper()
	select {
	case got := <-statuses:
		if got != want {
			b.t.Fatalf("%s: got %d, want %d", what, got, want)
		}
	case <-time.After(patience):
		b.t.Fatalf("%s: no answer after %s, want %d", what, patience, want)
	}
}

// answered wants n more answers, all of them good.
func (b *backends) answered(what string, statuses <-chan int, n int) {
	b.t.Helper()
	got := map[int]int{}
	over := time.After(patience)
	for range n {
		select {
		case status := <-statuses:
			got[status/100]++
		case <-over:
			b.t.Fatalf("%s: %v of %d are answered after %s", what, got, n, patience)
		}
	}
	if got[2] != n {
		b.t.Errorf("%s: got answers by class %v, want %d of 2xx", what, got, n)
	}
}

// working waits until the pod's function works on so many requests, as it counts them itself.
func (c *contract) working(p *pod, want int) {
	c.t.Helper()
	eventually(c.t, func() error {
		got, err := metric(c.t.Context(), p.function, `http_requests_in_flight\{.*\}`)
		if err == nil && got != want {
			err = fmt.Errorf("%s works on %d requests, want %d", c.name, got, want)
		}
		return err
	})
}

// work counts the events that an instance of pdf-parse worked on.
func (i *instance) work(ctx context.Context) (int, error) {
	return metric(ctx, i.url, `schedgen_parse_events_total\{outcome="work"\}`)
}

// metric is a number that a function tells of itself; 0 while it tells none of that name.
func metric(ctx context.Context, address, pattern string) (int, error) {
	got, err := get(ctx, http.DefaultClient, address+"/metrics")
	if err != nil {
		return 0, err
	}
	match := regexp.MustCompile(`(?m)^` + pattern + ` (\d+)`).FindSubmatch(got.body)
	if match == nil {
		return 0, nil
	}
	return strconv.Atoi(string(match[1]))
}

// TestRequestsReachTheFunctionAsTheyAre asks for paths, queries and headers through each platform's proxy,
// and for the task that OpenFaaS' cron-connector can only post to the root.
func TestRequestsReachTheFunctionAsTheyAre(t *testing.T) {
	t.Parallel()
	onEachPlatform(t, func(t *testing.T, on platform) {
		pod := on.run(newBackends(t), "upload-ingest", patience)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, pod.url+"/api/jobs/0190f0f0-0000-7000-8000-000000000000?x=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Request-Id", "a-request-of-a-test")
		got, err := send(http.DefaultClient, request)
		if err != nil || got.StatusCode != http.StatusNotFound || got.Header.Get("X-Request-Id") != "a-request-of-a-test" {
			t.Errorf("got %v %.200s, %v, want 404 with the request's id", got.Response, got.body, err)
		}
		var object struct{ Error, Path string }
		got.into(t, &object)
		if object.Error != "JOB_NOT_FOUND" || !strings.HasPrefix(object.Path, "/api/jobs/") {
			t.Errorf("got %+v", object)
		}
		want := http.StatusNotFound
		if on.tasks {
			want = http.StatusOK
		}
		if got, err := ask(t.Context(), http.MethodPost, pod.url+"/", "", "X-Topic", "cron-function", "X-Connector", "cron-connector"); err != nil || got != want {
			t.Errorf("the sweep by cron-connector: got %v, %v, want %d", got, err, want)
		}
		if got, err := ask(t.Context(), http.MethodPost, pod.url+"/events/dead-letter", "{}"); err != nil || got != http.StatusUnauthorized {
			t.Errorf("a path that is not open: got %v, %v, want 401", got, err)
		}
		if err := pod.kill(); err != nil {
			t.Error(err)
		}
	})
}

// TestAFullParserRefusesByItself fills pdf-parse without any proxy, by an object store that hangs.
func TestAFullParserRefusesByItself(t *testing.T) {
	t.Parallel()
	b := newBackends(t)
	parse := b.function("pdf-parse")
	limit := scaling(t)["pdf-parse"].Concurrency
	jobs := make(chan string, limit+1)
	for _, job := range b.uploaded(ownClient(t), limit+1) {
		jobs <- job
	}
	b.objects.shut()
	statuses := b.send(func(ctx context.Context, address string) (int, error) { return deliver(ctx, address, <-jobs) }, parse.url, limit+1)
	b.next("one too many", statuses, http.StatusTooManyRequests)
	b.objects.lift()
	b.answered("the others", statuses, limit)
}

// TestAJobThatTakesTooLongEnds holds the time of a whole job without any proxy: the function goes on when
// its caller hangs up, for an attempt is counted and half done, but not beyond JOB_TIMEOUT.
func TestAJobThatTakesTooLongEnds(t *testing.T) {
	t.Parallel()
	b, student := newBackends(t), ownClient(t)
	parse := b.function("pdf-parse", "JOB_TIMEOUT=1s")
	job := b.uploaded(student, 1)[0]
	b.objects.shut()
	if status, err := deliver(t.Context(), parse.url, job); err != nil || status != http.StatusNoContent {
		t.Errorf("got %d, %v, want 204: the event need not come again", status, err)
	}
	got, err := get(t.Context(), student, b.ingest.url+"/api/jobs/"+job)
	if err != nil || !strings.Contains(string(got.body), `"PROCESSING_TIMEOUT"`) {
		t.Errorf("got %.300s, %v, want a job that failed of its time", got.body, err)
	}
}

package faas

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/api"
)

// How long the results of the checks hold: for healthFresh nothing is checked again, so no number of probes becomes load
// on the dependencies; for healthKnown they are reported while the dependencies are checked again.
const (
	healthFresh = time.Second
	healthKnown = 10 * time.Second
)

// health checks a function's dependencies beside its requests: a probe waits for the results only as long as probes may
// take, however long a dependency hangs.
type health struct {
	checks   map[string]Check
	timeout  time.Duration // of all checks
	patience time.Duration // of a probe
	started  time.Time
	logger   *slog.Logger

	mu       sync.Mutex
	checking chan struct{} // closed with the results; nil while nothing is checked
	checked  time.Time
	last     map[string]result
}

// result is what a check of a dependency found.
type result struct {
	err     error
	latency time.Duration
	since   time.Time // since when it is up, or down
}

// results are those of the last checks, and whether they are known.
func (h *health) results() (last map[string]result, known bool) {
	done := h.refresh()
	patience := time.NewTimer(h.patience)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last, time.Since(h.checked) < healthKnown
}

// refresh runs the checks, unless the last results are fresh or the checks run already.
func (h *health) refresh() (done <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.checking != nil {
		return h.checking
	}
	checking := make(chan struct{})
	if time.Since(h.checked) < healthFresh {
		close(checking)
		return checking
	}
	h.checking = checking
	before := h.last
	go func() {
		defer close(checking)
		results := h.run(before)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.last, h.checked, h.checking = results, time.Now(), nil
	}()
	return checking
}

// run runs all checks at the same time, so that one that hangs hides no other.
func (h *health) run(before map[string]result) map[string]result {
	ctx, cancel := context.WithTimeout(context.Background(), h.timeout)
	defer cancel()
	var mu sync.Mutex
	var running sync.WaitGroup
	results := make(map[string]result, len(h.checks))
	for name, check := range h.checks {
		running.Go(func() {
			began := time.Now()
			r := result{err: check(ctx), since: began}
			r.latency = time.Since(began)
			if old, ok := before[name]; ok && (old.err == nil) == (r.err == nil) {
				r.since = old.since
			} else {
				h.logChange(name, r.err, ok)
			}
			mu.Lock()
			defer mu.Unlock()
			results[name] = r
		})
	}
	running.Wait()
	return results
}

// logChange writes one line when a dependency goes down or comes back.
func (h *health) logChange(name string, err error, known bool) {
	switch {
	case err != nil:
		h.logger.Warn("dependency is down", "dependency", name, "error", err.Error())
	case known:
		h.logger.Info("dependency is back", "dependency", name)
	}
}

// wait returns when no checks run.
func (h *health) wait() {
	h.mu.Lock()
	checking := h.checking
	h.mu.Unlock()
	if checking != nil {
		<-checking
	}
}

// What a function or a dependency is.
const (
	statusOK       = "ok"
	statusDegraded = "degraded" // it works without a dependency that it can do without
	statusDown     = "down"     // it cannot do its work, or does not take any more
	dependencyUp   = "up"
)

// report is what /health and /ready answer. Anyone may read it where the function can be reached, so an error is a code
// and not a text.
type report struct {
	Status        string                `json:"status"`           // ok, degraded or down
	Reason        string                `json:"reason,omitempty"` // of down: checking (no check has ended yet), draining
	Function      string                `json:"function"`
	Version       string                `json:"version"`
	Commit        string                `json:"commit,omitempty"`
	UptimeSeconds int64                 `json:"uptimeSeconds"`
	Dependencies  map[string]dependency `json:"dependencies"`
}

// dependency is one dependency in a report.
type dependency struct {
	Status    string    `json:"status"` // up or down
	LatencyMs float64   `json:"latencyMs"`
	Error     string    `json:"error,omitempty"` // a code, as in error objects
	Since     time.Time `json:"since"`           // since when it is up, or down
}

// report tells the state, and whether the function can do its work.
func (s *server) report() (r report, ready bool) {
	build := Build()
	r = report{Status: statusOK, Function: s.name, Version: build.Version, Commit: build.Commit,
		UptimeSeconds: int64(time.Since(s.health.started).Seconds()), Dependencies: map[string]dependency{}}
	results, ready := s.health.results()
	if !ready {
		r.Status, r.Reason = statusDown, "checking"
	}
	for name, result := range results {
		d := dependency{Status: dependencyUp, LatencyMs: float64(result.latency.Microseconds()) / 1000, Since: result.since.UTC().Truncate(time.Millisecond)}
		if result.err != nil {
			d.Status, d.Error = statusDown, api.From(result.err).Code
			if r.Status == statusOK {
				r.Status = statusDegraded
			}
			if !IsOptional(result.err) {
				r.Status, ready = statusDown, false
			}
		}
		r.Dependencies[name] = d
	}
	if s.isDraining() {
		r.Status, r.Reason, ready = statusDown, "draining", false
	}
	return r, ready
}

// serveHealth is liveness: the process answers, so restarting it would mend nothing.
func (s *server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	state, _ := s.report()
	writeReport(w, http.StatusOK, state)
}

// serveReady says whether requests should come here.
func (s *server) serveReady(w http.ResponseWriter, _ *http.Request) {
	state, ready := s.report()
	if ready {
		writeReport(w, http.StatusOK, state)
		return
	}
	w.Header().Set("Retry-After", "1")
	writeReport(w, api.Status(api.Unavailable), state)
}

func writeReport(w http.ResponseWriter, status int, state report) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(state) // a prober that hung up needs no answer
}

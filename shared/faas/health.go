package faas

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/api"
)

// How long an answer of the dependencies holds: for healthFresh nobody is asked again, so that no
// number of probes becomes load on them; for healthKnown it is told while they are asked again.
const (
	healthFresh = 250 * time.Millisecond
	healthKnown = 10 * time.Second
)

// health asks a function's dependencies, at the side: a probe waits for their answer only as long as
// probes may take, however long a dependency hangs.
type health struct {
	ask      func(context.Context) map[string]error
	timeout  time.Duration // of asking
	patience time.Duration // of a probe
	started  time.Time

	mu     sync.Mutex
	asking chan struct{} // closed with the answer; nil while nobody asks
	asked  time.Time
	last   map[string]error
}

// check is each dependency's state, and whether it is known.
func (h *health) check() (states map[string]error, known bool) {
	answered := h.refresh()
	patience := time.NewTimer(h.patience)
	defer patience.Stop()
	select {
	case <-answered:
	case <-patience.C:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last, time.Since(h.asked) < healthKnown
}

// refresh asks the dependencies, unless the last answer is fresh or somebody asks already.
func (h *health) refresh() (answered <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asking != nil {
		return h.asking
	}
	done := make(chan struct{})
	if time.Since(h.asked) < healthFresh {
		close(done)
		return done
	}
	h.asking = done
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), h.timeout)
		defer cancel()
		states := h.ask(ctx)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.last, h.asked, h.asking = states, time.Now(), nil
	}()
	return done
}

// wait returns when nobody asks any more.
func (h *health) wait() {
	h.mu.Lock()
	asking := h.asking
	h.mu.Unlock()
	if asking != nil {
		<-asking
	}
}

// report is what /health and /ready answer.
type report struct {
	Status        string            `json:"status"` // ok, degraded, checking, draining or unavailable
	Function      string            `json:"function"`
	Version       string            `json:"version"`
	Commit        string            `json:"commit,omitempty"`
	UptimeSeconds int64             `json:"uptimeSeconds"`
	Dependencies  map[string]string `json:"dependencies"` // up or down
}

// report tells the state, and whether the function can do its work.
func (s *server) report() (r report, ready bool) {
	build := Build()
	r = report{Status: "ok", Function: s.name, Version: build.Version, Commit: build.Commit,
		UptimeSeconds: int64(time.Since(s.health.started).Seconds()), Dependencies: map[string]string{}}
	states, ready := s.health.check()
	if !ready {
		r.Status = "checking"
	}
	for name, err := range states {
		r.Dependencies[name] = "up"
		if err == nil {
			continue
		}
		r.Dependencies[name] = "down"
		s.logger.Warn("dependency is down", "dependency", name, "error", err.Error())
		if r.Status == "ok" {
			r.Status = "degraded"
		}
		if !isOptional(err) {
			r.Status, ready = "unavailable", false
		}
	}
	if s.draining.Load() {
		r.Status, ready = "draining", false
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

package faas

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/api"
)

// healthFresh is for how long an answer of the dependencies holds, so that no number of probes
// becomes load on them.
const healthFresh = 250 * time.Millisecond

// health asks a function's dependencies.
type health struct {
	ask     func(context.Context) map[string]error
	timeout time.Duration
	started time.Time

	mu    sync.Mutex
	asked time.Time
	last  map[string]error
}

// check is each dependency's state; at most one asks at a time.
func (h *health) check(ctx context.Context) map[string]error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.asked) < healthFresh {
		return h.last
	}
	// Not the prober's context: one who hangs up must not make the next read a failure.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.timeout)
	defer cancel()
	h.last, h.asked = h.ask(ctx), time.Now()
	return h.last
}

// report is what /health and /ready answer.
type report struct {
	Status        string            `json:"status"` // ok, degraded, draining or unavailable
	Function      string            `json:"function"`
	Version       string            `json:"version"`
	Commit        string            `json:"commit,omitempty"`
	UptimeSeconds int64             `json:"uptimeSeconds"`
	Dependencies  map[string]string `json:"dependencies"` // up or down
}

// report tells the state, and whether the function can do its work.
func (s *server) report(ctx context.Context) (r report, ready bool) {
	build := Build()
	r = report{Status: "ok", Function: s.name, Version: build.Version, Commit: build.Commit,
		UptimeSeconds: int64(time.Since(s.health.started).Seconds()), Dependencies: map[string]string{}}
	ready = true
	for name, err := range s.health.check(ctx) {
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
func (s *server) serveHealth(w http.ResponseWriter, r *http.Request) {
	state, _ := s.report(r.Context())
	writeReport(w, http.StatusOK, state)
}

// serveReady says whether requests should come here.
func (s *server) serveReady(w http.ResponseWriter, r *http.Request) {
	state, ready := s.report(r.Context())
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
